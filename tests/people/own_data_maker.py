"""Workers to be killed: each makes an own-data download in a process of its own (`tests.support.killed`).

python -m tests.people.own_data_maker
"""

import sys

from tests.support.killed import serve, set_up


def make(pk: int) -> None:
    """Make a download, and write whether it is ready."""
    from people.own_data import making

    sys.stdout.write(f"{making.make(pk)}\n")


if __name__ == "__main__":
    set_up("people.own_data.making")
    serve(make)
