"""ffmpeg command lines: leveller (near listeners), recorder (recording and HLS), window, taps. Pure.

Leveller and recorder are two processes, so that a full disk, which stops the recorder, silences nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rooms.media.ffmpeg.gains import LEVEL_FILTER
from rooms.media.srtp import Hidden, crypto_attribute, output_preset
from rooms.recording.hls.playlists import MARGIN, WINDOW, init_name, list_name

PAYLOAD = 111
SEGMENT_SECONDS = 1
# The child ends with its parent; SIGTERM lets the recorder write its last segment.
_WITH_PARENT = ("setpriv", "--pdeathsig")
_FLAGS = "program_date_time+independent_segments+temp_file+omit_endlist"

Command = list[str | Hidden]


def input_sdp(port: int, key: str) -> Hidden:
    """SDP of the Opus in SRTP that comes in on a port. ffmpeg drops packets that were not made with the key."""
    text = (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=audio {port} RTP/SAVP {PAYLOAD}\na=rtpmap:{PAYLOAD} opus/48000/2\n"
    )
    return Hidden((text + crypto_attribute(key)).encode())


def mix_input(port: int, key: str) -> Command:
    """ffmpeg with the mix that comes in on `port`, levelled: the beginning of each command line. 48 kHz, mono."""
    return [
        "ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-loglevel", "warning",
        "-protocol_whitelist", "file,udp,rtp", "-fflags", "nobuffer",
        "-probesize", "32", "-analyzeduration", "0", "-localaddr", "127.0.0.1", "-reorder_queue_size", "8",
        "-listen_timeout", "20", "-f", "sdp", "-i", input_sdp(port, key),
        "-af", f"aresample=async=1000,{LEVEL_FILTER}", "-ar", "48000",
    ]  # fmt: skip


def leveller_command(port: int, key: str, target_port: int, target_key: str) -> Command:
    """The mix from `port`, levelled, as Opus to the mountpoint at `target_port`; a key for each way."""
    return [
        *_WITH_PARENT, "KILL", *mix_input(port, key),
        "-c:a", "libopus", "-application", "voip", "-b:a", "48k", "-frame_duration", "20", "-fec:a", "1",
        "-packet_loss:a", "5", "-f", "rtp", "-payload_type", str(PAYLOAD), "-rtpflags", "skip_rtcp",
        "-flush_packets", "1", "-fpre", output_preset(target_key),
        f"srtp://127.0.0.1:{target_port}?localaddr=127.0.0.1&pkt_size=1200",
    ]  # fmt: skip


def recorder_command(port: int, key: str, folder: Path, run: int) -> Command:
    """The mix from `port`, levelled, as AAC segments of one second behind an event playlist in `folder`.

    `run` counts the starts: each has files and a playlist of its own, so that nothing that was written is written over.
    """
    event = ["-hls_playlist_type", "event", "-hls_flags", _FLAGS]
    return [*_hls(port, key, folder, run, list_size=0), *event, str(folder / list_name(run))]


def window_command(port: int, key: str, folder: Path, run: int) -> Command:
    """As the recorder, but only the last segments are there, for HLS listeners, and nothing is kept.

    It lists what is handed out (`playlists.handed_out`), of which the public playlist shows the end.
    """
    sliding = ["-hls_delete_threshold", str(WINDOW - MARGIN), "-hls_flags", f"{_FLAGS}+delete_segments"]
    return [*_hls(port, key, folder, run, list_size=WINDOW + MARGIN), *sliding, str(folder / list_name(run))]


def tap_command(line: Sequence[str | bytes]) -> list[str | bytes]:
    """A tap's command line, in a process that ends with its parent."""
    return [*_WITH_PARENT, "KILL", *line]


def _hls(port: int, key: str, folder: Path, run: int, list_size: int) -> Command:
    """ffmpeg arguments shared by recorder and window. `list_size`: segments that the playlist lists; 0 for all."""
    return [
        *_WITH_PARENT, "TERM", *mix_input(port, key),
        "-c:a", "aac", "-b:a", "64k", "-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_segment_type", "fmp4",
        "-hls_fmp4_init_filename", init_name(run), "-hls_segment_filename", str(folder / f"{run}-%d.m4s"),
        "-hls_list_size", str(list_size),
    ]  # fmt: skip
