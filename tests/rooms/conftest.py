"""Fixtures of the tests of rooms: the site's web process, for tests over real sockets."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.support.processes import LogTail, Site


@pytest.fixture
def web(site: Site) -> Generator[Site]:
    """Daphne, as in production. Whatever a test does to it, nothing in its log may be a failure of ours."""
    site.start("web")
    log = LogTail(site.log("web"))
    yield site
    log.assert_no_failure()
