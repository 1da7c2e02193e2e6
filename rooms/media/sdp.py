"""Session descriptions and candidates from browsers, read strictly and written anew.

Nothing a client wrote reaches the media server: we read what we know (one audio line, Opus, ICE, DTLS), check each
value against a narrow pattern, drop the rest, and build a description of our own from the values. Pure functions.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 12 * 1024
MAX_LINES = 400
MAX_CANDIDATES = 40
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
MID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:mid"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,16}")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_FINGERPRINT = re.compile(r"[Ss][Hh][Aa]-256 ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31})")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")
_MDNS = re.compile(r"[0-9A-Za-z-]{1,64}\.local")
_FOUNDATION = re.compile(r"[A-Za-z0-9+/]{1,32}")
_MEDIA = re.compile(r"audio \d{1,5} (?:UDP|TCP)/TLS/RTP/SAVPF((?: \d{1,3}){1,40})")
_RTPMAP = re.compile(r"(\d{1,3}) opus/48000/2", re.IGNORECASE)
_EXTMAP = re.compile(r"(\d{1,2})(?:/[a-z]+)? (\S+)(?: .*)?")
# Addresses that no client has towards us: this host, loopback, link-local, groups, reserved with the broadcast.
_NOBODYS = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
# NAT64, its local prefix, "IPv4-compatible" and "IPv4-translated" addresses end in an IPv4 address.
_LAST_32_BITS = tuple(
    ipaddress.IPv6Network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_CANDIDATE_TYPES = ("host", "srflx", "prflx", "relay")


class BadSdp(ValueError):
    """A text that is no description of one microphone or one listener from a browser."""


class BadCandidate(ValueError):
    """A value that is no ICE candidate."""


@dataclass(frozen=True)
class Description:
    """Values kept of a description; everything else was dropped."""

    payload: int
    mid: str
    ufrag: str
    password: str
    fingerprint: str
    setup: str
    direction: str
    extensions: tuple[tuple[int, str], ...] = ()
    candidates: tuple[str, ...] = ()
    complete: bool = False


@dataclass
class _Reading:
    """Attributes as they stand in the text, before they are checked."""

    attributes: dict[str, str] = field(default_factory=dict)
    payloads: tuple[int, ...] = ()
    opus: list[int] = field(default_factory=list)
    extensions: dict[str, int] = field(default_factory=dict)
    candidates: list[str] = field(default_factory=list)
    direction: str = "sendrecv"
    media_lines: int = 0


def clean_offer(text: Any) -> str:
    """Rewrite a browser's offer in our own words; raises BadSdp."""
    description = parse(text)
    if description.setup not in ("actpass", "active", "passive"):
        raise BadSdp("setup")
    return build(description, offer=True)


def clean_answer(text: Any) -> str:
    """Rewrite a browser's answer in our own words; raises BadSdp."""
    description = parse(text)
    if description.setup not in ("active", "passive"):
        raise BadSdp("setup")
    return build(description, offer=False)


def parse(text: Any) -> Description:
    """Read one audio-only description; raises BadSdp with the name of what is wrong or missing."""
    reading = _read(_lines(text))
    if reading.media_lines != 1:
        raise BadSdp("one audio line")
    opus = [payload for payload in reading.opus if payload in reading.payloads]
    if not opus:
        raise BadSdp("opus")
    fingerprint = _match(_FINGERPRINT, reading.attributes, "fingerprint").group(1)
    return Description(
        payload=opus[0],
        mid=_match(_TOKEN, reading.attributes, "mid").group(0),
        ufrag=_match(_UFRAG, reading.attributes, "ice-ufrag").group(0),
        password=_match(_PASSWORD, reading.attributes, "ice-pwd").group(0),
        fingerprint=fingerprint.upper(),
        setup=reading.attributes.get("setup", ""),
        direction=reading.direction,
        extensions=tuple(sorted((number, uri) for uri, number in reading.extensions.items())),
        candidates=tuple(_known_candidates(reading.candidates)),
        complete="end-of-candidates" in reading.attributes,
    )


def build(description: Description, *, offer: bool) -> str:
    """Write a description from checked values only; `offer` says whether it opens or answers the exchange."""
    payload = description.payload
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {description.mid}",
        f"m=audio 9 UDP/TLS/RTP/SAVPF {payload}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{description.mid}",
        f"a=ice-ufrag:{description.ufrag}",
        f"a=ice-pwd:{description.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {description.fingerprint}",
        f"a=setup:{'actpass' if offer else description.setup}",
        f"a={description.direction}",
        "a=rtcp-mux",
        f"a=rtpmap:{payload} opus/48000/2",
        # No usedtx: silence must be sent, or tracks lose their time.
        f"a=fmtp:{payload} minptime=10;useinbandfec=1",
        *(f"a=extmap:{number} {uri}" for number, uri in description.extensions),
        *(f"a={candidate}" for candidate in description.candidates),
    ]
    if description.complete:
        lines.append("a=end-of-candidates")
    return "\r\n".join(lines) + "\r\n"


def clean_candidate(value: Any) -> dict[str, Any]:
    """A trickled candidate as Janus reads it, `{"completed": true}` at the end, `{}` for one we do not use.

    Raises BadCandidate for anything that is not a candidate.
    """
    if value is None:
        return {"completed": True}
    if not isinstance(value, dict) or not isinstance(value.get("candidate"), str):
        raise BadCandidate("candidate")
    text = value["candidate"].strip()
    if not text:
        return {"completed": True}
    mid = value.get("sdpMid")
    if mid is not None and not (isinstance(mid, str) and _TOKEN.fullmatch(mid)):
        raise BadCandidate("sdpMid")
    candidate = _candidate(text.removeprefix("a="))
    if candidate is None:
        return {}
    return {"sdpMid": mid or "0", "sdpMLineIndex": 0, "candidate": candidate}


