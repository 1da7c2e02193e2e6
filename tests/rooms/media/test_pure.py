"""Sound without sound: gains, ICE servers, ports, command lines, the window on the recording."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rooms.media import ice, srtp
from rooms.media.ffmpeg import commands, gains, ports


def test_thirteen_loud_voices_in_phase_fit_into_the_mix() -> None:
    assert gains.highest_sum(gains.MICROPHONES, 10 ** (-3 / 20)) < 1.0
    assert gains.MAKE_UP * gains.JOIN_VOLUME == 100


def test_one_voice_at_minus_three_stays_below_the_limiter() -> None:
    assert gains.LIMIT > 10 ** (-3 / 20)


def test_turn_credentials_are_what_coturn_checks() -> None:
    servers = ice.ice_servers(1000.0, "u-7", ["stun:a:3478"], ["turn:b:3478"], "s3cret", 600)
    assert servers[0] == {"urls": ["stun:a:3478"]}
    assert servers[1]["username"] == "1600:u-7"
    digest = hmac.new(b"s3cret", b"1600:u-7", hashlib.sha1).digest()
    assert servers[1]["credential"] == base64.b64encode(digest).decode()


def test_turn_without_a_secret_is_not_offered() -> None:
    assert ice.ice_servers(0, "x", [], ["turn:b"], "", 600) == []


def test_a_port_somebody_listens_on_is_not_given_out() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        busy = other.getsockname()[1] // 2 * 2
        with pytest.raises(ports.NoPort):
            ports.free_port(busy, busy + 1, ())


def test_a_port_given_out_is_not_given_out_again() -> None:
    first = ports.free_port(39_000, 39_003, ())
    assert first % 2 == 0
    assert ports.free_port(39_000, 39_003, {first}) != first


def leveller() -> commands.Command:
    return commands.leveller_command(4000, "k" * 40, 5000, "t" * 40)


def test_keys_are_handed_over_as_files_and_never_stand_in_a_command_line() -> None:
    with srtp.hidden_as_files(leveller()) as (line, files):
        assert len(files) == 2 and not any("k" * 40 in word or "t" * 40 in word for word in line)
        text = "".join(Path(f"/proc/self/fd/{number}").read_text() for number in files)
        assert f"inline:{'k' * 40}" in text and f"srtp_out_params={'t' * 40}" in text
        assert line[line.index("-i") + 1] == f"/proc/self/fd/{files[0]}"
    for number in files:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)


def test_a_key_that_is_derived_is_another_one_for_each_build_and_each_admin_key() -> None:
    keys = {srtp.derived_key(*words) for words in (("a", "room", "1"), ("a", "room", "2"), ("b", "room", "1"))}
    assert len(keys) == 3 and srtp.derived_key("a", "room", "1") in keys
    assert {len(b64decode(key)) for key in (*keys, srtp.new_key())} == {30}


def test_ffmpeg_listens_on_this_machine_only_and_reads_no_address_but_its_own(tmp_path: Path) -> None:
    for command in (leveller(), commands.recorder_command(4000, srtp.new_key(), tmp_path, 3)):
        assert command[command.index("-localaddr") + 1] == "127.0.0.1"
        assert command[command.index("-protocol_whitelist") + 1] == "file,udp,rtp"
        assert command[:2] == ["setpriv", "--pdeathsig"]


def test_each_start_of_the_recorder_has_files_of_its_own(tmp_path: Path) -> None:
    command = commands.recorder_command(4000, srtp.new_key(), tmp_path, 3)
    assert "3-init.mp4" in command
    assert str(tmp_path / "3-%d.m4s") in command


def test_credentials_follow_the_clock() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    assert ice.ice_servers(now, "x", [], ["turn:b"], "s", 60)[0]["username"].startswith(str(int(now) + 60))
