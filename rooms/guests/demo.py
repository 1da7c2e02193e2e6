"""Rooms of the demo: one live for half an hour with two speakers (`manage.py voices`), which a button starts again; one
recorded the day before (`recorded_demo`); and one prepared for the next evening, about which two people wrote and to
which one of them is invited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from core.refusals import Refused
from people import demo
from people.models import User
from rooms.actions.invitations import invite
from rooms.actions.opening import open_room
from rooms.actions.preparing import prepare_room
from rooms.models import Invitation, Room
from rooms.rules.refusals import RoomRefused
from social.actions.messages import send_text
from social.models import Message

MINUTES = 30
TITLE = "Old books, read aloud"
TOPIC = "Priya reads from Sense and Sensibility; Youssef says what he makes of it."
RECORDED_TITLE = "Old books: the first chapter"
NEXT_TITLE = "Small shops, long days"
NEXT_TOPIC = "How does a shop in a side street get through the winter? Shopkeepers tell."
NEXT_ZONE, NEXT_HOUR = "Europe/Amsterdam", 20
ASKED = "Tomorrow's table about shops: shall I come and tell how we do it?"
ANSWERED = "Please do. You have the invitation; the room opens at eight."


def live_demo_room() -> Room | None:
    """The demo's room while it is live, else None."""
    return Room.objects.filter(is_demo=True, status=Room.Status.LIVE).first()


def recorded_demo_room() -> Room | None:
    """The demo's recorded room while its copy is there, else None."""
    rooms = Room.objects.filter(is_demo=True, title=RECORDED_TITLE, status=Room.Status.ENDED, purged_at=None)
    return rooms.order_by("-pk").first()


def may_start_demo() -> bool:
    """Whether this site has a demo and its room is not live."""
    return live_demo_room() is None and User.objects.filter(handle=demo.HOST, is_active=True).exists()


def start_demo_room() -> Room:
    """Open the demo's room, unless it is live already, and return it. Raises unknown_room where this site has no demo.

    Anybody may start it: its content is fixed, and there is at most one.
    """
    if room := live_demo_room():
        return room
    host = User.objects.filter(handle=demo.HOST).first()
    if host is None:
        raise RoomRefused("unknown_room")
    ends_by = timezone.now() + timedelta(minutes=MINUTES)
    try:
        return open_room(host, title=TITLE, topic=TOPIC, language="en", ends_by=ends_by, is_demo=True)
    except RoomRefused as refused:
        if refused.code == "already_hosting" and (room := live_demo_room()):
            return room  # another request opened it at the same time
        raise


def prepare_demo_room(host: User, guest: User) -> Room:
    """Prepare a room of `host` for tomorrow evening, write about it and invite `guest`, unless one is prepared already.
    What they write is written once. Raises RoomRefused or PeopleRefused."""
    if room := Room.objects.filter(host=host, status=Room.Status.SCHEDULED).first():
        return room
    day = timezone.now().astimezone(ZoneInfo(NEXT_ZONE)).date() + timedelta(days=1)
    wall = f"{day:%Y-%m-%d}T{NEXT_HOUR}:00"
    room = prepare_room(host, title=NEXT_TITLE, topic=NEXT_TOPIC, wall=wall, zone=NEXT_ZONE)
    if not Message.objects.filter(sender__in=(host, guest), receiver__in=(host, guest)).exists():
        send_text(guest, host, ASKED)
        send_text(host, guest, ANSWERED)
    invite(room.pk, host, [guest.handle], Invitation.Kind.SPEAK)
    return room


def on_accounts_ready(sender: Any, people: dict[str, User], **_more: Any) -> str:
    """Make the demo's rooms after `manage.py seed_demo` made the accounts. Returns lines for its output."""
    from rooms.guests import recorded_demo  # it loads the libraries for sound, which most processes do without

    recorded_demo.record_unless_impossible(people)
    try:
        live = start_demo_room()
        ahead = prepare_demo_room(people[demo.HOST], people[demo.SPEAKERS[0]])
    except Refused as refused:
        return f"the demo's rooms are not all there: {refused.code}"
    places = (f"live now, two voices for {MINUTES} minutes", live), ("tomorrow, with an invitation", ahead)
    return "\n  ".join(f"{what}: {settings.SITE_URL}{room.get_absolute_url()}" for what, room in places)


demo.accounts_ready.connect(on_accounts_ready, dispatch_uid="rooms.guests.demo")
