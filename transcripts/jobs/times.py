"""The times of a track in which its person, or the whole room, had no captions."""

from __future__ import annotations

from django.db.models import Q

from rooms.models import CaptionsOff
from transcripts.models import TrackPlan
from transcripts.speech.windows import Span


def without_captions(plan: TrackPlan) -> list[Span]:
    """Return the times of a track in which nothing is written down, in ms of its file; they may overlap."""
    file = plan.file
    room = plan.transcript.room
    whose = Q(user=None) if file.seat is None else Q(user=None) | Q(user=file.seat.user_id)
    rows = CaptionsOff.objects.filter(whose, room=room).order_by("since")
    end_ms = file.duration_ms
    times = [
        Span(
            room.room_time(row.since) - file.start_ms,
            end_ms if row.until is None else min(end_ms, room.room_time(row.until) - file.start_ms),
        )
        for row in rows
    ]
    return [time for time in times if time.length_ms > 0]
