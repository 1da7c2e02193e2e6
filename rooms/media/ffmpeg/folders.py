"""A room's folders, and the files in them that are ours and not ffmpeg's."""

from __future__ import annotations

from pathlib import Path

from rooms.recording import store


def make_folders(pk: int) -> None:
    """On the disk: private to us and the web server's group."""
    for folder in (store.folder(pk), store.hls_folder(pk), store.tracks_folder(pk)):
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)


def keep_list(playlist: Path) -> None:
    """Give the recorder's playlist a second name. ffmpeg puts a new file in its place each second: on a full disk an
    empty one, so that the list of all that was recorded would be lost. The second name costs no space.

    Raises OSError on file systems without hard links.
    """
    if not playlist.exists():
        return
    kept, new = store.kept_path(playlist), playlist.with_suffix(".keep")
    new.unlink(missing_ok=True)
    new.hardlink_to(playlist)
    if kept.exists() and kept.stat().st_size >= new.stat().st_size:
        new.unlink()
    else:
        new.replace(kept)


def written_at(playlist: Path) -> float | None:
    """When a playlist was last written, in seconds since 1970; None where there is none."""
    try:
        return playlist.stat().st_mtime
    except FileNotFoundError:
        return None


def last_run(folder: Path) -> int:
    """The highest number of a recorder's or window's start that left a file in a folder; -1 where none did."""
    names = [path.name.partition("-")[0] for path in folder.glob("*-init.mp4")]
    names += [path.stem for path in folder.glob("*.m3u8")]
    return max((int(name) for name in names if name.isdigit()), default=-1)
