"""Blocks whose process dies before rooms reacted, or in the middle of it: the sweep completes them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from people.models import User
from rooms import actions
from rooms.actions import blocks, removals
from rooms.models import Hand, Invitation, Removal, Room, Seat
from social.actions.blocks import SETTLED_WITHIN, block, settle_left
from social.models import Block
from tests.support.people import person
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db(transaction=True)

DIES = """
import os, signal, sys
import django
django.setup()
from importlib import import_module
from people.models import User
from social.actions.blocks import block
module, function, blocker, blocked = sys.argv[1:]
setattr(import_module(module), function, lambda *args, **named: os.kill(os.getpid(), signal.SIGKILL))
block(User.objects.get(handle=blocker), User.objects.get(handle=blocked))
"""
BEFORE = ("social.actions.blocks", "_send")  # after the commit
BETWEEN = ("rooms.actions.blocks", "account_changed")  # after the removals
IN_A_ROOM = ("rooms.actions.removals", "lower_hands")  # in the transaction of a removal
LEAVING = ("rooms.actions.blocks", "stand_up")


def killed_while_blocking(at: tuple[str, str], blocker: User, blocked: User) -> None:
    """Block in a process of its own that gets kill -9 when it calls a function."""
    line = [sys.executable, "-c", DIES, *at, blocker.handle, blocked.handle]
    done = subprocess.run(line, cwd=Path(__file__).parents[2], env=os.environ, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    assert not Block.objects.get(blocker=blocker, blocked=blocked).settled


def later() -> Any:
    return timezone.now() + SETTLED_WITHIN + timedelta(seconds=1)


def sits(user: User) -> bool:
    return Seat.objects.filter(user=user, left_at=None).exists()


def removed_from(user: User) -> set[str]:
    return set(Removal.objects.filter(user=user, undone_at=None).values_list("room__host__handle", flat=True))


@pytest.mark.parametrize("at", [BEFORE, IN_A_ROOM, BETWEEN])
def test_a_removal_is_written_though_the_process_dies(at: tuple[str, str]) -> None:
    room, second = open_room(), open_room("second")
    guest = seated("guest", room)
    Seat.objects.create(room=second, user=room.host, role=Seat.Role.COHOST, place=11)
    Invitation.objects.create(room=room, user=guest, by=room.host, by_helper=True, kind="listen")
    killed_while_blocking(at, room.host, guest)
    if at != BETWEEN:
        assert removed_from(guest) == set() and sits(guest)
    actions.sweep_rooms(later())
    assert removed_from(guest) == {"host", "second"} and not sits(guest)
    assert Invitation.objects.get().state == "revoked"
    assert Block.objects.get().settled
    # Once is once: what the host's side decides afterwards stands.
    actions.undo_removal(room.pk, guest, by=room.host)
    actions.sweep_rooms(later())
    assert removed_from(guest) == {"second"} and Removal.objects.count() == 2


@pytest.mark.parametrize("at", [BEFORE, LEAVING])
def test_who_blocked_the_host_leaves_though_the_process_dies(at: tuple[str, str]) -> None:
    room = open_room()
    guest = seated("guest", room)
    killed_while_blocking(at, guest, room.host)
    assert sits(guest)
    actions.sweep_rooms(later())
    assert Seat.objects.get(user=guest).left_reason == "left" and Block.objects.get().settled
    assert not Removal.objects.exists() and not Hand.objects.exists()


def test_a_room_that_fails_is_done_again_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room, second = open_room(), open_room("second")
    guest = person("guest")
    Seat.objects.create(room=second, user=room.host, role=Seat.Role.COHOST, place=11)
    remove = removals.remove_person

    def fails(room_pk: int, *args: Any, **named: Any) -> Any:
        if room_pk == room.pk:
            raise OSError("no disk")
        return remove(room_pk, *args, **named)

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(blocks, "remove_person", fails)
        block(room.host, guest)
    assert "no disk" in caplog.text
    assert removed_from(guest) == {"second"} and not Block.objects.get().settled
    assert settle_left(timezone.now()) == 0, "what was just done is not done again"
    assert settle_left(later()) == 1
    assert removed_from(guest) == {"host", "second"} and Block.objects.get().settled
    assert settle_left(later()) == 0


def test_a_block_outside_of_rooms_is_settled_at_once() -> None:
    block(person("anna"), person("bert"))
    assert Block.objects.get().settled and not Room.objects.exists()
