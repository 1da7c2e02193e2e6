"""Workers to be killed: each purges what is due in a process of its own, which dies at a place that is named.

python -m tests.retention.purger

Reads lines of JSON: a list of workers that run at once, each a list of the moment and, to die, MODULE:FUNCTION,
"before" or "after", and the number of the call. Answers with a list of [exit status, output] for each line. Every
worker is a fork of this process, which has loaded the site and opened no connection: loading it takes two seconds.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(target: str, when: str, count: int) -> None:
    """Put death before or after the `count`-th call of a function."""
    module, name = target.split(":")
    place = importlib.import_module(module)
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

    setattr(place, name, wrapped)


def sweep(now: str, *where: Any) -> None:
    from retention import purge

    if where:
        deadly(*where)
    swept = purge.sweep(datetime.fromisoformat(now))
    sys.stdout.write(f"{len(swept.purged)} {len(swept.failed)}\n")


def begin(worker: list[Any], output: int) -> int:
    """Fork a worker that writes to a file; return its process' number."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        sweep(*worker)
        sys.stdout.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


def work(workers: list[list[Any]]) -> list[tuple[int, str]]:
    """Run workers at once; return exit status, negative for a signal, and output of each."""
    ended = []
    with ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _worker in workers]
        pids = [begin(worker, output.fileno()) for worker, output in zip(workers, outputs, strict=True)]
        for pid, output in zip(pids, outputs, strict=True):
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            output.seek(0)
            ended.append((status, output.read().decode()))
    return ended


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    importlib.import_module("retention.purge")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(work(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
