"""Consent to being recorded."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from people.models import User
from rooms.models import Consent, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import RoomRefused, refuse


def record_consent(user: User, room: Room, version: str) -> Consent:
    """Record that a person agreed to the consent text, and when. A second consent to the same text changes nothing.

    Raises bad_value unless `version` is the current one. Nothing that others see changes, so the room is not locked
    and gets no event.
    """
    refuse(permissions.may_take_part(facts_of(room, user)))
    if version != settings.CONSENT_VERSION:
        raise RoomRefused("bad_value", {"version": settings.CONSENT_VERSION})

    is_captioned = Room.objects.filter(pk=room.pk, transcription=True).exists()
    with transaction.atomic():
        consent, _created = Consent.objects.get_or_create(
            room=room, user=user, text_version=version, defaults={"captioned": is_captioned}
        )
    return consent
