"""`manage.py listen`: what it heard is in its file, whatever becomes of the site and of the room."""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from rooms import actions
from rooms.guests import peers
from rooms.models import Room
from tests.support.processes import Site
from tests.support.waiting import wait_until

WITHIN = 60.0  # seconds


@pytest.fixture
def sounding(site: Site, room: Room) -> Site:
    return site.start("web", "media", STATIC_FILES="source")


class Listening:
    """The command in a process of its own."""

    def __init__(self, site: Site, room: Room, out: Path, path: str) -> None:
        self.out = out
        words = ["listen", room.slug, "--out", str(out), "--path", path, "--seconds", "600", "--site", site.url]
        command = [sys.executable, "manage.py", *words]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=pipe, stderr=pipe, text=True)

    def seconds(self) -> float:
        """How much can be played at this moment."""
        if not self.out.exists() or self.out.stat().st_size < 1000:
            return 0.0
        with wave.open(str(self.out), "rb") as file:
            return file.getnframes() / file.getframerate()

    def hears_on(self) -> None:
        before = self.seconds()
        wait_until(lambda: self.seconds() > before + 1, WITHIN, "more sound in the file")


@pytest.fixture(params=["hls", "webrtc"])
def listening(sounding: Site, room: Room, tmp_path: Path, request: pytest.FixtureRequest) -> Generator[Listening]:
    one = Listening(sounding, room, tmp_path / "heard.wav", request.param)
    yield one
    one.process.kill()
    one.process.wait()


def test_it_waits_for_the_site_and_ends_with_the_room(sounding: Site, room: Room, listening: Listening) -> None:
    listening.hears_on()
    sounding.kill("web")
    wait_until(lambda: sounding.status("/healthz") == 0, WITHIN, "no site")
    heard = listening.seconds()
    assert listening.process.poll() is None and heard > 1
    sounding.start("web", STATIC_FILES="source")
    listening.hears_on()
    actions.end_room(room.pk, room.host)
    said, wrong = listening.process.communicate(timeout=WITHIN)
    assert listening.process.returncode == 0, wrong
    assert said.strip() == f"{listening.seconds():.1f} s in {listening.out}" and listening.seconds() > heard


def test_a_wave_file_can_be_played_at_any_moment(tmp_path: Path) -> None:
    file = peers.WaveFile(tmp_path / "some.wav")
    file.add(np.zeros(0, np.int16))
    assert not file.path.exists(), "nothing was heard yet"
    for count in (1, 2, 3):
        file.add(np.full(peers.RATE, count, np.int16))
        with wave.open(str(file.path), "rb") as found:
            assert found.getnframes() == count * peers.RATE
    file.close()
    with wave.open(str(file.path), "rb") as found:
        assert np.frombuffer(found.readframes(peers.RATE * 3), np.int16)[-1] == 3
