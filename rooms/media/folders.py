"""A room's folders, and the files in them that are ours and not ffmpeg's."""

from __future__ import annotations

from pathlib import Path

from rooms.recording import store, window


def make_folders(pk: int, recording: bool) -> None:
    """Private to us and the web server's group. Nothing is made on a disk that is full."""
    if not recording:
        window.make(pk)
        return
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


def next_run(pk: int) -> int:
    """The number of a recorder's or a window's start: one above all that left a file."""
    folders = (store.hls_folder(pk), store.window_folder(pk))
    names = [path.name.partition("-")[0] for folder in folders for path in folder.glob("*-init.mp4")]
    names += [path.stem for folder in folders for path in folder.glob("*.m3u8")]
    runs = [int(name) for name in names if name.isdigit()]
    return max(runs, default=-1) + 1
