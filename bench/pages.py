"""Requests, bytes and processor time of a page, with its files joined and as they lie.

    python bench/pages.py [--loads 20] [--rounds 2] [--pages room home queue]

A web process of ours (with PostgreSQL and Redis of its own) and a Chromium that loads each page `--loads` times with
nothing in its cache, until the page says that it is ready. The plain way is the same site with the storage that only
hashes and compresses (bench/unjoined.py); rounds take turns. Bytes are those that the network carried, heads included;
Chromium's processor time is that of all its processes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import ROOT, a_room, cpu, load, site
from tests.support.processes import Site

if TYPE_CHECKING:
    from people.models import User
    from tests.e2e.browser import Chromium

PAGES = ("room", "home", "queue")
WAYS = {"joined": "config.settings", "plain": "bench.unjoined"}
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Page:
    """A page to load: who asks for it, where it is, what is there when it is ready."""

    path: str
    user: User | None
    ready: str


@dataclass
class Load:
    """One load of a page, with an empty cache."""

    requests: int
    transferred: int  # bytes
    seconds: float
    web: float  # processor seconds
    browser: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES))
    options = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop and Django share this thread
    with site() as (running, _parts):
        for settings in WAYS.values():
            command = [sys.executable, str(ROOT / "manage.py"), "collectstatic", "--no-input", "--verbosity", "0"]
            subprocess.run(command, env={**os.environ, "DJANGO_SETTINGS_MODULE": settings}, check=True)
        measure(running, options)


def measure(running: Site, options: argparse.Namespace) -> None:
    from playwright.sync_api import sync_playwright

    from tests.e2e.browser import Chromium

    pages = {name: page for name, page in those_pages().items() if name in options.pages}
    found: dict[tuple[str, str], list[Load]] = {}
    with sync_playwright() as playwright:
        chromium = Chromium(playwright, running.url)
        for _round in range(options.rounds):
            for way, settings in WAYS.items():
                running.stop("web")
                running.start("web", DJANGO_SETTINGS_MODULE=settings)
                for name, page in pages.items():
                    one_load(chromium, running, page)  # modules and templates are read
                    loads = [one_load(chromium, running, page) for _load in range(options.loads)]
                    found.setdefault((name, way), []).extend(loads)
                print(f"{way} done; {load()}", flush=True)
        chromium.close()
    show(found, pages, options.loads)


def those_pages() -> dict[str, Page]:
    from django.contrib.auth.models import Group

    from people.groups import MODERATORS
    from tests.support.people import person

    _pk, slug = a_room()
    moderator = person("mod", is_staff=True)
    moderator.groups.set(Group.objects.filter(name=MODERATORS))
    return {
        "room": Page(f"/r/{slug}/", None, '[data-do="share"]:not([disabled])'),
        "home": Page("/", None, "main h1"),
        "queue": Page("/admin/moderation/case/", moderator, "[data-queue-part]"),
    }


def one_load(chromium: Chromium, running: Site, page: Page) -> Load:
    """Load a page in a window without a cache."""
    context = chromium.context(page.user)
    window = context.new_page()
    session = context.new_cdp_session(window)
    asked: set[str] = set()
    transferred = [0]
    session.on("Network.requestWillBeSent", lambda event: asked.add(event["requestId"]))
    session.on("Network.loadingFinished", lambda event: add(transferred, event))
    session.send("Network.enable")
    before, web, began = processes(), cpu(running.running["web"].pid), time.monotonic()
    window.goto(chromium.url + page.path)
    window.wait_for_selector(page.ready, state="attached")
    window.wait_for_load_state("load")
    seconds = time.monotonic() - began
    spent = sum(now - before.get(pid, 0) for pid, now in processes().items())
    web = cpu(running.running["web"].pid) - web
    context.close()
    return Load(len(asked), transferred[0], seconds, web, spent)


def add(transferred: list[int], event: dict[str, Any]) -> None:
    transferred[0] += int(event["encodedDataLength"])


def processes() -> dict[int, float]:
    """Return the processor seconds of each process of the browser."""
    parents, seconds, names = {}, {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            head, _, rest = (folder / "stat").read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        fields, pid = rest.split(), int(folder.name)
        parents[pid], names[pid] = int(fields[1]), head.partition("(")[2]
        seconds[pid] = (int(fields[11]) + int(fields[12])) / TICK
    return {pid: seconds[pid] for pid in seconds if names[pid].startswith("chrom") and is_ours(pid, parents)}


def is_ours(pid: int, parents: dict[int, int]) -> bool:
    """Whether a process descends from this one."""
    while pid in parents:
        if pid == os.getpid():
            return True
        pid = parents[pid]
    return False


def show(found: dict[tuple[str, str], list[Load]], pages: dict[str, Page], loads: int) -> None:
    columns: list[tuple[str, Callable[[Load], float]]] = [
        ("requests", lambda one: one.requests),
        ("KB", lambda one: one.transferred / 1000),
        ("ms", lambda one: one.seconds * 1000),
        ("web ms", lambda one: one.web * 1000),
        ("browser ms", lambda one: one.browser * 1000),
    ]
    print(f"medians of a load ({loads} a round, nothing in the cache); {load()}")
    print(f"{'':<16}" + "".join(f"{name:>12}" for name, _of in columns))
    for page in pages:
        middle = {way: [median(map(of, found[page, way])) for _name, of in columns] for way in WAYS}
        for way in WAYS:
            print(f"{page:<8}{way:<8}" + "".join(f"{value:>12.1f}" for value in middle[way]))
        print(f"{page:<8}{'ratio':<8}" + "".join(f"{a / b:>12.2f}" for a, b in zip(*middle.values(), strict=True)))


if __name__ == "__main__":
    main()
