"""Consent to being recorded."""

from __future__ import annotations

from django.conf import settings

from people.models import User
from rooms.actions.locking import locked
from rooms.models import Consent, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import RoomRefused, refuse


def record_consent(user: User, room: Room, version: str) -> Consent:
    """Record that a person agreed to the consent text, and when. A second consent to the same text changes nothing.

    Raises bad_value unless `version` is the current one. Nothing that others see changes, so the room gets no event; it
    is locked, as captions that come on at this moment ask whoever agreed without them.
    """
    refuse(permissions.may_take_part(facts_of(room, user)))
    if version != settings.CONSENT_VERSION:
        raise RoomRefused("bad_value", {"version": settings.CONSENT_VERSION})

    with locked(room.pk) as now:
        consent, _created = Consent.objects.get_or_create(
            room=now, user=user, text_version=version, defaults={"captioned": now.transcription}
        )
    return consent
