"""The beginning of stories in browsers: a room and its moderator."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from rooms.models import Room
from tests.e2e.browser import Chromium
from tests.flows.console import Reviews
from tests.support.cases import staff
from tests.support.processes import LogTail, Site
from tests.support.recordings import talked_room
from tests.support.rooms import published
from tests.support.shared_site import shared_site


@pytest.fixture
def room(web: object) -> Room:
    """Fifty seconds of recorded speech by three people, transcribed and published."""
    return published(talked_room())


@pytest.fixture
def mara(chromium: Chromium) -> Reviews:
    return Reviews(chromium, staff("moderator", "mara"))


@pytest.fixture
def nils(chromium: Chromium) -> Reviews:
    return Reviews(chromium, staff("moderator", "nils"))


@pytest.fixture
def telling_site(request: pytest.FixtureRequest, static_files: None, transactional_db: None) -> Generator[Site]:
    """The shared site with a worker, which tells people what was decided. Nothing in a log may be a failure of ours."""
    site = shared_site("web", "work", file=request.path)
    logs = [LogTail(site.log(name)) for name in ("web", "work")]
    yield site
    site.take_back()
    for log in logs:
        log.assert_no_failure()
