"""Actions on captions: those of the whole room, of one's own words, and the language in which they are heard.

What is not written down live is not written down afterwards either (`rooms.models.CaptionsOff`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from people.models import User
from rooms.actions.locking import locked
from rooms.models import CaptionsOff, Consent, Room, RoomEvent, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event


def set_captions(room_id: int, by: User, on: bool) -> None:
    """Have what is said in a room written down, live and in the transcript that is kept, or not.

    Switched on, they are not of people who agreed to a recording without captions: those say so themselves, but `by`,
    who switches. What was said before stays out of the transcript. Setting it again changes nothing.

    Raises not_host, room_ended.
    """
    with locked(room_id) as room:
        refuse(permissions.may_manage(facts_of(room, by)))
        if room.transcription == on:
            return
        room.transcription = on
        room.save(update_fields=["transcription"])
        if on:
            CaptionsOff.objects.create(room=room, since=_off_since(room), until=timezone.now())
        append_event(room, "captions_set", {"on": on})
        if on:
            for user in _unasked(room, by):
                _begin(room, user)


def _off_since(room: Room) -> datetime:
    """When the captions of a locked room were switched off last; its start where they never were on."""
    log = RoomEvent.objects.filter(room=room, type="captions_set", data__on=False)
    at_ms = log.aggregate(last=Max("at_ms"))["last"]
    start = room.started_at or timezone.now()
    return start if at_ms is None else start + timedelta(milliseconds=at_ms)


def _unasked(room: Room, by: User) -> list[User]:
    """People who agreed to being recorded in a room while it was not captioned, and never with captions."""
    told = Consent.objects.filter(room=room, captioned=True).values("user")
    off = CaptionsOff.objects.filter(room=room, user__isnull=False, until=None).values("user")
    consents = Consent.objects.filter(room=room, captioned=False).exclude(user__in=told).exclude(user__in=off)
    rows = consents.exclude(user=by).select_related("user").order_by("at", "pk")
    return list({row.user_id: row.user for row in rows}.values())


def set_own_captions(room_id: int, user: User, off: bool, by: User) -> None:
    """Have what a person says in a room written down no more (`off`), or again; the person alone says so.

    Where they sit, everybody sees it. Saying it again changes nothing. Raises not_allowed where `by` is somebody else,
    not_signed_in, room_ended and the codes of entry.
    """
    with locked(room_id) as room:
        refuse(permissions.may_switch_own_captions(facts_of(room, by), by_self=user.pk == by.pk))
        Consent.objects.filter(room=room, user=user, captioned=False).update(captioned=True)  # they have been asked
        if off:
            _begin(room, user)
        else:
            _end(room, user)


def _begin(room: Room, user: User) -> None:
    _row, new = CaptionsOff.objects.get_or_create(room=room, user=user, until=None)
    if new:
        _show(room, user, True)


def _end(room: Room, user: User) -> None:
    if CaptionsOff.objects.filter(room=room, user=user, until=None).update(until=timezone.now()):
        _show(room, user, False)


def _show(room: Room, user: User, off: bool) -> None:
    """Note at the person's seat, if they have one, that their words are written down or not, and publish it. Of a
    listener nothing is told: whether they are here is their own affair."""
    if Seat.objects.filter(room=room, user=user, left_at=None).update(captions_off=off):
        append_event(room, "seat_captioned", {"user": user.handle, "off": off})


def set_language(room_id: int, by: User, language: str) -> None:
    """Say which language is spoken in a room: that in which captions and transcript hear it. Setting it again changes
    nothing. Raises bad_value, not_host, room_ended."""
    known = [code for code, _name in settings.LANGUAGES]
    if language not in known:
        raise RoomRefused("bad_value", {"language": ", ".join(known)})
    with locked(room_id) as room:
        refuse(permissions.may_manage(facts_of(room, by)))
        if room.language != language:
            room.language = language
            room.save(update_fields=["language"])
            append_event(room, "language_set", {"language": language})
