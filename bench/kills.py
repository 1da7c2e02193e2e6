"""Interruptions of sound and service when a part of the site is killed while a room is live.

    python bench/kills.py [--rounds 3] [--pages]

A site of ours under its real process manager, which alone starts again what dies. Three speak (real WebRTC by aiortc),
one listens near, one by HLS, and the host's page says its verbs; then each part in turn gets kill -9 (the recorder that
hangs a SIGSTOP). It is the story of tests/rooms/media/test_kills.py, and what that demands is demanded here: no mute is
heard, and the finished recording lacks the printed gaps and nothing else. With `--pages` two Chromiums listen too, one
by WebRTC, one by HLS, and are never reloaded.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import load, site

EARS = Path(__file__).with_name("ears.js")
MAY_START = "--autoplay-policy=no-user-gesture-required"
CAUGHT_UP = 8.0  # seconds until a player of HLS has come past what was missing
FIRST_SOUND = 40_000  # ms
PATHS = ("near", "far")


class Pages:
    """Two listeners in Chromium, in a thread of their own because Playwright needs its own event loop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.thread = ThreadPoolExecutor(1)
        self.pages: dict[str, Any] = {}

    async def do(self, work: Callable[..., Any], *values: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work, *values)

    def open(self, path: str) -> None:
        """Open both pages and wait until both play sound."""
        from playwright.sync_api import sync_playwright

        from tests.e2e.browser import Chromium
        from tests.e2e.test_sound import NO_WAY

        self.playwright = sync_playwright().start()
        self.chromium = Chromium(self.playwright, self.url)
        browser = self.chromium.launch(MAY_START)
        for name in PATHS:
            context = self.chromium.context(browser=browser, bypass_csp=True)
            context.add_init_script(path=EARS)
            if name == "far":
                context.add_init_script(NO_WAY)
            page = self.pages[name] = context.new_page()
            page.goto(self.url + path)
            page.evaluate("() => (window.neverReloaded = true)")
        for page in self.pages.values():
            page.wait_for_function("() => bench.heard.length > 0", timeout=FIRST_SOUND)

    def silent(self, since: float) -> dict[str, float]:
        """Return the longest silence of each page since `since`, in seconds."""
        return {name: self._silent(page, since) for name, page in self.pages.items()}

    def _silent(self, page: Any, since: float) -> float:
        began, ended, same = page.evaluate("() => [bench.heard, bench.ended, window.neverReloaded === true]")
        assert same, "the page was loaded again"
        now = time.time() * 1000
        pauses = [min([at for at in began if at > end] or [now]) - end for end in ended if end > since * 1000 - 500]
        return max(pauses, default=0.0) / 1000

    def close(self) -> None:
        self.chromium.close()
        self.playwright.stop()


async def story(company: Any, managed: Any, rounds: int, pages: Pages | None) -> tuple[list[Any], dict[str, list[Any]]]:
    """Run every kill `rounds` times; return the observations, and the silences of the pages."""
    from tests.rooms.media import kills

    seen: list[Any] = []
    silent: dict[str, list[Any]] = {}
    async with company.together():
        if pages:
            await pages.do(pages.open, company.room.get_absolute_url())
        for _round in range(rounds):
            for name, kill in kills.kills(managed).items():
                seen.append(await kills.suffer(company, managed, name, kill))
                if pages:
                    await asyncio.sleep(CAUGHT_UP)
                    silent.setdefault(name, []).append(await pages.do(pages.silent, seen[-1].at))
                print(f"{seen[-1].line()}   {silent.get(name, [''])[-1]}   {load()}", flush=True)
                kills.check(seen[-1])
        await asyncio.sleep(1.5)
        await company.say("end")
        await company.until(lambda: company.near.over, "the end is told", 5)
    return seen, silent


def table(seen: list[Any], silent: dict[str, list[Any]]) -> None:
    """Print median and worst of each kill."""
    heads = ["near silent", "far waits", "verbs again", "recording", "by ear"]
    heads += [f"page {path}" for path in PATHS] if silent else []
    print(f"\n{'killed':<26}" + "".join(f"{head:>14}" for head in heads))
    for name in dict.fromkeys(one.name for one in seen):
        these = [one for one in seen if one.name == name]
        values = [[getattr(one, word) for one in these] for word in ("near", "far", "verbs", "missing", "by_ear")]
        values += [[one[path] for one in silent[name]] for path in PATHS] if silent else []
        print(f"{name:<26}" + "".join(f"{f'{median(each):.1f}; {max(each):.1f} s':>14}" for each in values))


def measure(managed: Any, rounds: int, with_pages: bool) -> None:
    from rooms.models import Recording
    from rooms.recording import store
    from tests.rooms.media import kills
    from tests.rooms.media.company import Company, signed_in
    from tests.support.rooms import open_room
    from tests.support.waiting import wait_until

    room = open_room()
    company = Company(managed.url, room, signed_in(managed.url, room))
    pages = Pages(managed.url) if with_pages else None
    try:
        seen, silent = asyncio.run(story(company, managed, rounds, pages))
    finally:
        if pages:
            pages.thread.submit(pages.close).result()
    kills.lena_was_silent(company)
    wait_until(lambda: Recording.objects.filter(room=room, state=Recording.State.READY).exists(), 60, "the recording")
    mix = kills.Mix(room, store.mix_path(room.pk))
    kills.listen(company, seen, mix)
    table(seen, silent)
    missing, unheard = sum(one.missing for one in seen), sum(one.by_ear for one in seen)
    print(f"\nrecording of {mix.seconds:.0f} s: {missing:.1f} s said to be missing, {unheard:.1f} s by ear; {load()}")
    kills.judge(company, seen, mix)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", action="store_true")
    options = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with site() as (running, parts):
        from tests.support.managed import Managed

        running.stop("web")
        managed = Managed(parts)
        try:
            managed.start()
            measure(managed, options.rounds, options.pages)
        finally:
            managed.stop()


if __name__ == "__main__":
    main()
