"""What we ask of Janus' Streaming plugin: the mountpoint from which near listeners hear the levelled mix."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from rooms.media import srtp
from rooms.media.ffmpeg.commands import PAYLOAD
from rooms.media.janus.bridge import secret_of
from rooms.media.janus.client import Janus, JanusError

PLUGIN = "streaming"


@dataclass(frozen=True)
class Mountpoint:
    """A stream; `port` is where its sound must be sent, `handle` the one we command it through.

    `nonce` is new with each build: the key of what is sent there follows from it and the admin key.
    """

    id: str
    secret: str
    pin: str
    port: int
    handle: int
    nonce: str

    def key(self, admin_key: str) -> str:
        """The SRTP key for sound sent to `port`."""
        return srtp.derived_key(admin_key, PLUGIN, self.id, self.nonce)

    def as_dict(self) -> dict[str, Any]:
        """For the state that a restarted supervisor reads."""
        return asdict(self)


async def sweep(janus: Janus, admin_key: str) -> None:
    """End every stream that an earlier session left behind."""
    handle = await janus.attach(PLUGIN)
    data, _jsep = await janus.message(handle, {"request": "list", "admin_key": admin_key})
    for left in data.get("list", []):
        secret = secret_of(admin_key, PLUGIN, str(left["id"]))
        with suppress(JanusError):
            await janus.message(handle, {"request": "destroy", "id": left["id"], "secret": secret})
    await janus.detach(handle)


async def create(janus: Janus, name: str, admin_key: str) -> Mountpoint:
    """Make the stream on a port that Janus picks, on loopback only. One of that name that was left over goes first."""
    handle = await janus.attach(PLUGIN)
    secret, pin = secret_of(admin_key, PLUGIN, name), secret_of(admin_key, PLUGIN, name, "pin")
    with suppress(JanusError):
        await janus.message(handle, {"request": "destroy", "id": name, "secret": secret})
    nonce = secrets.token_hex(16)
    audio = {"type": "audio", "mid": "0", "port": 0, "iface": "127.0.0.1", "pt": PAYLOAD, "codec": "opus"}
    body = {
        "request": "create",
        "admin_key": admin_key,
        "type": "rtp",
        "id": name,
        "secret": secret,
        "pin": pin,
        "is_private": True,
        "permanent": False,
        "media": [audio],
        "srtpsuite": srtp.SUITE_BITS,
        "srtpcrypto": srtp.derived_key(admin_key, PLUGIN, name, nonce),
    }
    data, _jsep = await janus.message(handle, body)
    return Mountpoint(name, secret, pin, int(data["stream"]["ports"][0]["port"]), handle, nonce)


async def destroy(janus: Janus, mountpoint: Mountpoint) -> None:
    """End the stream; who watches is hung up. Fine when it is gone already."""
    with suppress(JanusError):
        body = {"request": "destroy", "id": mountpoint.id, "secret": mountpoint.secret}
        await janus.message(mountpoint.handle, body)
    await janus.detach(mountpoint.handle)


async def watch(janus: Janus, mountpoint: Mountpoint) -> tuple[int, str]:
    """A listener's handle and the offer to hand to its browser."""
    handle = await janus.attach(PLUGIN)
    try:
        body = {"request": "watch", "id": mountpoint.id, "pin": mountpoint.pin}
        _data, jsep = await janus.message(handle, body)
        if jsep is None:
            raise JanusError(0, "no offer")
    except (JanusError, ConnectionError, TimeoutError):
        await janus.detach(handle)
        raise
    return handle, str(jsep["sdp"])


async def start(janus: Janus, handle: int, answer: str) -> None:
    """The browser's answer: sound flows."""
    await janus.message(handle, {"request": "start"}, {"type": "answer", "sdp": answer})


async def silent_for(janus: Janus, mountpoint: Mountpoint) -> float:
    """Seconds since the stream's last packet."""
    body = {"request": "info", "id": mountpoint.id, "secret": mountpoint.secret}
    data, _jsep = await janus.message(mountpoint.handle, body)
    ages = [media["age_ms"] for media in data["info"]["media"] if "age_ms" in media]
    return min(ages, default=0) / 1000
