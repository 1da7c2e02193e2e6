"""Broadcasts that are written to idle sockets directly: real Daphne, real clients, in order and nothing missing."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import socket
import ssl
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from core import bus
from deploy.local.certificate import certificate
from deploy.local.process import answers, start, stop, wait_for
from deploy.local.programs import command
from rooms import actions, channels
from rooms.live.outlet import frame_of
from rooms.live.send_queue import Broadcast, SendQueue
from rooms.models import Room
from tests.rooms.test_recovery import connect_and_never_read, is_numbered
from tests.support.client import Page, code
from tests.support.ports import free_port
from tests.support.processes import Site, by_hand
from tests.support.rooms import open_room

FILLER = "x" * 60_000
MANY = 150


def frames_in(data: bytes) -> list[str]:
    """Decode the frames of a server as a client does."""
    reader, texts = StreamReader(), []
    reader.feed_data(data)
    while reader.buffer:
        parsing: Generator[None, None, Frame] = Frame.parse(reader.read_exact, mask=False)
        try:
            next(parsing)
            break  # the last one is cut off
        except StopIteration as done:
            frame: Frame = done.value
            assert frame.fin and not frame.rsv1
            if frame.opcode is Opcode.TEXT:
                texts.append(bytes(frame.data).decode())
    return texts


@pytest.mark.parametrize("size", [1, 125, 126, 65535, 65536])
def test_a_frame_is_what_a_client_reads(size: int) -> None:
    texts = ["é" + "x" * (size - 2) if size > 1 else "x", "{}"]
    assert frames_in(b"".join(map(frame_of, texts))) == texts


class Outlet:
    """An outlet that notes what is written to it, and takes it or not."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.takes = True

    def write(self, frame: bytes) -> bool:
        if self.takes:
            self.taken.append(frame)
        return self.takes


async def waiting(send_queue: SendQueue, outlet: Any) -> asyncio.Task[None]:
    """Have a writer wait, as those of sockets do."""
    task = asyncio.create_task(send_queue.wait(outlet))
    await asyncio.sleep(0)
    return task


async def test_a_broadcast_passes_nothing_that_waits_and_no_snapshot_that_is_read() -> None:
    outlet, send_queue = Outlet(), SendQueue(0, "a:x", "conn", None, lambda: None, lambda code: None)
    early = await waiting(send_queue, outlet)
    send_queue.broadcast(Broadcast("five", 5))
    assert outlet.taken == [], "nothing leaves before the snapshot"
    await early
    send_queue.snapshot("the snapshot", 5)
    assert [send_queue.take(), send_queue.take()] == ["the snapshot", None]
    writer = await waiting(send_queue, outlet)
    for text, seq in (("five", 5), ("six", 6), ("lossy", None), ("six", 6)):
        send_queue.broadcast(Broadcast(text, seq))
    assert outlet.taken == [frame_of("six"), frame_of("lossy")], "no event twice"
    send_queue.put("an answer")
    send_queue.broadcast(Broadcast("seven", 7))
    assert len(outlet.taken) == 2, "the answer comes first"
    await writer
    assert [send_queue.take(), send_queue.take(), send_queue.take()] == ["an answer", "seven", None]
    writer = await waiting(send_queue, outlet)
    send_queue.resync()
    send_queue.broadcast(Broadcast("eight", 8))
    await writer  # it reads a snapshot now
    send_queue.needs_snapshot = False
    send_queue.broadcast(Broadcast("nine", 9))
    send_queue.snapshot("with eight", 8)
    assert [send_queue.take() for _ in range(3)] == ["with eight", "nine", None] and len(outlet.taken) == 2
    writer, outlet.takes = await waiting(send_queue, outlet), False
    send_queue.broadcast(Broadcast("ten", 10))
    await writer
    assert send_queue.take() == "ten", "what the connection does not take waits in the queue"


async def test_events_amid_snapshots_are_all_there_in_order(web: Site) -> None:
    room = await run(open_room)()

    async def change() -> None:
        for _turn in range(20):
            await run(actions.host_lost)(room.pk, room.started_at)
            await run(actions.host_back)(room.pk)

    async with Page(room) as asks, Page(room) as hears:
        await asks.wait_for("snapshot")
        await hears.wait_for("snapshot")
        changing = asyncio.create_task(change())
        while not changing.done():
            if code(await asks.ask("snapshot")) == "too_fast":
                await asyncio.sleep(0.1)
        await changing
        last = (await run(Room.objects.get)(pk=room.pk)).seq
        assert last >= 40
        for page in (asks, hears):
            await page.wait_for(lambda m: m.get("seq") == last)
            assert_without_gaps(page.seen)
        assert len(asks.of_type("snapshot")) > 5


def assert_without_gaps(messages: list[dict[str, Any]]) -> None:
    seq = -1
    for message in messages:
        if message.get("type") == "snapshot":
            assert message["seq"] >= seq, "no snapshot goes back behind what was told"
            seq = message["seq"]
        elif "data" in message and "seq" in message:
            assert message["seq"] == seq + 1, [one.get("seq") for one in messages]
            seq += 1


async def test_a_reader_that_pauses_gets_the_rest_whole_and_in_order(web: Site) -> None:
    """More than the kernel takes, so that a frame is cut in two, and less than a queue holds."""
    room = await run(open_room)()
    async with Page(room) as page:
        await page.wait_for("snapshot")
        slow = await asyncio.to_thread(connect_and_never_read, room, 1 << 17)
        await page.wait_for(lambda m: m.get("type") == "count" and m["listening"] == 2)
        for number in range(MANY):
            talking = {"type": "talking", "user": "host", "talking": True, "n": number, "f": FILLER}
            talking |= {"last": True} if number == MANY - 1 else {}
            bus.client().publish(channels.room_channel(room.pk), json.dumps(talking))
            if number % 10 == 9:
                await page.wait_for(functools.partial(is_numbered, number))
        texts = await asyncio.to_thread(read_until, slow, FILLER.encode() + b'", "last": true')
    numbers = [message["n"] for message in map(json.loads, texts) if message["type"] == "talking"]
    assert numbers == list(range(MANY))


def read_until(sock: socket.socket, last: bytes) -> list[str]:
    """Read what comes until the last message is there; returns the frames after the handshake."""
    sock.settimeout(10)
    data = bytearray()
    with sock:
        while last not in data[-2 * len(FILLER) :]:
            data += sock.recv(1 << 20)
    _head, _blank, frames = bytes(data).partition(b"\r\n\r\n")
    return frames_in(frames)


async def test_over_tls_of_our_own_all_that_leaves_is_encrypted(site: Site, tmp_path: Path) -> None:
    """As `script/server --https` serves phones, where no nginx decrypts in front."""
    room, port = await run(open_room)(), free_port()
    url = f"https://localhost:{port}"
    line = command("web", port, certificate=certificate(tmp_path, []))
    web = await by_hand(start, line, tmp_path / "web.log", {**os.environ, "PORT": str(port), "SITE_URL": url})
    try:
        wait_for("web with TLS", lambda: answers(port), lambda: web.poll() is None)
        context = ssl._create_unverified_context()
        async with Page(room, port=port, origin=url, ssl=context) as page:
            await page.wait_for("snapshot")
            await run(actions.host_lost)(room.pk, room.started_at)
            await run(actions.host_back)(room.pk)
            await page.wait_for("host_back")
            await page.wait_for("beat", within=15)
            assert_without_gaps(page.seen)
    finally:
        await by_hand(stop, web)
