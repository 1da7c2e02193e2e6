"""Captions where the database is away for a moment, and where a hearing does not come back."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError

from tests.support.rooms import seated
from tests.transcripts.captions.pieces import EverySecond, captioned, hear_all, room_of
from tests.transcripts.captions.test_process import spoken
from transcripts.captions import actions
from transcripts.captions.engine import Heard
from transcripts.models import CaptionedRoom, LiveLine
from transcripts.speech.audio import Sound
from transcripts.speech.stitch import Word

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("failing", ["next_number", "keep_line"])
def test_words_that_could_not_be_kept_are_kept_with_what_comes_next(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    room = room_of(seconds=5)
    captioner, captions = captioned(EverySecond)
    spoken(captions, seated("nora", room)).stream.pause()
    real = getattr(actions, failing)

    def away(*_args: Any) -> Any:
        raise OperationalError("the database is away")

    monkeypatch.setattr(actions, failing, away)
    with pytest.raises(OperationalError):
        hear_all(captioner)
    assert not LiveLine.objects.exists()
    monkeypatch.setattr(actions, failing, real)
    hear_all(captioner)
    (line,) = LiveLine.objects.all()
    assert line.final and len(line.words) >= 2 and line.words[0][0].strip() == "w0"


def test_a_hearing_that_hangs_ends_the_process_and_leaves_its_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    class Hanging(EverySecond):
        patience = 0.2

        def hear(self, sound: Sound, language: str, said: Sequence[Word], *, ask_language: bool = False) -> Heard:
            go_on.wait(30)
            return super().hear(sound, language, said)

    def ended(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", ended)
    room = room_of(seconds=5)
    captioner, captions = captioned(Hanging)
    spoken(captions, seated("nora", room)).stream.pause()
    try:
        assert captioner.turn()
        time.sleep(0.3)
        with pytest.raises(SystemExit):
            captioner.turn()
    finally:
        go_on.set()
    assert actions.free_rooms([]) == [room.pk]
    assert CaptionedRoom.objects.get().room_id == room.pk
