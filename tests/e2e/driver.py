"""Playwright, started once for all files of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, expect, sync_playwright


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


@contextmanager
def running_driver() -> Generator[Driver]:
    """Start Playwright, and stop it with the plain browser."""
    # Two browsers, a site and Whisper may share two cores; what must be quick says so where it is asserted.
    expect.set_options(timeout=15_000)
    driver = Driver(sync_playwright().start())
    asyncio._set_running_loop(None)
    yield driver
    with driver.at_work():
        for browser in driver.plain:
            browser.close()
        driver.playwright.stop()
