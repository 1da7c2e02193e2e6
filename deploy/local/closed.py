"""Permissions of a checkout's folder: closed to other users, because it has secrets, databases, recordings and logs."""

import os
import stat
from pathlib import Path

UMASK = 0o077
# As root, PostgreSQL runs as another user, which must be able to pass through (not list) to its own folder.
FOLDER = 0o711 if os.geteuid() == 0 else 0o700
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def close(folder: Path) -> None:
    """Make the folder and close it to other users, with everything an older version left open in it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(FOLDER)
    for path in folder.iterdir():
        # Files in a closed folder were made while it was closed. Links may lead to files that are not ours.
        if path.is_symlink() or not path.lstat().st_mode & OTHERS:
            continue
        if path.is_dir():
            _close_tree(path)
        elif path.is_file():
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)


def _close_tree(top: Path) -> None:
    for place, folders, files in os.walk(top, topdown=False):  # own mode last: a killed run is repeated
        for name in (*files, *folders):
            path = Path(place, name)
            if not path.is_symlink() and not path.is_socket():
                path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
    top.chmod(0o700)
