"""Workers to be killed: each purges what is due in a process of its own (`tests.support.killed`).

python -m tests.retention.purger
"""

import sys
from datetime import datetime

from tests.support.killed import serve, set_up


def sweep(now: str) -> None:
    """Purge what is due at a moment, and write how many were purged and failed."""
    from retention import purge

    swept = purge.sweep(datetime.fromisoformat(now))
    sys.stdout.write(f"{len(swept.purged)} {len(swept.failed)}\n")


if __name__ == "__main__":
    set_up("retention.purge")
    serve(sweep)
