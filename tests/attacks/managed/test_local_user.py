"""Another user of the machine: what lies in the site's folder, what its processes show, what listens on loopback."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

import redis
from django.conf import settings

from deploy.local.throwaway import Throwaway
from rooms.models import Room
from tests.attacks.managed.attackers import Browser, somebody
from tests.attacks.nobody import as_other, readable, run_as, within
from tests.support.managed import Managed
from tests.support.waiting import wait_until

# Each port that listens on loopback, and what it answers to the first words of each protocol that is spoken there.
KNOCK = r"""
import json, socket, struct, sys
WORDS = {
    "redis": b"INFO\r\nKEYS *\r\nCONFIG GET *\r\nGET stamtafel\r\n",
    "http": b"GET / HTTP/1.0\r\n\r\n",
    "manager": b"POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: 92\r\n\r\n"
        b"<methodCall><methodName>supervisor.getAllProcessInfo</methodName><params/></methodCall>\r\n\r\n\r\n",
    "postgres": struct.pack("!ii", 43, 196608) + b"user\0stamtafel\0database\0stamtafel\0\0",
    "janus": b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Protocol: janus-protocol\r\n\r\n",
}
def frame(text):
    return bytes([0x81, 0x80 | 126]) + struct.pack("!H", len(text)) + b"\0\0\0\0" + text
found = {}
for port in json.load(sys.stdin):
    for name, words in WORDS.items():
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as line:
                line.settimeout(0.5)
                line.sendall(words)
                got = line.recv(4000)
                if name == "janus" and b" 101 " in got:
                    for ask in ("create", "info", "ping", "list_sessions"):
                        text = json.dumps({"janus": ask, "transaction": "x", "admin_secret": "", "apisecret": ""})
                        line.sendall(frame(text.encode()))
                        got += line.recv(4000)
        except OSError as error:
            got = repr(error).encode()
        found[f"{port} {name}"] = got.decode("latin1")
print(json.dumps(found))
"""
KILL = """
import os, sys
for pid in sys.stdin.read().split():
    try:
        os.kill(int(pid), 9)
        print(pid)
    except OSError:
        pass
"""


def test_nothing_in_its_folders(site: Managed, services: Throwaway) -> None:
    """The fault: session ids out of Redis' dump, in folders that let everybody in."""
    Browser(user=somebody()).get("/settings/")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.save()  # a throwaway one saves nothing by itself
    folder = services.folder
    assert (folder / "redis" / "dump.rdb").stat().st_mode & 0o777 == 0o600
    names = {Path(path).name for path in within(folder)}
    assert {"secrets", "redis.conf", "janus.jcfg", "web.log", "postgres.log", "supervisord.conf", "recordings"} <= names
    assert readable(folder) == []
    data = services.instance.postgres.data
    if not data.is_relative_to(folder):
        assert readable(data.parent) == []


def test_nothing_of_live_sound(site: Managed, room: Room) -> None:
    """Pieces of a live room, on the disk and in memory."""
    pieces = Path(settings.RECORDINGS_DIR)
    wait_until(lambda: list(pieces.glob(f"{room.pk}/**/*.m4s")), what="a piece")
    assert readable(pieces) == []
    window = Path(settings.WINDOW_DIR)
    assert not window.exists() or readable(window) == []
    ours = [path for path in Path("/dev/shm").iterdir() if path.stat().st_uid == os.geteuid()]
    assert as_other("nobody", [str(path) for path in ours if "stamtafel" in path.name]) == []


def test_no_process_tells_a_secret(site: Managed, services: Throwaway) -> None:
    """Command lines are read by everybody, an environment by the user that a process runs as."""
    keys = services.instance.keys
    assert "DEV_KEY" in keys and all(len(value) >= 16 for value in keys.values())
    ours = site.ours()
    # PostgreSQL and ffmpeg are among them only if they run under the same mark.
    assert len(ours) > 8
    for line in ours.values():
        assert [name for name, value in keys.items() if value in line] == [], line[:80]
    postgres = site.below(site.pid("postgres"))
    for pid in postgres:
        text = Path(f"/proc/{pid}/environ").read_text(errors="replace")
        told = [name for name, value in keys.items() if value in text]
        assert told == [], "its user is another one than ours"


def test_no_process_can_be_read_or_stopped(site: Managed) -> None:
    """Environments, open files and memory, and signals."""
    ours = site.ours()
    assert (
        as_other("nobody", [f"/proc/{pid}/{what}" for pid in ours for what in ("environ", "fd", "maps", "mem")]) == []
    )
    assert run_as("nobody", KILL, given=" ".join(map(str, ours))) == ""


def listening() -> list[int]:
    """The TCP ports that something of this machine listens on, of loopback or everywhere."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "0A" and words[1].partition(":")[0] in ("0100007F", "00000000"):
            found.add(int(words[1].partition(":")[2], 16))
    return sorted(found)


def test_no_port_answers_without_a_password(site: Managed, services: Throwaway) -> None:
    """Redis, PostgreSQL, Janus and the process manager, spoken to in each other's languages too."""
    block = services.instance.block
    ports = [port for port in listening() if block.first < port < block.first + 100]
    assert {block.web, block.manager} <= set(ports) and len(ports) >= 5
    canary = secrets.token_hex(8)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set("stamtafel", canary)
    answers = json.loads(run_as("nobody", KNOCK, given=json.dumps(ports)))
    text = json.dumps(answers)
    assert "NOAUTH" in text, "Redis was found"
    assert "401 Unauthorized" in answers[f"{block.manager} manager"]
    assert "SCRAM-SHA-256" in text, "PostgreSQL was found"
    assert "nauthorized request" in answers[f"{block.janus} janus"], answers[f"{block.janus} janus"]
    for word in (canary, "redis_version", "requirepass", "session_id", '"success"', "getProcessInfo", "PG_VERSION"):
        assert word not in text, word
    for name, said in answers.items():
        assert not said.startswith("R\x00\x00\x00\x08\x00\x00\x00\x00"), f"{name} lets in without a password"
