"""Recording pauses because the disk is full: everybody in the room sees it, late pages too, and afterwards its host."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from rooms import actions
from rooms.models import Recording, Room
from tests.e2e.browser import DESK, PHONE, Chromium, axe, overflow
from tests.support.rooms import open_room, seated

PAUSED = "Recording is paused: the disk is full. The room goes on"  # the banner, not the host's list

pytestmark = pytest.mark.django_db(transaction=True)


def test_everybody_sees_that_nothing_is_kept(chromium: Chromium) -> None:
    room = open_room(title="What we read this winter", topic="Bring one book and one sentence of it")
    seated("anna", room)
    phone = chromium.room(room, viewport=PHONE)
    told = phone.get_by_text(PAUSED)
    expect(told).to_be_hidden()
    actions.set_recording_paused(room.pk, True)
    expect(told).to_be_visible()
    looks = [
        phone,
        chromium.room(room, room.host, viewport=DESK),
        chromium.room(room, viewport=PHONE, color_scheme="dark"),
        chromium.room(room, viewport=DESK, color_scheme="dark"),
    ]
    for page in looks:
        expect(page.get_by_text(PAUSED)).to_be_visible()
        assert axe(page) == [] and overflow(page) == []
    actions.set_recording_paused(room.pk, False)
    for page in looks:
        expect(page.get_by_text(PAUSED)).to_be_hidden()
        expect(page.locator(".notice", has_text="Recording goes on.")).to_be_visible()


def test_the_host_sees_how_much_is_missing(chromium: Chromium) -> None:
    room = open_room()
    actions.set_recording_paused(room.pk, True)
    live = chromium.page("/dashboard/", room.host)
    expect(live.get_by_text("Recording is paused")).to_be_visible()
    actions.end_room(room.pk, room.host)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(hours=1))
    Recording.objects.filter(room=room).update(state="ready", missing_ms=7 * 60_000, duration_ms=3_600_000)
    for path in ("/dashboard/", room.get_absolute_url()):
        page = chromium.page(path, room.host, viewport=PHONE)
        expect(page.get_by_text("7 min is missing from the recording")).to_be_visible()
        assert axe(page) == [] and overflow(page) == []
    empty = chromium.page(f"{room.get_absolute_url()}replay/", room.host)
    expect(empty.get_by_text("Nothing could be recorded while the room was live")).to_be_visible()
