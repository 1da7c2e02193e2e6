"""Another user of the machine: `nobody`, who really tries."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from tests.support.root import as_root

# Read or list what is named on stdin, one path a line; tell what worked.
TRY = """
import os, sys
got = []
for path in sys.stdin.read().splitlines():
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            with open(path, "rb") as file:
                file.read(1)
        got.append(path)
    except OSError:
        pass
    if os.access(path, os.W_OK):
        got.append(path + " (writable)")
print(chr(10).join(got))
"""
PYTHON = next(path for path in ("/usr/bin/python3", sys.executable) if Path(path).exists())


def run_as(user: str, program: str, *words: str, given: str = "") -> str:
    """Run a Python program as another user, with the standard library alone, and return its output."""
    become = ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups", "--"]
    return as_root(*become, PYTHON, "-c", program, *words, given=given, cwd="/")


def as_other(user: str, paths: list[str]) -> list[str]:
    """Which of these paths the user can read or list, or write."""
    return [line for line in run_as(user, TRY, given="\n".join(paths)).split("\n") if line]


def open_by_mode(folder: Path) -> list[str]:
    """Paths in a folder that modes leave open to somebody else."""
    found = []
    for place, folders, files in os.walk(folder):
        for name in list(folders):
            if not Path(place, name).lstat().st_mode & stat.S_IXOTH:
                folders.remove(name)  # nobody gets further than this
        paths = [Path(place, name) for name in (*folders, *files)]
        found += [str(path) for path in paths if not path.is_symlink() and path.lstat().st_mode & 0o006]
    return found


def within(folder: Path) -> list[str]:
    """All that is in a folder, itself included."""
    return [str(folder), *(str(path) for path in folder.rglob("*") if not path.is_symlink() and not path.is_socket())]


def readable(folder: Path) -> list[str]:
    """List the paths in a folder that another user can read or write."""
    return as_other("nobody", within(folder))
