"""What we ask of Janus' AudioBridge: the room in which speakers are mixed. Every message is built here."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rooms.media import srtp
from rooms.media.ffmpeg.commands import PAYLOAD
from rooms.media.ffmpeg.gains import JOIN_VOLUME
from rooms.media.janus.client import Janus, JanusError

PLUGIN = "audiobridge"
AGENT = "agent"
PROBE = "probe"
_FORWARD_BITRATE = 128_000  # on loopback only: no quality is lost before the limiter
_SPEAKER_BITRATE = 64_000


@dataclass(frozen=True)
class Bridge:
    """A room in the AudioBridge and its secret; `handle` is our agent's, through which we command it."""

    room: str
    secret: str
    handle: int

    def as_dict(self) -> dict[str, Any]:
        """For the state that a restarted supervisor reads."""
        return asdict(self)


def seat_id(seat_pk: int) -> str:
    """A speaker's name in the bridge."""
    return f"seat-{seat_pk}"


def seat_pk(name: str) -> int | None:
    """The seat behind a name in the bridge; None for the agent."""
    prefix, _dash, number = name.partition("-")
    return int(number) if prefix == "seat" and number.isdigit() else None


def secret_of(admin_key: str, *words: str) -> str:
    """The secret of something we made: known again after a restart without being kept anywhere."""
    return hmac.new(admin_key.encode(), ":".join(words).encode(), hashlib.sha256).hexdigest()[:32]


async def sweep(janus: Janus, admin_key: str) -> None:
    """End every room that an earlier session left behind."""
    handle = await janus.attach(PLUGIN)
    data, _jsep = await janus.message(handle, {"request": "list", "admin_key": admin_key})
    for left in data.get("list", []):
        secret = secret_of(admin_key, PLUGIN, str(left["room"]))
        with suppress(JanusError):
            await janus.message(handle, {"request": "destroy", "room": left["room"], "secret": secret})
    await janus.detach(handle)


async def create(janus: Janus, room: str, admin_key: str, tracks: Path | None, *, plain_rtp: bool = False) -> Bridge:
    """Make a room and sit our agent in it to hear who talks. One of that name that was left over is ended first:
    rooms outlive the session that made them.
    """
    handle = await janus.attach(PLUGIN)
    bridge = Bridge(room, secret_of(admin_key, PLUGIN, room), handle)
    with suppress(JanusError):
        await janus.message(handle, {"request": "destroy", "room": room, "secret": bridge.secret})
    body = {
        "request": "create",
        "admin_key": admin_key,
        "room": room,
        "secret": bridge.secret,
        "is_private": True,
        "permanent": False,
        "sampling_rate": 48000,
        "audiolevel_event": True,
        "audio_active_packets": 10,
        "audio_level_average": 45,
        "default_prebuffering": 3,
        "default_expectedloss": 10,
        "default_bitrate": _FORWARD_BITRATE,
        "allowed": [],
        "allow_rtp_participants": plain_rtp,
        "mjrs": tracks is not None,
        **({"mjrs_dir": str(tracks)} if tracks is not None else {}),
    }
    await janus.message(handle, body)
    await _join(janus, bridge, handle, {"id": AGENT, "muted": True})
    return bridge


async def destroy(janus: Janus, bridge: Bridge) -> None:
    """End the room; everybody in it is hung up. Fine when it is gone already."""
    with suppress(JanusError):
        await janus.message(bridge.handle, {"request": "destroy", "room": bridge.room, "secret": bridge.secret})
    await janus.detach(bridge.handle)


async def forward(janus: Janus, bridge: Bridge, admin_key: str, port: int, key: str) -> None:
    """Send the mix to a port of this machine, silence too, as SRTP with this key.

    A forward to the same port ends first: who listens there anew knows neither its key nor how often its packets'
    numbers went round.
    """
    await stop_forward(janus, bridge, admin_key, port)
    body = {
        "request": "rtp_forward",
        "admin_key": admin_key,
        "room": bridge.room,
        "secret": bridge.secret,
        "codec": "opus",
        "ptype": PAYLOAD,
        "host": "127.0.0.1",
        "port": port,
        "always_on": True,
        "srtp_suite": srtp.SUITE_BITS,
        "srtp_crypto": key,
    }
    await janus.message(bridge.handle, body)


