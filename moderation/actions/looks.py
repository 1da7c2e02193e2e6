"""Looking at evidence, noted once per person, case, range and ten minutes; sound is noted as it is sent."""

from __future__ import annotations

from django.utils import timezone

from ledger.actions import record
from moderation.actions.claims import renew
from moderation.actions.evidence import evidence_range, note_look
from moderation.actions.locking import checked, locked_case
from moderation.models import Case, Look
from moderation.queries.looks import AGAIN, looked_lately
from moderation.rules.access import why_not_see
from moderation.rules.evidence import entered_until
from people.models import User


def look_once(case: Case, by: User, what: str, from_ms: int | None = None, to_ms: int | None = None) -> None:
    """Note a look, unless the same person looked at all of it in the last ten minutes. Raises as `note_look`."""
    if not looked_lately(case, by, what, from_ms, to_ms):
        note_look(case, by, what, from_ms, to_ms)


JOINED_MS = 1_000  # a gap up to which sound goes on: segments begin and end between milliseconds


def note_sound(case: Case, by: User, from_ms: int, to_ms: int) -> Look:
    """Note that sound of a range is sent to a person; call it before. Sound that goes on makes the look longer, and the
    ledger gets an entry by the minute. Raises unknown_case, bad_value, no_sound, copy_gone."""
    with locked_case(case.pk) as row:
        checked(row, by, why_not_see)
        start, end = evidence_range(row, from_ms, to_ms)
        assert row.room is not None
        room_ms, now = row.room.room_time(row.room.ended_at), timezone.now()
        looks = Look.objects.filter(case=row, user=by, what=Look.What.PLAYED, at__gt=now - AGAIN)
        look = looks.filter(from_ms__lte=start, to_ms__gte=start - JOINED_MS).order_by("-to_ms", "-pk").first()
        if look is None:
            look, entered = Look(case=row, user=by, what=Look.What.PLAYED, from_ms=start, to_ms=start), start
        else:
            entered = entered_until(look.to_ms or 0, room_ms)
        look.to_ms, look.at = max(look.to_ms or 0, end), now
        look.save()
        renew(row, by)
        if (until := entered_until(end, room_ms)) > entered:
            values = {"what": Look.What.PLAYED, "from": entered, "to": until}
            record("evidence_played", row.ledger_subject, by.pk, values)
    return look
