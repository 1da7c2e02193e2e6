"""Legal holds: orders of authorities by which a room's copy is kept, set and lifted by seniors."""

from __future__ import annotations

from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from core.text import REASON, Text
from ledger.actions import record
from moderation.actions.typed import cleaned_text, cleaned_texts
from moderation.models import LegalHold
from moderation.queries.rooms import is_party_of_room
from moderation.refusals import ModerationRefused
from people.models import User
from retention.clocks import still_holdable
from rooms.models import Room

REFERENCE = Text(200)


def set_legal_hold(room: Room, by: User, *, reference: str, reason: str, expires_at: datetime) -> LegalHold:
    """Keep a room's copy by order of an authority until `expires_at`, or until it is lifted.

    Refuses not_allowed, party_of_room, bad_value, hold_exists (an order of this reference stands), and copy_gone: what
    is due for deletion is no longer held.
    """
    _may(by, "moderation.add_legalhold", room)
    now = timezone.now()
    texts = cleaned_texts(reference=(REFERENCE, reference), reason=(REASON, reason))
    reference, reason = texts["reference"], texts["reason"]
    if expires_at <= now:
        raise ModerationRefused("bad_value", {"expires_at": "> now"})
    with transaction.atomic():
        locked = Room.objects.select_for_update(no_key=True).get(pk=room.pk)
        if not still_holdable(locked, now):
            raise ModerationRefused("copy_gone")
        if standing_holds(now).filter(room=locked, reference=reference).exists():
            raise ModerationRefused("hold_exists")
        hold = LegalHold.objects.create(
            room=locked, reference=reference, reason=reason, set_by=by, set_at=now, expires_at=expires_at
        )
        values = {"hold": hold.pk, "until": expires_at.isoformat()}
        record("legal_hold_set", f"room:{locked.pk}", by.pk, values, {"reference": reference, "reason": reason})
    return hold


def lift_legal_hold(hold: LegalHold, by: User, reason: str) -> LegalHold:
    """End a legal hold before its day. Refuses not_allowed, party_of_room, bad_value and hold_ended."""
    _may(by, "moderation.change_legalhold", hold.room)
    reason = cleaned_text(REASON, "reason", reason)
    with transaction.atomic():
        Room.objects.select_for_update(no_key=True).get(pk=hold.room_id)
        now = timezone.now()
        row = standing_holds(now).filter(pk=hold.pk).first()
        if row is None:
            raise ModerationRefused("hold_ended")
        row.lifted_at, row.lifted_by, row.lift_reason = now, by, reason
        row.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
        record("legal_hold_lifted", f"room:{row.room_id}", by.pk, {"hold": row.pk}, {"reason": reason})
    return row


def standing_holds(now: datetime) -> models.QuerySet[LegalHold]:
    """Select the legal holds that keep a copy now."""
    return LegalHold.objects.filter(lifted_at=None, expires_at__gt=now)


def _may(by: User, permission: str, room: Room) -> None:
    if not by.has_perm(permission):
        raise ModerationRefused("not_allowed")
    if is_party_of_room(by, room):
        raise ModerationRefused("party_of_room")
