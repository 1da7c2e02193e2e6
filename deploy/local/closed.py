"""Closes a checkout's folder to the machine's other users: secrets, databases, recordings, mails and logs are in it."""

import os
import stat
from pathlib import Path

UMASK = 0o077
# Root runs PostgreSQL as another user, which passes through to a folder of its own and can list nothing.
FOLDER = 0o711 if os.geteuid() == 0 else 0o700
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def close(folder: Path) -> None:
    """Make the folder and close it; what an older version left open in it is closed as well, to the last file."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(FOLDER)
    for path in folder.iterdir():
        # A folder that is closed already was so when all in it was made. Links lead to what is not ours to close.
        if path.is_symlink() or not path.lstat().st_mode & OTHERS:
            continue
        if path.is_dir():
            _close_tree(path)
        elif path.is_file():
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)


def _close_tree(top: Path) -> None:
    for place, folders, files in os.walk(top, topdown=False):  # its own mode last: a killed run is gone on with
        for name in (*files, *folders):
            path = Path(place, name)
            if not path.is_symlink() and not path.is_socket():
                path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
    top.chmod(0o700)
