"""A worker to be killed: purges what is due in a process of its own, which dies at a place that is named.

python -m tests.retention.purger NOW [MODULE:FUNCTION before|after COUNT]
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable
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


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from retention import purge

    if sys.argv[2:]:
        deadly(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    swept = purge.sweep(datetime.fromisoformat(sys.argv[1]))
    sys.stdout.write(f"{len(swept.purged)} {len(swept.failed)}\n")


if __name__ == "__main__":
    main()
