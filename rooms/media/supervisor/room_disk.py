"""A room's folders on the disk and in memory. Either may hang at any moment, so each is used in a lane of the room."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from core.lane import Lane
from rooms.media.ffmpeg.folders import keep_list, make_folders, written_at
from rooms.recording import store, track_memory
from rooms.recording.hls import window

log = logging.getLogger(__name__)


@dataclass
class RoomDisk:
    """Access to a room's files, however often its studio is built: its lanes, and the number of its last run."""

    pk: int
    lane: Lane
    memory: Lane  # the same for WINDOW_DIR
    run: int | None = None  # None where it is not known
    _missing_links_logged: bool = False  # said once: the list cannot get its second name

    @classmethod
    def of(cls, pk: int) -> RoomDisk:
        """Make one for a room, with lanes of its own."""
        return cls(pk, Lane(f"disk of room {pk}"), Lane(f"memory of room {pk}"))

    def look_after_recording(self, playlist: Path | None) -> float | None:
        """Make folders, move tracks on from memory, give the list its second name; returns when it was written.
        To be called in the disk's lane, each second."""
        make_folders(self.pk)
        try:
            track_memory.drain(self.pk)
        except OSError as error:  # a disk that is full: the tracks wait in memory
            log.warning("room %s: its tracks wait: %s", self.pk, error)
        if playlist is None:
            return None
        try:
            keep_list(playlist)
        except OSError as error:  # a file system without hard links: the recording goes on without
            if not self._missing_links_logged:
                log.warning("room %s: its playlist gets no second name: %s", self.pk, error)
            self._missing_links_logged = True
        return written_at(playlist)

    def look_after_window(self, playlist: Path | None) -> float | None:
        """Make the folder in memory, while nothing is recorded; returns when the list was written."""
        window.make(self.pk)
        return None if playlist is None else written_at(playlist)


async def clear_tracks(pk: int, lane: Lane) -> None:
    """Move the tracks of a room that is over from memory to the disk. Raises OSError."""

    def clear() -> None:
        purged = not store.folder(pk).exists()
        if purged or track_memory.drain(pk):
            track_memory.remove(pk)

    await lane.run(clear)
