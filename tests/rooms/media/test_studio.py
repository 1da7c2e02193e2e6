"""A room's children end whatever Janus says, and a playlist that gets no second name stops nothing."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from rooms.media.ffmpeg import folders
from rooms.media.ffmpeg.ports import NoPort
from rooms.media.janus import bridge as audiobridge
from rooms.media.janus import mountpoint as streaming
from rooms.media.janus.client import Janus, JanusGone
from rooms.media.supervisor.studio import Studio
from rooms.recording import store
from rooms.recording.hls import window
from rooms.recording.tasks import still_recording

_numbers = itertools.count(990_001)


class Away(Janus):
    """Janus that was killed a moment ago: whatever it is asked, the connection is lost."""

    def __init__(self) -> None:
        super().__init__("ws://127.0.0.1:9", "secret", lambda event: None)

    async def request(self, *args: Any, **kwargs: Any) -> Any:
        raise JanusGone("connection lost")


def restored(pk: int, *, recording: bool = True, tracked: bool = True) -> Studio:
    first, _last = settings.MEDIA_RTP_PORTS
    bridge, mountpoint = (
        audiobridge.Bridge("room", "secret", 1),
        streaming.Mountpoint("room", "secret", "pin", first + 2, 2, "nonce"),
    )
    built = {
        "bridge": bridge.as_dict(),
        "mountpoint": mountpoint.as_dict(),
        "ports": {"leveller": first, "writer": first + 1},
    }
    return Studio.restore(pk, {**built, "tracked": tracked}, recording=recording)


def children_of(studio: Studio) -> list[int]:
    return [pid for child in studio.children.values() if (pid := child.pid) is not None]


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_children_end_when_janus_goes_while_a_room_ends() -> None:
    studio = restored(next(_numbers))
    window.make(studio.pk)
    await studio.ensure()
    pids = children_of(studio)
    assert len(pids) == 2 and still_recording(studio.pk)
    with pytest.raises(JanusGone):
        await studio.take_down(Away())
    assert not any(lives(pid) for pid in pids)
    assert not still_recording(studio.pk), "the recording can be finished"
    assert not store.window_folder(studio.pk).exists()


async def test_a_disk_without_hard_links_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    studio = restored(next(_numbers))
    await studio.ensure()
    try:
        assert studio._playlist is not None
        studio._playlist.write_text("#EXTM3U\n")
        with pytest.raises(PermissionError):
            folders.keep_list(studio._playlist)
        await studio.ensure()
        await studio.ensure()
        assert [record.getMessage().count("second name") for record in caplog.records].count(1) == 1
    finally:
        await studio.drop_children()


async def test_what_fails_half_way_leaves_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[Studio] = []

    async def made(*args: Any, **kwargs: Any) -> Any:
        return audiobridge.Bridge("room", "secret", 1)

    async def mountpoint(*args: Any) -> streaming.Mountpoint:
        return streaming.Mountpoint("room", "secret", "pin", settings.MEDIA_RTP_PORTS[0] + 2, 2, "nonce")

    async def gone(*args: Any) -> None:
        raise JanusGone("connection lost")

    ensure = Studio.ensure

    async def ensured(self: Studio) -> None:
        began.append(self)
        await ensure(self)
        began_pids.extend(children_of(self))

    began_pids: list[int] = []
    monkeypatch.setattr(audiobridge, "create", made)
    monkeypatch.setattr(streaming, "create", mountpoint)
    monkeypatch.setattr(audiobridge, "forward", gone)
    monkeypatch.setattr(Studio, "ensure", ensured)
    with pytest.raises(JanusGone):
        await Studio.build(Away(), next(_numbers), recording=True)
    assert len(began_pids) == 2 and not any(lives(pid) for pid in began_pids)


async def test_a_recorder_that_hangs_is_noticed_by_its_playlist() -> None:
    studio = restored(next(_numbers))
    await studio.ensure()
    try:
        studio.children["recorder"].started -= 60
        pid = studio.children["recorder"].pid
        assert pid is not None and studio._playlist is not None
        studio._playlist.write_text("#EXTM3U\n")
        await studio.ensure()
        assert studio.children["recorder"].pid == pid, "it wrote a moment ago"
        os.utime(studio._playlist, (0, 0))
        await studio.ensure()
        assert studio.children["recorder"].pid != pid and not lives(pid)
    finally:
        await studio.drop_children()


async def test_a_supervisor_restarted_in_a_pause_asks_nothing_of_janus() -> None:
    studio = restored(next(_numbers), recording=False, tracked=False)
    assert await studio.follow_tracks(Away()) is False
    assert studio.writer is studio.children["window"]
    with pytest.raises(JanusGone):  # but when it is over, tracks begin again
        await studio.set_recording(True)
        await studio.follow_tracks(Away())
    assert not studio.tracked


def test_taps_leave_half_of_the_ports_to_rooms() -> None:
    studio = restored(next(_numbers))
    first, last = settings.MEDIA_RTP_PORTS
    assert studio._free_tap_port() not in studio.ports
    studio.taken = lambda: range(first + first % 2, last, 4)
    with pytest.raises(NoPort):
        studio._free_tap_port()
    assert studio._free_port() not in studio.taken()
