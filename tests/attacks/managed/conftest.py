"""One site under its real process manager for all attackers of this folder; nothing is emptied between two attacks."""

from __future__ import annotations

import shutil
from collections.abc import Generator

import pytest
import redis
from django.conf import settings
from pytest_django import DjangoDbBlocker

from deploy.local.throwaway import Throwaway
from rooms import actions
from rooms.models import Room
from rooms.rules.refusals import RoomRefused
from tests.attacks.managed.attackers import Browser, host_of, socket_of, somebody
from tests.support import tables
from tests.support.managed import Managed
from tests.support.processes import LogTail
from tests.support.rooms import open_room
from tests.support.shared_site import end_shared_site

HONEST = "127.0.0.77"


@pytest.fixture(scope="package")
def site(
    services: Throwaway, static_files: None, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Generator[Managed]:
    """The site as script/server runs it, with its development doors; tables are emptied when all is over."""
    end_shared_site()
    remove_folders()  # what tests in this process made is open to others
    managed = Managed(services)
    with django_db_blocker.unblock():
        try:
            # A connection that never comes about stays long enough to see that it ends for another reason.
            doors = {"DEV_KEY": services.instance.keys["DEV_KEY"]}
            # From the sources WhiteNoise looks for a file at every request, which takes longer than most answers.
            managed.start(MEDIA_ICE_SECONDS="300", STATIC_FILES="collected", **doors)
            yield managed
        finally:
            managed.stop()
            tables.reset()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
    remove_folders()


def remove_folders() -> None:
    for folder in (settings.MAIL_FOLDER, settings.MEDIA_ROOT, settings.RECORDINGS_DIR, settings.OUTSIDE_DIR):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _clean_slate(site: Managed) -> Generator[None]:
    """In place of the one that empties everything: whatever was tried, the log has no failure of ours afterwards.

    Rooms that a test left live end with it: two ffmpegs each would go on to the end, beside all other attacks.
    """
    log = LogTail(site.manager.log("web"))
    yield
    for room in Room.objects.filter(status=Room.Status.LIVE):
        end(room)
    log.assert_no_failure()


@pytest.fixture(autouse=True, scope="module")
def _honest_afterwards(site: Managed) -> Generator[None]:
    """After all that was tried somebody honest looks around, signs in, comes in and sits down."""
    yield
    honest_still_works(site)


@pytest.fixture
def room(site: Managed) -> Room:
    """A live room of a host of its own."""
    return open_room(host_of())


def end(room: Room) -> None:
    """End a room as the clock does, unless the test did: its host may be closed by now."""
    try:
        actions.end_room(room.pk, None, Room.EndReason.TIME_UP)
    except RoomRefused as refused:
        assert refused.code == "room_ended", refused.code


def honest_still_works(site: Managed) -> None:
    """As a person does it: home, sign-in, a socket, a seat."""
    room = open_room(host_of())
    browser = Browser(HONEST)
    assert browser.sign_in(somebody("honest").handle) and browser.get("/").status == 200
    with socket_of(room, browser) as socket:
        assert socket.ask("consent", version=settings.CONSENT_VERSION).get("ok")
        assert socket.ask("take_seat").get("ok")
    end(room)