async def stop_forward(janus: Janus, bridge: Bridge, admin_key: str, port: int) -> None:
    """Send the mix to a port no more. Fine where it was not sent there."""
    room = {"admin_key": admin_key, "room": bridge.room, "secret": bridge.secret}
    data, _jsep = await janus.message(bridge.handle, {"request": "listforwarders", **room})
    for other in data.get("rtp_forwarders", []):
        if other.get("port") == port:
            await janus.message(bridge.handle, {"request": "stop_rtp_forward", **room, "stream_id": other["stream_id"]})


async def set_tracks(janus: Janus, bridge: Bridge, folder: Path | None) -> None:
    """Begin a fresh track of everybody in the room in `folder`, or end the tracks; those that run already go on."""
    where = {} if folder is None else {"mjrs_dir": str(folder)}
    body = {"request": "enable_mjrs", "room": bridge.room, "secret": bridge.secret, "mjrs": folder is not None}
    await janus.message(bridge.handle, {**body, **where})


async def seat(janus: Janus, bridge: Bridge, seat: int, muted: bool, offer: str) -> tuple[int, str]:
    """Let a speaker in: a handle of its own, joined under a token used once, and the answer to its offer."""
    handle = await janus.attach(PLUGIN)
    try:
        join = {"id": seat_id(seat), "muted": muted, "volume": JOIN_VOLUME, "bitrate": _SPEAKER_BITRATE}
        await _join(janus, bridge, handle, join)
        body = {"request": "configure", "muted": muted}
        _data, jsep = await janus.message(handle, body, {"type": "offer", "sdp": offer})
        if jsep is None:
            raise JanusError(0, "no answer to the offer")
    except (JanusError, ConnectionError, TimeoutError):
        await janus.detach(handle)
        raise
    return handle, str(jsep["sdp"])


async def check(janus: Janus, bridge: Bridge, name: str, offer: str) -> tuple[int, str]:
    """A microphone check: the way in is tried for real, but muted, so that nobody hears anybody."""
    handle = await janus.attach(PLUGIN)
    try:
        await _join(janus, bridge, handle, {"id": name, "muted": True})
        _data, jsep = await janus.message(handle, {"request": "configure"}, {"type": "offer", "sdp": offer})
        if jsep is None:
            raise JanusError(0, "no answer to the offer")
    except (JanusError, ConnectionError, TimeoutError):
        await janus.detach(handle)
        raise
    return handle, str(jsep["sdp"])


async def seat_by_rtp(janus: Janus, bridge: Bridge) -> tuple[int, int]:
    """The probe's microphone: plain RTP from this machine. Its handle and the port to send to."""
    handle = await janus.attach(PLUGIN)
    data = await _join(janus, bridge, handle, {"id": PROBE, "muted": False, "rtp": {"payload_type": PAYLOAD}})
    return handle, int(data["rtp"]["port"])


async def _join(janus: Janus, bridge: Bridge, handle: int, join: dict[str, Any]) -> dict[str, Any]:
    token = secrets.token_urlsafe(18)
    await _allow(janus, bridge, "add", token)
    try:
        data, _jsep = await janus.message(handle, {"request": "join", "room": bridge.room, "token": token, **join})
    finally:
        await _allow(janus, bridge, "remove", token)
    return data


async def _allow(janus: Janus, bridge: Bridge, action: str, token: str) -> None:
    body = {"request": "allowed", "room": bridge.room, "secret": bridge.secret, "action": action, "allowed": [token]}
    await janus.message(bridge.handle, body)


async def set_muted(janus: Janus, bridge: Bridge, name: str, muted: bool) -> None:
    """Mute or unmute by the room's power: what is muted reaches neither mix nor track."""
    request = "mute" if muted else "unmute"
    body = {"request": request, "room": bridge.room, "secret": bridge.secret, "id": name}
    await janus.message(bridge.handle, body)


async def remove(janus: Janus, bridge: Bridge, name: str, handle: int | None) -> None:
    """Silence at once, put out, let the handle go. (Its token went when it had joined.)"""
    with suppress(JanusError):
        await set_muted(janus, bridge, name, True)
    with suppress(JanusError):
        body = {"request": "kick", "room": bridge.room, "secret": bridge.secret, "id": name}
        await janus.message(bridge.handle, body)
    if handle is not None:
        await janus.detach(handle)


async def participants(janus: Janus, bridge: Bridge) -> dict[str, bool]:
    """Who is in the room, but for our agent, and whether each is muted. Raises JanusError when the room is gone."""
    data, _jsep = await janus.message(bridge.handle, {"request": "listparticipants", "room": bridge.room})
    return {one["id"]: bool(one.get("muted")) for one in data["participants"] if one["id"] != AGENT}
