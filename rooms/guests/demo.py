"""The demo's room: live for half an hour, with two voices in it (`manage.py voices`); its button starts it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from people import demo
from people.models import User
from rooms.actions.opening import open_room
from rooms.models import Room
from rooms.rules.refusals import RoomRefused

MINUTES = 30
TITLE = "Old books, read aloud"
TOPIC = "Priya reads from Sense and Sensibility; Youssef says what he makes of it."


def live_demo_room() -> Room | None:
    """The demo's room while it is live."""
    return Room.objects.filter(is_demo=True, status=Room.Status.LIVE).first()


def may_start_demo() -> bool:
    """Whether this site has a demo and its room is not live."""
    return live_demo_room() is None and User.objects.filter(handle=demo.HOST, is_active=True).exists()


def start_demo_room() -> Room:
    """The demo's room, opened now unless it is live already. Raises RoomRefused where this site has no demo.

    Nothing anybody says decides what is in it, so anybody may start it; there is never more than one.
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
            return room  # somebody pressed the button in the same moment
        raise


def on_accounts_ready(sender: Any, people: dict[str, User], **_more: Any) -> str:
    """`manage.py seed_demo` made the accounts: open their room, and say where it is."""
    try:
        room = start_demo_room()
    except RoomRefused as refused:
        return f"the demo's room was not opened: {refused.code}"
    return f"live now, two voices for {MINUTES} minutes: {settings.SITE_URL}{room.get_absolute_url()}"


demo.accounts_ready.connect(on_accounts_ready, dispatch_uid="rooms.guests.demo")
