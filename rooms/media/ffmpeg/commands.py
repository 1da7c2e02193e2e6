"""Command lines of ffmpeg: the leveller (near listeners) and the recorder (recording and HLS). Pure.

Two processes a room, so that a full disk, which stops the recorder, silences nobody.
"""

from __future__ import annotations

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
    """The SDP of what comes in on a port, for ffmpeg: Opus in SRTP. What was not made with the key is dropped."""
    text = (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=audio {port} RTP/SAVP {PAYLOAD}\na=rtpmap:{PAYLOAD} opus/48000/2\n"
    )
    return Hidden((text + crypto_attribute(key)).encode())


def _input(port: int, key: str) -> Command:
    return [
        "ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-loglevel", "warning",
        "-protocol_whitelist", "file,udp,rtp", "-fflags", "nobuffer",
        "-probesize", "32", "-analyzeduration", "0", "-localaddr", "127.0.0.1", "-reorder_queue_size", "8",
        "-listen_timeout", "20", "-f", "sdp", "-i", input_sdp(port, key),
    ]  # fmt: skip


def leveller_command(port: int, key: str, target_port: int, target_key: str) -> Command:
    """The mix from `port`, levelled, as Opus to the mountpoint at `target_port`; a key for each way."""
    return [
        *_WITH_PARENT, "KILL", *_input(port, key), "-af", f"aresample=async=1000,{LEVEL_FILTER}", "-ar", "48000",
        "-c:a", "libopus", "-application", "voip", "-b:a", "48k", "-frame_duration", "20", "-fec:a", "1",
        "-packet_loss:a", "5", "-f", "rtp", "-payload_type", str(PAYLOAD), "-rtpflags", "skip_rtcp",
        "-flush_packets", "1", "-fpre", output_preset(target_key),
        f"srtp://127.0.0.1:{target_port}?localaddr=127.0.0.1&pkt_size=1200",
    ]  # fmt: skip


def recorder_command(port: int, key: str, folder: Path, run: int) -> Command:
    """The mix from `port`, levelled, as AAC segments of one second behind an event playlist in `folder`.

    `run` counts the starts: each has files and a playlist of its own, so that nothing that was written is written over.
    """
    return [
        *_hls(port, key, folder, run),
        "0",
        "-hls_playlist_type",
        "event",
        "-hls_flags",
        _FLAGS,
        str(folder / list_name(run)),
    ]


def window_command(port: int, key: str, folder: Path, run: int) -> Command:
    """As the recorder, but nothing is kept: only the last pieces are there, for who listens by HLS.

    It lists what is handed out (`playlists.handed_out`), of which the public playlist shows the end.
    """
    kept = [str(WINDOW + MARGIN), "-hls_delete_threshold", str(WINDOW - MARGIN)]
    return [
        *_hls(port, key, folder, run),
        *kept,
        "-hls_flags",
        f"{_FLAGS}+delete_segments",
        str(folder / list_name(run)),
    ]


def _hls(port: int, key: str, folder: Path, run: int) -> Command:
    """Up to how many pieces the playlist lists."""
    return [
        *_WITH_PARENT, "TERM", *_input(port, key), "-af", f"aresample=async=1000,{LEVEL_FILTER}", "-ar", "48000",
        "-c:a", "aac", "-b:a", "64k", "-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_segment_type", "fmp4",
        "-hls_fmp4_init_filename", init_name(run), "-hls_segment_filename", str(folder / f"{run}-%d.m4s"),
        "-hls_list_size",
    ]  # fmt: skip
