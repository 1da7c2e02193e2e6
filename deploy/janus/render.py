#!/usr/bin/env python3
"""Render Janus' configuration from the templates beside this file: `render.py FOLDER`, values from the environment.

Needs only Python, so that it runs before anything is installed. A bad value is refused with what to write. Run Janus
with `janus -F FOLDER -C FOLDER/janus.jcfg`.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).resolve().parent
LIBRARIES = ("/usr/lib/x86_64-linux-gnu/janus", "/usr/lib/aarch64-linux-gnu/janus", "/usr/lib/janus")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,}")
_ADDRESS = re.compile(r"[0-9A-Za-z.:,_-]+")
_PORTS = re.compile(r"\d{4,5}-\d{4,5}")


@dataclass(frozen=True)
class Values:
    """Values of the templates. Ports are ranges FIRST-LAST; `address` is the interface or IP offered to browsers."""

    address: str
    ws_port: int
    api_secret: str
    admin_secret: str
    admin_key: str
    webrtc_ports: str
    bridge_ports: str
    stream_ports: str
    nat_1_1: str = ""
    stun: str = ""
    library: str = ""

    def check(self) -> None:
        """Raise ValueError, with what to write, for a value that would open or break the media server."""
        for name in ("api_secret", "admin_secret", "admin_key"):
            if not _SECRET.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: write 16 or more letters and digits")
        for name in ("webrtc_ports", "bridge_ports", "stream_ports"):
            if not _PORTS.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: write two ports as 20000-20999")
        if not _ADDRESS.fullmatch(self.address) or self.address == "lo" or self.address.startswith("127."):
            raise ValueError("address: write the interface or address browsers can reach; it cannot be loopback")


def library_folder() -> str:
    """Return the folder of Janus' plugins. Raises ValueError where none of LIBRARIES has them."""
    for folder in LIBRARIES:
        if Path(folder, "plugins").is_dir():
            return folder
    raise ValueError("Janus is not installed: no folder with its plugins was found")


def render(folder: Path, values: Values) -> None:
    """Write every template into `folder`, readable by its owner only because of the secrets. Raises ValueError."""
    values.check()
    folder.mkdir(parents=True, exist_ok=True)
    stun_host, _colon, stun_port = values.stun.partition(":")
    words = {
        **{name: str(value) for name, value in vars(values).items()},
        "folder": str(folder),
        "library": values.library or library_folder(),
        "nat_1_1": f'nat_1_1_mapping = "{values.nat_1_1}"' if values.nat_1_1 else "",
        "stun": f'stun_server = "{stun_host}"\n\tstun_port = {stun_port or 3478}' if values.stun else "",
    }
    for template in sorted(TEMPLATES.glob("*.jcfg")):
        target = folder / template.name
        target.touch(mode=0o600)
        target.write_text(Template(template.read_text()).substitute(words))


def from_environment() -> Values:
    """Read JANUS_WS_PORT, JANUS_*_SECRET, JANUS_ADMIN_KEY, MEDIA_ADDRESS, JANUS_*_PORTS, NAT_1_1 and JANUS_STUN."""
    get = os.environ.get
    return Values(
        address=get("MEDIA_ADDRESS", ""),
        ws_port=int(get("JANUS_WS_PORT", "8188")),
        api_secret=get("JANUS_API_SECRET", ""),
        admin_secret=get("JANUS_ADMIN_SECRET", ""),
        admin_key=get("JANUS_ADMIN_KEY", ""),
        webrtc_ports=get("JANUS_RTP_PORTS", "20000-20999"),
        bridge_ports=get("JANUS_BRIDGE_PORTS", "21000-21099"),
        stream_ports=get("JANUS_STREAM_PORTS", "21100-21999"),
        nat_1_1=get("NAT_1_1", ""),
        stun=get("JANUS_STUN", ""),
    )


def main() -> int:
    """Render into the folder named on the command line; returns the exit status."""
    if len(sys.argv) != 2:
        print("usage: render.py FOLDER", file=sys.stderr)
        return 2
    try:
        render(Path(sys.argv[1]).resolve(), from_environment())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
