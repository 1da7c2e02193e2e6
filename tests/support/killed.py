"""Processes that are killed in the middle of an act, at a place that is named: forks of one that has loaded the site.

A module that has an act ends with `serve(act)`, and is run by `running(module)`. It reads lines of JSON: a list of
workers that run at once, each the arguments of the act and the place to die, `[]` or [MODULE:FUNCTION, "before" or
"after", the number of the call]. It answers with a list of [exit status, output] for each line. Loading the site takes
two seconds, and a fork opens a connection of its own.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

Place = tuple[str, str, int]


class Workers:
    """The process whose forks act and are killed."""

    def __init__(self, module: str) -> None:
        line = [sys.executable, "-m", module]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, *workers: tuple[Sequence[object], Place | tuple[()]]) -> list[tuple[int, str]]:
        """Have workers run at once; return exit status, -9 where it was killed, and output of each."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(workers) + "\n")
        self.process.stdin.flush()
        return [(status, output) for status, output in json.loads(self.process.stdout.readline())]


@contextmanager
def running(module: str) -> Iterator[Workers]:
    """Start the process, and end it."""
    workers = Workers(module)
    yield workers
    assert workers.process.stdin is not None
    workers.process.stdin.close()
    assert workers.process.wait(60) == 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(target: str, when: str, count: int) -> None:
    """Put death before or after the `count`-th call of a function, or of a method: MODULE:CLASS.NAME."""
    module, _colon, path = target.partition(":")
    place: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        place = getattr(place, each)
    is_bound = isinstance(inspect.getattr_static(place, name), classmethod | staticmethod)
    real: Callable[..., Any] = getattr(place, name)
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if when == "before" and calls == count:
            die()
        answer = real(*args, **kwargs)
        if when == "after" and calls == count:
            die()
        return answer

    setattr(place, name, staticmethod(wrapped) if is_bound else wrapped)


def begin(act: Callable[..., object], values: Sequence[Any], where: Sequence[Any], output: int) -> int:
    """Fork a worker that writes to a file; return its process' number."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        if where:
            deadly(*where)
        act(*values)
        sys.stdout.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


def work(act: Callable[..., object], workers: Sequence[Any]) -> list[tuple[int, str]]:
    """Run workers at once; return exit status, negative for a signal, and output of each."""
    ended = []
    with ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _worker in workers]
        pairs = zip(workers, outputs, strict=True)
        pids = [begin(act, values, where, output.fileno()) for (values, where), output in pairs]
        for pid, output in zip(pids, outputs, strict=True):
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            output.seek(0)
            ended.append((status, output.read().decode()))
    return ended


def set_up(*modules: str) -> None:
    """Load the site, and modules of it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    for module in modules:
        importlib.import_module(module)


def serve(act: Callable[..., object]) -> None:
    """Do what standard input says, until it ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(work(act, json.loads(line))) + "\n")
        sys.stdout.flush()
