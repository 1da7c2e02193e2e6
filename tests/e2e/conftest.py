"""Real Chromium on the site's real processes, with its files as production serves them: hashed and compressed."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.e2e.browser import Chromium
from tests.support.processes import LogTail, Site


def watched(site: Site) -> Generator[Site]:
    """A site in whose web process nothing may fail by a fault of ours: its log is looked at afterwards."""
    log = LogTail(site.log("web"))
    yield site
    log.assert_no_failure()


@pytest.fixture(scope="module")
def playwright() -> Generator[Playwright]:
    # Two browsers, a site and Whisper may share two cores; what must be quick says so where it is asserted.
    expect.set_options(timeout=15_000)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def shared(playwright: Playwright) -> Generator[list[Browser]]:
    """The plain browser of a file's tests; each has contexts of its own in it."""
    browsers: list[Browser] = []
    yield browsers
    for browser in browsers:
        browser.close()


@pytest.fixture
def chromium(playwright: Playwright, shared: list[Browser], web: Site, tmp_path: Path) -> Generator[Chromium]:
    """Browsers by the person who sits before them. What a page complains of in its console fails the test."""
    browsers = Chromium(playwright, web.url, shared)
    yield browsers
    browsers.close()
    assert not browsers.complaints, "\n".join(browsers.complaints)
