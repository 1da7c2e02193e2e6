"""Tasks that run again and again, and how often."""

from __future__ import annotations

from typing import Any


def beat_schedule(retention_seconds: int) -> dict[str, dict[str, Any]]:
    """Return Celery's schedule; intervals are in seconds. A task that waited for longer than that is dropped."""
    return {
        "draw-recordings": {"task": "rooms.recording.prepare_left", "schedule": 300.0, "options": {"expires": 300}},
        "measure-recordings": {"task": "rooms.recording.measure_left", "schedule": 300.0, "options": {"expires": 300}},
        "sweep-recordings": {"task": "rooms.recording.sweep", "schedule": 30.0, "options": {"expires": 30}},
        "sweep-clips": {"task": "rooms.recording.sweep_clips", "schedule": 15.0, "options": {"expires": 15}},
        "tidy-clips": {"task": "rooms.recording.tidy_clips", "schedule": 3600.0, "options": {"expires": 3600}},
        "send-mails": {"task": "mail.tasks.send_mails", "schedule": 60.0, "options": {"expires": 60}},
        "anchor-ledger": {"task": "ledger.anchor", "schedule": 600.0, "options": {"expires": 600}},
        "requeue-speech": {"task": "transcripts.requeue", "schedule": 30.0, "options": {"expires": 30}},
        "sweep-retention": {
            "task": "retention.sweep",
            "schedule": float(retention_seconds),
            "options": {"expires": retention_seconds},
        },
        "tidy-purged": {"task": "retention.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
        "sweep-own-data": {"task": "people.tasks.sweep_own_data", "schedule": 60.0, "options": {"expires": 60}},
        "tidy-accounts": {"task": "people.tasks.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
        "erase-words": {"task": "moderation.tasks.erase_words", "schedule": 3600.0, "options": {"expires": 3600}},
        "sweep-cases": {"task": "moderation.tasks.sweep", "schedule": 30.0, "options": {"expires": 30}},
        "deliver-messages": {"task": "social.tasks.deliver_left", "schedule": 30.0, "options": {"expires": 30}},
        "tidy-messages": {"task": "social.tasks.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
        "sweep-rooms": {"task": "rooms.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    }
