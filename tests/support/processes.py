"""The site's own processes for a test: the same command lines that script/server uses, on the test run's database."""

import asyncio
import functools
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from deploy.local.process import CannotStart, start, wait_for
from deploy.local.programs import ALIVE, command
from tests.support.services import services


@functools.cache
def kept_redis() -> redis.Redis:
    """A client for what is asked twenty times a second: a new one costs forty times what the question does."""
    return redis.Redis.from_url(settings.REDIS_URL)


class LogTail:
    """The part of a process' log that is written from now on: earlier tests may have left failures in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begins = path.stat().st_size if path.exists() else 0

    def text(self) -> str:
        """Return what was written since then."""
        return self.path.read_bytes()[self.begins :].decode(errors="replace")

    def assert_no_failure(self) -> None:
        """Fail where a traceback was logged, showing what stands around it."""
        text = self.text()
        where = text.find("Traceback")
        assert where < 0, text[max(0, where - 500) : where + 3000]


class Site:
    """Processes by name: web (Daphne), media (the supervisor), work, speech and beat (Celery)."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.logs.mkdir(exist_ok=True, mode=0o700)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.made_sound = False  # whether a supervisor ran

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://localhost:{settings.PORT}"

    @property
    def ws_url(self) -> str:
        """Where the WebSockets are."""
        return f"ws://localhost:{settings.PORT}"

    def start(self, *names: str, **env: str) -> "Site":
        """Start these processes, with settings of their own where given, and wait until each is at work."""
        for name in names:
            self.running[name] = start(command(name, settings.PORT), self.log(name), {**os.environ, **env})
        self.made_sound |= "media" in names
        for name in names:
            process = self.running[name]
            try:
                wait_for(name, lambda name=name: self.at_work(name), lambda process=process: process.poll() is None)  # type: ignore[misc]
            except CannotStart as error:
                raise CannotStart(f"{error}:\n{self.log(name).read_text(errors='replace')[-4000:]}") from error
        return self

    def at_work(self, name: str) -> bool:
        """Whether a process does its work: web answers, the others write their sign of life."""
        if name == "web":
            return self.status("/healthz") == 200
        return bool(kept_redis().exists(settings.REDIS_PREFIX + ALIVE[name]))

    def status(self, path: str) -> int:
        """The HTTP status of a page; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def kill(self, name: str) -> None:
        """End a process without warning, as a crash would."""
        process = self.running.pop(name)
        process.kill()
        process.wait()
        if name in ALIVE:
            kept_redis().delete(settings.REDIS_PREFIX + ALIVE[name])

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self.logs / f"{name}.log"

    def stop(self, *names: str) -> None:
        """End these processes (all, unless named), at once, and wait until they are gone."""
        processes = [self.running.pop(name) for name in names or tuple(reversed(self.running))]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(8.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def watched(site: Site) -> Generator[Site]:
    """A site in whose web process nothing may fail by a fault of ours: its log is looked at afterwards."""
    log = LogTail(site.log("web"))
    yield site
    log.assert_no_failure()


def silence(site: Site) -> None:
    """Let go of the rooms that a supervisor left in Janus, which would mix them for as long as it runs."""
    if site.made_sound:
        services().restart("janus")
        site.made_sound = False


_hands = ThreadPoolExecutor(1)


async def by_hand(work: Callable[..., Any], *args: Any) -> Any:
    """Start or kill processes beside the event loop. What is started dies with its thread: this one stays."""
    return await asyncio.get_running_loop().run_in_executor(_hands, work, *args)