def _lines(text: Any) -> list[str]:
    # Half of a surrogate pair cannot be encoded; it is refused as a character that is not printable.
    if not isinstance(text, str) or len(text.encode(errors="replace")) > MAX_BYTES:
        raise BadSdp("size")
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_LINES or lines[0] != "v=0":
        raise BadSdp("version")
    if any(len(line) < 2 or line[1] != "=" or not line.isprintable() for line in lines):
        raise BadSdp("line")
    return lines


def _read(lines: list[str]) -> _Reading:
    """Collect known attributes; of session and media level the later (media) one counts."""
    reading = _Reading()
    for line in lines:
        kind, value = line[0], line[2:]
        if kind == "m":
            match = _MEDIA.fullmatch(value)
            if match is None:
                raise BadSdp("media")
            reading.media_lines += 1
            reading.payloads = tuple(int(number) for number in match.group(1).split())
        elif kind == "a":
            _read_attribute(reading, value)
    return reading


def _read_attribute(reading: _Reading, value: str) -> None:
    name, _colon, rest = value.partition(":")
    if name in _DIRECTIONS:
        reading.direction = name
    elif name == "candidate":
        reading.candidates.append(value)
    elif name == "rtpmap" and (rtpmap := _RTPMAP.fullmatch(rest)):
        reading.opus.append(int(rtpmap.group(1)))
    elif name == "extmap" and (extmap := _EXTMAP.fullmatch(rest)):
        if extmap.group(2) in (AUDIO_LEVEL, MID_EXTENSION) and 1 <= int(extmap.group(1)) <= 14:
            reading.extensions[extmap.group(2)] = int(extmap.group(1))
    elif name == "fingerprint":
        if _FINGERPRINT.fullmatch(rest):  # some offer several hashes: SHA-256 is the one everybody has
            reading.attributes[name] = rest
    elif name in ("mid", "ice-ufrag", "ice-pwd", "setup", "end-of-candidates"):
        reading.attributes[name] = rest


def _match(pattern: re.Pattern[str], attributes: dict[str, str], name: str) -> re.Match[str]:
    match = pattern.fullmatch(attributes.get(name, ""))
    if match is None:
        raise BadSdp(name)
    return match


def _known_candidates(candidates: list[str]) -> list[str]:
    if len(candidates) > MAX_CANDIDATES:
        raise BadSdp("candidates")
    try:
        cleaned = [_candidate(candidate) for candidate in candidates]
    except BadCandidate as error:
        raise BadSdp("candidate") from error
    return [candidate for candidate in cleaned if candidate is not None]


def _candidate(text: str) -> str | None:
    """A candidate in our own words; None for one we do not use (TCP, mDNS, loopback, a second component)."""
    words = text.split()
    if len(words) < 8 or len(words) > 30 or not words[0].startswith("candidate:") or words[6] != "typ":
        raise BadCandidate("shape")
    foundation, component, protocol, priority, address, port = [words[0].removeprefix("candidate:"), *words[1:6]]
    if not _FOUNDATION.fullmatch(foundation) or words[7] not in _CANDIDATE_TYPES:
        raise BadCandidate("shape")
    numbers = [_number(component, 256), _number(priority, 2**32 - 1), _number(port, 65535)]
    if numbers[0] != 1 or protocol.lower() != "udp" or _MDNS.fullmatch(address):
        return None
    if not _reachable(address):
        return None
    return f"candidate:{foundation} 1 udp {numbers[1]} {address} {numbers[2]} typ {words[7]}" + _related(words[8:])


def _related(words: list[str]) -> str:
    """`raddr` and `rport` of a reflexive or relayed candidate, where both are plain; else nothing. An address that we
    would not send to becomes the one that browsers write when they hide theirs."""
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    if not {"raddr", "rport"} <= pairs.keys():
        return ""
    port = _number(pairs["rport"], 65535)
    try:
        hidden = not _reachable(pairs["raddr"])
    except BadCandidate:
        return ""
    return " raddr 0.0.0.0 rport 0" if hidden else f" raddr {pairs['raddr']} rport {port}"


def _number(text: str, maximum: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= maximum):
        raise BadCandidate("number")
    return int(text)


def _reachable(address: str) -> bool:
    """Whether the media server may send connectivity checks there: never to itself, a group or nowhere, whatever
    wrapping of IPv6 says so. Addresses of a private network may: people on a LAN have no others."""
    if not _ADDRESS.fullmatch(address):
        raise BadCandidate("address")
    try:
        ip = ipaddress.ip_address(address)
    except ValueError as error:
        raise BadCandidate("address") from error
    return not any(_nobodys(each) for each in (ip, *_wrapped(ip)))


def _wrapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses to which a packet for this IPv6 address may be translated or tunnelled."""
    if isinstance(ip, ipaddress.IPv4Address):
        return
    if ip.ipv4_mapped is not None:
        yield ip.ipv4_mapped
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        yield from ip.teredo
    if any(ip in network for network in _LAST_32_BITS):
        yield ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)


def _nobodys(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether no client can have this address."""
    return any(ip in network for network in _NOBODYS if network.version == ip.version)
