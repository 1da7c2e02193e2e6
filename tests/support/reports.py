"""Reports for tests, through the one action that files them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from moderation.actions.filing import NewReport, file_report
from moderation.models import Case, Report
from people.models import User
from rooms.models import Room

STRANGER: dict[str, Any] = {"name": "Piet Puk", "email": "piet@example.org", "words": "They threatened her."}


def report(reporter: User | None, room: Room | None = None, **values: Any) -> Report:
    """File a report of harassment; about the room as a whole, or about `subject` in it."""
    kind = values.pop("kind", "person" if values.get("subject") else "room")
    if kind in ("room", "person"):
        values = {"from_ms": 0, "to_ms": 10, **values}
    values = {"category": "harassment", "good_faith": True, **values}
    return file_report(NewReport(kind=kind, reporter=reporter, room=room, **values))


def stranger_report(room: Room | None = None, **values: Any) -> Report:
    """File a report without an account."""
    return report(None, room, **{**STRANGER, **values})


def message_report(reporter: User, message: Any, **values: Any) -> Report:
    """File a report of a message."""
    return report(reporter, kind="message", message=message.pk, **values)


def closed(case: Case, **values: Any) -> None:
    """Close a case as a decision would."""
    now = values.pop("decided_at", timezone.now())
    Case.objects.filter(pk=case.pk).update(state=Case.State.DECIDED, decided_at=now, **values)
