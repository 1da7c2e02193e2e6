"""Descriptions and candidates: what browsers send is understood, everything else is dropped or refused."""

from __future__ import annotations

import pytest

from rooms.media import sdp

FINGERPRINT = ":".join(["AB"] * 32)
CHROMIUM = "\r\n".join(
    [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS 5e5f0d1b",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=candidate:1 1 udp 2122260223 192.0.2.7 54321 typ host generation 0 network-id 1 network-cost 10",
        "a=candidate:2 1 udp 1686052607 198.51.100.7 54321 typ srflx raddr 192.0.2.7 rport 54321 generation 0",
        "a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0",
        "a=candidate:4 1 udp 2122260223 0b2a8f4e-1a1d-4e9c-9e11-7d3b1c0a9f11.local 54321 typ host",
        "a=ice-ufrag:EsAw",
        "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=sendrecv",
        "a=msid:5e5f0d1b 2f2a",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1",
        "a=rtpmap:63 red/48000/2",
        "a=ssrc:1001 cname:secret-name",
        "",
    ]
)


def test_a_browsers_offer_is_understood_and_written_anew() -> None:
    clean = sdp.clean_offer(CHROMIUM)
    assert "a=rtpmap:111 opus/48000/2" in clean
    assert "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level" in clean
    assert "192.0.2.7 54321 typ host\r\n" in clean
    assert "198.51.100.7 54321 typ srflx raddr 192.0.2.7 rport 54321" in clean
    for dropped in (
        "cname",
        "usedtx",
        "red/48000",
        "abs-send-time",
        "msid",
        ".local",
        "tcptype",
        "4611731400430051336",
    ):
        assert dropped not in clean, dropped


def test_what_was_written_anew_is_understood_again() -> None:
    clean = sdp.clean_offer(CHROMIUM)
    assert sdp.clean_offer(clean) == clean


def test_of_several_fingerprints_the_sha_256_counts() -> None:
    text = CHROMIUM.replace("a=setup", f"a=fingerprint:sha-512 {FINGERPRINT}\r\na=setup")
    assert f"a=fingerprint:sha-256 {FINGERPRINT}" in sdp.clean_offer(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        {"sdp": CHROMIUM},
        "",
        "hello",
        "v=0",
        '{"janus":"message"}',
        CHROMIUM.replace("opus/48000/2", "opus/16000/1"),
        CHROMIUM.replace("m=audio", "m=video"),
        CHROMIUM + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
        CHROMIUM + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        CHROMIUM.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        CHROMIUM.replace("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        CHROMIUM.replace("a=ice-ufrag:EsAw\r\n", ""),
        CHROMIUM.replace("EsAw", 'Es"w'),
        CHROMIUM.replace("bP+XJMM09aR8AiX1jdukzR6Y", "short"),
        CHROMIUM.replace("a=mid:0", "a=mid:" + "x" * 40),
        CHROMIUM.replace("a=setup:actpass", "a=setup:everything"),
        CHROMIUM.replace("192.0.2.7 54321 typ host", "192.0.2.7 99999 typ host"),
        CHROMIUM.replace("v=0", "v=0\x00"),
        CHROMIUM.replace("EsAw", "Es\ud800w"),
        CHROMIUM + "a=\ud800",
        "\ud800" * 20_000,
        CHROMIUM + "a=x:" + "y" * 13_000,
        CHROMIUM + "a=b\r\n" * 500,
        CHROMIUM + "a=candidate:1 1 udp 2122260223 192.0.2.7 54321 typ host\r\n" * 50,
    ],
)
def test_what_is_no_offer_is_refused(text: object) -> None:
    with pytest.raises(sdp.BadSdp):
        sdp.clean_offer(text)


def test_an_answer_must_have_chosen_its_side() -> None:
    with pytest.raises(sdp.BadSdp):
        sdp.clean_answer(CHROMIUM)
    assert "a=setup:active" in sdp.clean_answer(CHROMIUM.replace("actpass", "active"))


def test_the_end_of_candidates() -> None:
    assert sdp.clean_candidate(None) == {"completed": True}
    assert sdp.clean_candidate({"candidate": ""}) == {"completed": True}


def test_a_candidate_keeps_only_what_is_needed() -> None:
    text = "candidate:842163049 1 UDP 1677729535 198.51.100.7 54321 typ srflx raddr 0.0.0.0 rport 0 generation 0"
    assert sdp.clean_candidate({"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "EsAw"}) == {
        "candidate": "candidate:842163049 1 udp 1677729535 198.51.100.7 54321 typ srflx raddr 0.0.0.0 rport 0",
        "sdpMid": "0",
        "sdpMLineIndex": 0,
    }


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
        *("255.255.255.255", "169.254.169.254", "::", "::1", "fe80::1", "fec0::1", "ff02::1", "a1b2.local"),
        *("::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:0.0.0.0", "::ffff:169.254.169.254", "::127.0.0.1"),
        *("2002:7f00:1::1", "64:ff9b::127.0.0.1", "64:ff9b:1::7f00:1", "::ffff:0:127.0.0.1"),
        "2001:0:7f00:1::",  # Teredo by way of this machine
        "2001:0:c000:207:0:0:80ff:fffe",  # Teredo to 127.0.0.1, whose bits are turned round
    ],
)
def test_places_we_never_send_to_are_dropped(address: str) -> None:
    assert sdp.clean_candidate({"candidate": f"candidate:1 1 udp 1 {address} 5000 typ host"}) == {}
    related = f"candidate:1 1 udp 1 198.51.100.7 5000 typ srflx raddr {address} rport 5000"
    found = sdp.clean_candidate({"candidate": related})["candidate"]
    assert found.partition(" typ srflx")[2] in ("", " raddr 0.0.0.0 rport 0")
    offer = CHROMIUM.replace("192.0.2.7 54321 typ host", f"{address} 54321 typ host")
    assert f" {address} 54321 typ host" not in sdp.clean_offer(offer)


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "192.168.1.7", "172.16.0.9", "100.64.0.1", "198.51.100.7", "fd00::7", "2001:db8::7"),
        *("::ffff:192.168.1.7", "2002:c633:6407::1", "64:ff9b::198.51.100.7"),
    ],
)
def test_places_where_people_are_are_kept_also_on_a_network_of_their_own(address: str) -> None:
    found = sdp.clean_candidate({"candidate": f"candidate:1 1 udp 1 {address} 5000 typ host"})
    assert found["candidate"] == f"candidate:1 1 udp 1 {address} 5000 typ host"


@pytest.mark.parametrize(
    "value",
    [
        "candidate:1 1 udp 1 192.0.2.7 5000 typ host",
        {"candidate": 7},
        {"candidate": "nonsense"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.\ud800 5000 typ host"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.7 5000 typ host", "sdpMid": "\ud800"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.7 5000 typ host", "sdpMid": "a b"},
        {"candidate": "candidate:1 1 udp 1 example.org 5000 typ host"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.7%eth0 5000 typ host"},
        {"candidate": "candidate:1 1 udp -1 192.0.2.7 5000 typ host"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.7 70000 typ host"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.7 5000 typ boss"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.7 5000 typ host " + "x " * 50},
        {"candidate": "candidate:1\r\na=evil 1 udp 1 192.0.2.7 5000 typ host"},
    ],
)
def test_what_is_no_candidate_is_refused(value: object) -> None:
    with pytest.raises(sdp.BadCandidate):
        sdp.clean_candidate(value)
