"""Another user of the machine sends packets to every port on loopback while somebody speaks: nobody hears it."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, Visitor
from tests.rooms.media.company import Analyst, loudness, tone
from tests.rooms.media.conftest import listen_near, signed_in
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

ATTACK = 6.0  # seconds
GAP = 2.0  # seconds; a busy machine is late by a part of this without any attack, and silence lasted as long as it
# Finds the ports as every user can, and sends RTP that plays silence, with jumping numbers and several senders, RTCP
# that says goodbye, and what is neither. About 5,000 packets a second to each port.
ATTACKER = """
import socket, struct, sys, time
from pathlib import Path
ports = set()
for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
    address, port = line.split()[1].split(":")
    if address in ("0100007F", "00000000"):
        ports.add(int(port, 16))
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(len(ports), flush=True)
ends, number = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < ends:
    number += 1
    rtp = struct.pack("!BBHII", 0x80, 111, number * 251 & 65535, number * 960, number % 3 + 1) + b"\\xf8\\xff\\xfe"
    goodbye = struct.pack("!BBHI", 0x81, 203, 1, number % 3 + 1)
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, number % 3 + 1, number << 40, number, number, number)
    for port in ports:
        for packet in (rtp, rtp, goodbye, report, b"x"):
            try:
                out.sendto(packet, ("127.0.0.1", port))
            except OSError:
                pass
    time.sleep(0.001)
"""


def test_packets_of_another_process_silence_nobody(lent_site: Site) -> None:
    room = open_room()
    near, far = asyncio.run(_attacked(lent_site, signed_in(lent_site, "nora"), room.slug))
    say(f"longest silence while packets came: near {near:.2f} s, far {far:.2f} s")
    assert near < GAP
    assert far < GAP
    assert "inline:" not in command_lines() and "libopus" in command_lines(), "a key stands in a command line"


async def _attacked(site: Site, speaker: Browser, slug: str) -> tuple[float, float]:
    """The longest time without the speaker's tone, near and in the pieces of HLS."""
    ears, far = peers.Ears(), HlsListener(Browser(site.url), slug)
    analyst = Analyst(ears)
    talker = Talker(speaker, slug, peers.Clip(tone(), loop=True))
    async with Visitor(Browser(site.url), slug) as visitor:
        peer = await listen_near(visitor, ears)
        talking = asyncio.create_task(talker.run())
        try:
            async with asyncio.timeout(60):
                await ears.first.wait()
                while analyst.last("nora") < time.time() - 0.2:  # noqa: ASYNC110  # what is heard is looked at anew
                    await asyncio.sleep(0.1)
            await far.run(3)
            since = time.time()
            attacker = await asyncio.create_subprocess_exec(
                sys.executable, "-c", ATTACKER, str(ATTACK), stdout=subprocess.PIPE
            )
            await far.run(ATTACK + 2)
            said, _errors = await attacker.communicate()
            assert int(said) >= 6, "the ports of mountpoint, leveller and recorder, and ffmpeg's second ones"
            until = time.time()
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            await peer.close()
    return analyst.longest_gap("nora", since, until), _longest_silence(far)


def _longest_silence(far: HlsListener) -> float:
    """Seconds without the tone, between the first and the last piece that has it, by room time of the pieces too."""
    frames = loudness(far.samples(), "nora") > 0.02
    heard = np.flatnonzero(frames)
    silent = float(np.diff(heard).max() - 1) * peers.FRAME / peers.RATE
    at = [piece.at.timestamp() for _number, piece in sorted(far.pieces.items())]
    late = max(after - before for before, after in itertools.pairwise(at)) - 1
    after_it = (len(frames) - 1 - int(heard[-1])) * peers.FRAME / peers.RATE
    return max(silent, late, after_it)


def command_lines() -> str:
    """Return the command lines of all processes, which `ps` shows to every user."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace").replace("\0", " "))
        except OSError:
            continue
    return "\n".join(found)
