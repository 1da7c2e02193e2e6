"""Networks that fail, for one browser: the process in which Chromium has all its sockets is stopped, or killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import Browser, BrowserContext

from tests.support.waiting import wait_until

SERVICE = b"--utility-sub-type=network.mojom.NetworkService"


@contextmanager
def no_packets(browser: Browser) -> Iterator[None]:
    """Let nothing out of a browser or into it, and leave its connections as they are: as in a tunnel. Its pages run
    on, and are not told."""
    with _stopped([_service(_processes(browser, "browser")[0])]):
        yield


@contextmanager
def other_network(context: BrowserContext) -> Iterator[None]:
    """End every connection of a context's browser; its pages stand still meanwhile. As where a phone sleeps and wakes
    up in another network: the kernel ends what TCP has, of UDP nobody is told."""
    browser = context.browser
    assert browser is not None
    cookies = context.cookies()
    main = _processes(browser, "browser")[0]
    lost = _service(main)
    with _stopped(_processes(browser, "renderer")):
        os.kill(lost, signal.SIGKILL)
        # Chromium starts another by itself, without the cookies of a private window.
        wait_until(lambda: [pid for pid in _services(main) if pid != lost], 60, "another process with the network")
        context.add_cookies(cast(Any, cookies))
        yield


@contextmanager
def _stopped(pids: Iterable[int]) -> Iterator[None]:
    pids = list(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _processes(browser: Browser, kind: str) -> list[int]:
    """Process ids of a kind, as Chromium calls it."""
    session = browser.new_browser_cdp_session()
    told = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return [int(process["id"]) for process in told if process["type"] == kind]


def _service(main: int) -> int:
    [pid] = _services(main)
    return pid


def _services(main: int) -> list[int]:
    """Process ids of what has the network of a browser; one that is still ending counts no more."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == main and SERVICE in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found
