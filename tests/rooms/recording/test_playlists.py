"""The private playlist is read, the public window is made from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rooms.recording.hls import playlists

HEAD = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:1
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MAP:URI="0-init.mp4"
"""
START = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def private(*runs: tuple[int, int, float]) -> list[str]:
    """What ffmpeg writes: (run, segments, begins after seconds) each."""
    texts = []
    for run, count, begin in runs:
        text = HEAD.replace("0-init", f"{run}-init")
        for number in range(count):
            at = START + timedelta(seconds=begin + number)
            stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}+0000"
            text += f"#EXTINF:1.002667,\n#EXT-X-PROGRAM-DATE-TIME:{stamp}\n{run}-{number}.m4s\n"
        texts.append(text)
    return texts


def address(name: str) -> str:
    return f"/hls/signed/{name}"


def test_segments_with_their_time() -> None:
    segments = playlists.parse(private((0, 3, 0.5)))
    assert [segment.name for segment in segments] == ["0-0.m4s", "0-1.m4s", "0-2.m4s"]
    assert segments[2].at == START + timedelta(seconds=2.5)
    assert segments[2].number == 2


def test_a_line_that_is_being_written_is_left_out() -> None:
    (text,) = private((0, 3, 0))
    assert len(playlists.parse([text[:-3]])) == 2
    assert playlists.parse([]) == playlists.parse([""]) == playlists.parse([HEAD]) == []


def test_the_window_shows_the_end_only() -> None:
    shown = playlists.window(playlists.parse(private((0, 30, 0))), address)
    assert "#EXT-X-MEDIA-SEQUENCE:22\n" in shown
    assert shown.count("#EXTINF") == playlists.WINDOW
    assert shown.rstrip().endswith("/hls/signed/0-29.m4s")
    assert "#EXT-X-ENDLIST" not in shown
    assert 'MAP:URI="/hls/signed/0-init.mp4"' in shown


def test_a_restart_of_the_recorder_is_a_discontinuity_with_its_own_beginning() -> None:
    segments = playlists.parse(private((0, 20, 0), (1, 3, 25)))
    shown = playlists.window(segments, address)
    assert shown.count("#EXT-X-DISCONTINUITY\n") == 1
    assert (
        shown.index("0-19.m4s")
        < shown.index("#EXT-X-DISCONTINUITY\n")
        < shown.index("1-init.mp4")
        < shown.index("1-0.m4s")
    )
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:0\n" in shown
    later = playlists.window(playlists.parse(private((0, 20, 0), (1, 9, 25))), address)
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in later
    assert later.count("#EXT-X-DISCONTINUITY\n") == 0


def test_runs_keep_their_true_begin() -> None:
    first, second = playlists.runs(playlists.parse(private((0, 20, 0), (1, 3, 25))))
    assert (first.run, len(first.segments)) == (0, 20)
    assert second.at - first.at == timedelta(seconds=25)


def test_three_hours_are_read_in_a_moment() -> None:
    """The end of a long playlist costs a small part of reading all of it, after three hours as after one."""
    text, shorter = private((0, 3 * 3600, 0)), private((0, 3600, 0))
    end = fastest(lambda: playlists.window(playlists.tail(text), address))
    assert end < fastest(lambda: playlists.parse(text)) / 10
    assert end < fastest(lambda: playlists.parse(shorter)) / 10


def fastest(work: Callable[[], object]) -> float:
    """Seconds of processor time of the quickest of a few runs: what else the machine does is not in it."""

    def once() -> float:
        began = time.thread_time()
        work()
        return time.thread_time() - began

    return min(once() for _run in range(7))


def test_the_tail_is_the_end_of_all() -> None:
    for runs in (
        [(0, 3, 0)],
        [(0, 30, 0)],
        [(0, 20, 0), (1, 3, 25)],
        [(0, 20, 0), (1, 8, 25)],
        [(0, 20, 0), (1, 9, 25), (4, 30, 90)],
    ):
        text = private(*runs)
        assert playlists.tail(text) == playlists.parse(text)[-playlists.WINDOW :], runs
        for size in (playlists.WINDOW, playlists.WINDOW + playlists.MARGIN):
            short = [playlists.shortened(one, size) for one in text]
            assert playlists.tail(short, size) == playlists.tail(text, size), "the end is all that needs to be kept"
            assert [playlists.shortened(one, size) for one in short] == short
    assert playlists.tail([HEAD]) == playlists.tail([]) == []
