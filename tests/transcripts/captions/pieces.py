"""Pieces of tests of live captions: a room, an engine without a model, a process that has taken the room."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from datetime import timedelta
from typing import Any

from django.utils import timezone

from core import bus
from rooms.models import Room
from tests.support.rooms import open_room
from tests.transcripts.pieces import never
from transcripts.captions.engine import Heard, LiveEngine
from transcripts.captions.process import STATUS, Captioner
from transcripts.captions.room import RoomCaptions
from transcripts.speech.audio import Sound
from transcripts.speech.stitch import Word


def room_of(language: str = "en", seconds: int = 14) -> Room:
    """A room that began so many seconds ago."""
    room = open_room("hanna", language=language)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(seconds=seconds))
    room.refresh_from_db()
    return room


def status() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(str(bus.client().get(bus.key(STATUS))))
    return found


class EverySecond:
    """An engine that hears a word a second of sound, at once."""

    model, version, at_once, patience = "told", "1", 1, 60.0

    def hear(self, sound: Sound, language: str, said: Sequence[Word], *, ask_language: bool = False) -> Heard:
        seconds = len(sound) // 16_000
        words = [Word(f" w{at}", at * 1000 + 100, at * 1000 + 900, 0.8) for at in range(len(said), seconds)]
        return Heard(tuple(words), 0.0, -0.1)


def captioned(hear: Callable[[], LiveEngine]) -> tuple[Captioner, RoomCaptions]:
    """A process that has taken the one room there is."""
    captioner = Captioner(never, hear)
    captioner._refresh(time.monotonic())
    (captions,) = captioner.rooms.values()
    return captioner, captions


def hear_next(captioner: Captioner, meanwhile: Callable[[], object] = lambda: None) -> bool:
    """Hear what is next and show it; `meanwhile` something happens. Returns whether there was anything."""
    work = captioner._next_work(time.monotonic())
    if work is None:
        return False
    captioner._begin(work)
    meanwhile()
    wait([hearing.result for hearing in captioner._hearings], 30)
    captioner._take_heard()
    return True


def hear_all(captioner: Captioner) -> None:
    while hear_next(captioner):
        pass
