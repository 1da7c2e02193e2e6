"""Fixtures of the tests of rooms: the site's web process, for tests over real sockets."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.support.processes import Site


@pytest.fixture
def web(site: Site) -> Generator[Site]:
    """Daphne, as in production. Whatever a test does to it, nothing in its log may be a failure of ours."""
    site.start("web")
    before = site.log("web").stat().st_size
    yield site
    text = site.log("web").read_text(errors="replace")[before:]
    assert "Traceback" not in text, text[-4000:]
