"""A private Janus: API and admin API on loopback with our own secrets, sound on one real address.

Janus makes no connection over loopback interfaces, and offers every interface when the address matches none. So an
address is always given, and on a machine with only `lo` a pair of virtual interfaces is made.
"""

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.janus.render import Values, render
from deploy.local.ports import Block
from deploy.local.process import CannotStart, answers, bound, need, run

UNBUFFERED = Path(__file__).resolve().parents[1] / "janus" / "unbuffered.c"
PAIR = ("stamtafel0", "stamtafel1")
PAIR_ADDRESSES = ("10.173.84.1", "10.173.84.2")


@dataclass(frozen=True)
class Janus:
    """One instance of Janus."""

    folder: Path
    block: Block
    keys: Mapping[str, str]
    address: str

    @property
    def url(self) -> str:
        """JANUS_WS_URL of this instance."""
        return f"ws://127.0.0.1:{self.block.janus}"

    def prepare(self) -> None:
        """Render the templates of deploy/janus. Raises CannotStart."""
        (self.folder / "janus").mkdir(parents=True, exist_ok=True, mode=0o700)
        values = Values(
            address=self.address,
            ws_port=self.block.janus,
            api_secret=self.keys["JANUS_API_SECRET"],
            admin_secret=self.keys["JANUS_ADMIN_SECRET"],
            admin_key=self.keys["JANUS_ADMIN_KEY"],
            webrtc_ports=dashed(self.block.webrtc),
            bridge_ports=dashed(self.block.audiobridge),
            stream_ports=dashed(self.block.streaming),
            nat_1_1=os.environ.get("NAT_1_1", "").strip(),
            stun=os.environ.get("JANUS_STUN", "").strip(),
        )
        try:
            render(self.folder / "janus", values)
        except ValueError as error:
            raise CannotStart(f"Janus cannot be configured: {error}") from error
        build_unbuffered(self.unbuffered)

    @property
    def unbuffered(self) -> Path:
        """A library that lets Janus write tracks without a buffer, where it could be built."""
        return self.folder / "janus" / "unbuffered.so"

    def command(self) -> list[str]:
        """Return the foreground command. Its umask keeps tracks private."""
        folder = self.folder / "janus"
        janus = [need("janus", "janus"), "-F", str(folder), "-C", str(folder / "janus.jcfg"), "--disable-colors"]
        if self.unbuffered.is_file():
            janus = ["/usr/bin/env", f"LD_PRELOAD={self.unbuffered}", *janus]
        return bound(["/bin/sh", "-c", 'umask 077; exec "$@"', "janus", *janus])

    def ready(self) -> bool:
        """Whether its API listens; /readyz checks more."""
        return answers(self.block.janus)


def build_unbuffered(target: Path) -> None:
    """Build the library for tracks without a buffer. Without a C compiler all works, and live captions come up to two
    seconds later."""
    compiler = shutil.which("cc")
    if compiler is None or (target.is_file() and target.stat().st_mtime >= UNBUFFERED.stat().st_mtime):
        return
    done = subprocess.run(
        [compiler, "-O2", "-fPIC", "-shared", "-o", str(target), str(UNBUFFERED), "-ldl"],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        print(f"Tracks are written with a buffer, captions come later: {done.stderr.strip()[-200:]}", file=sys.stderr)


def dashed(ports: tuple[int, int]) -> str:
    """Write a range of ports as FIRST-LAST."""
    return f"{ports[0]}-{ports[1]}"


def media_address() -> str:
    """Choose the address of sound: MEDIA_ADDRESS, the default route's, that of any interface, or of a new pair."""
    given = os.environ.get("MEDIA_ADDRESS", "").strip()
    if given:
        return check_address(given)
    return routed_address() or interface_address() or make_pair()


def check_address(given: str) -> str:
    """Return the address if this machine has it and it is not loopback. Raises CannotStart."""
    write = f"write an address of this machine, for example MEDIA_ADDRESS={routed_address() or '192.0.2.10'}"
    try:
        loopback = ipaddress.ip_address(given).is_loopback
    except ValueError as error:
        raise CannotStart(f'MEDIA_ADDRESS is "{given}": {write}') from error
    if loopback:
        raise CannotStart(f'MEDIA_ADDRESS is "{given}", but Janus sends no sound over loopback: {write}')
    with socket.socket(socket.AF_INET6 if ":" in given else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((given, 0))
        except OSError as error:
            raise CannotStart(f'MEDIA_ADDRESS is "{given}", which this machine does not have: {write}') from error
    return given


def routed_address() -> str:
    """Return the address of the default route, or "". Sends no packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith(("127.", "0.")) else address


def interface_address() -> str:
    """Return an IPv4 address of any interface that is up and not loopback, or ""."""
    shown = json.loads(run([need("ip", "iproute2"), "-json", "-4", "address", "show", "up"]) or "[]")
    for interface in shown:
        for entry in interface.get("addr_info", []):
            if not entry["local"].startswith("127."):
                return str(entry["local"])
    return ""


def make_pair() -> str:
    """Make two connected virtual interfaces, on a machine with only loopback; returns the address of one."""
    ip = need("ip", "iproute2")
    root = [] if os.geteuid() == 0 else [shutil.which("sudo") or "sudo"]
    try:
        run([*root, ip, "link", "add", PAIR[0], "type", "veth", "peer", "name", PAIR[1]])
        for name, address in zip(PAIR, PAIR_ADDRESSES, strict=True):
            run([*root, ip, "address", "add", f"{address}/30", "dev", name])
            run([*root, ip, "link", "set", name, "up"])
    except (CannotStart, OSError) as error:
        raise CannotStart(
            "this machine has only loopback, over which Janus sends no sound, and no virtual pair could be made "
            f"({error}): give it a network interface, or run as root"
        ) from error
    return PAIR_ADDRESSES[0]
