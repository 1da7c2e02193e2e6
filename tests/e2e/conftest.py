"""Real Chromium on the site's real processes, with its files as production serves them: hashed and compressed."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.e2e.browser import Chromium
from tests.support.processes import LogTail, Site


def watched(site: Site) -> Generator[Site]:
    """A site in whose web process nothing may fail by a fault of ours: its log is looked at afterwards."""
    log = LogTail(site.log("web"))
    yield site
    log.assert_no_failure()


class Driver:
    """Playwright and the plain browser, which are kept for all files of a run.

    Playwright's event loop never ends: it waits, in a greenlet of this thread, for the next call. Tests that are not
    about browsers run loops of their own in the thread, so it counts as running only within `at_work`.
    """

    def __init__(self, playwright: Playwright) -> None:
        self.playwright = playwright
        self.plain: list[Browser] = []
        self.loop = asyncio.get_running_loop()

    @contextmanager
    def at_work(self) -> Generator[None]:
        asyncio._set_running_loop(self.loop)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def driver() -> Generator[Driver]:
    # Two browsers, a site and Whisper may share two cores; what must be quick says so where it is asserted.
    expect.set_options(timeout=15_000)
    driver = Driver(sync_playwright().start())
    asyncio._set_running_loop(None)
    yield driver
    with driver.at_work():
        for browser in driver.plain:
            browser.close()
        driver.playwright.stop()


@pytest.fixture(scope="module")
def playwright(driver: Driver) -> Generator[Playwright]:
    with driver.at_work():
        yield driver.playwright


@pytest.fixture
def chromium(playwright: Playwright, driver: Driver, web: Site) -> Generator[Chromium]:
    """Browsers by the person who sits before them. What a page complains of in its console fails the test."""
    browsers = Chromium(playwright, web.url, driver.plain)
    yield browsers
    browsers.close()
    assert not browsers.complaints, "\n".join(browsers.complaints)
