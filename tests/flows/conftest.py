"""The beginning of stories in browsers: a room and its moderator."""

from __future__ import annotations

import pytest

from rooms.models import Room
from tests.e2e.browser import Chromium
from tests.flows.console import Console
from tests.support.cases import staff
from tests.support.recordings import talked_room
from tests.support.rooms import published


@pytest.fixture
def room(web: object) -> Room:
    """Fifty seconds of recorded speech by three people, transcribed and published."""
    return published(talked_room())


@pytest.fixture
def mara(chromium: Chromium) -> Console:
    return Console(chromium, staff("moderator", "mara"))
