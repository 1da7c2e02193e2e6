"""Cores, memory and bandwidth for rooms of a size, computed from what the other benches measured.

    python bench/capacity.py [--write]

Nothing is measured here: `MEASURED` holds the figures, each with the command that gives it. It prints the table of
`docs/subsystems/capacity.md`, which has the formulae in words; with `--write` it puts the table into that page.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from math import ceil
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "subsystems" / "capacity.md"
BEGIN, END = "<!-- computed: bench/capacity.py --write -->", "<!-- end of what is computed -->"


@dataclass(frozen=True)
class Figure:
    """A measured figure, its unit, and the bench that gives it."""

    value: float
    unit: str
    bench: str
    what: str


MEASURED = {
    "join": Figure(0.68, "ms", "join.py", "processor time of web for a join, half of them signed in"),
    "delivery": Figure(12.7, "µs", "live_events.py", "processor time of web for a message to one socket"),
    "round": Figure(49.0, "µs", "rounds.py", "processor time of web for a socket's part of a round (5 s)"),
    "web_memory": Figure(150.0, "MiB", "join.py", "memory of a web process without sockets"),
    "socket_memory": Figure(68.0, "KiB", "join.py", "memory of web for a socket"),
    "hls_room": Figure(29.0, "ms", "hls.py", "processor time of web a second for all HLS listeners of a room"),
    "hls_nginx": Figure(0.35, "ms", "hls.py", "processor time of nginx for a listener-second by HLS, with TLS"),
    "hls_checked": Figure(8.95, "ms", "hls.py", "the same of web, in a room that is not open to anyone"),
    "near_janus": Figure(1.57, "ms", "near.py", "processor time of Janus for a second of a near listener"),
    "near_rate": Figure(81.6, "kbit/s", "near.py", "bytes to a near listener"),
    "near_memory": Figure(134.0, "KiB", "near.py", "memory of Janus for a near listener"),
    "room_sound": Figure(137.0, "ms", "near.py", "Janus, supervisor and ffmpegs a second, for a room with a voice"),
    "room_memory": Figure(110.0, "MiB", "an estimate", "memory of the two ffmpegs of a room"),
    "piece": Figure(8446.0, "bytes", "near.py", "a piece of one second by HLS"),
    "list": Figure(1435.0, "bytes", "near.py", "a list by HLS"),
}

MESSAGES = 3.0  # a second to each socket in a lively room: counts, reactions, who talks
STAYS = 1_200.0  # seconds that a listener stays
MESSAGE_BYTES = 150.0  # with the headers of packet and TLS record
WEB_FULL = 0.6  # share of a core at which a web process is full: it has one event loop, and joins come in bursts
WAITED = 10.0  # seconds that pages may need to come back after a process of several was lost
NEAR_PLACES = 300  # MEDIA_NEAR_LISTENERS
BASE_MEMORY = 1.5  # GiB: PostgreSQL, Redis, workers, supervisor and standby, without Whisper
MACHINE = {"cores": 8.0, "GiB": 16.0, "Mbit/s": 1_000.0}  # to which the bottleneck refers


def of(name: str) -> float:
    return MEASURED[name].value


@dataclass(frozen=True)
class Load:
    """So many rooms, each with listeners near and by HLS; `checked`: not open to anyone."""

    rooms: int
    near: int
    hls: int
    checked: bool = False

    @property
    def sockets(self) -> int:
        return self.rooms * (self.near + self.hls + 4)  # with a small stage

    @property
    def web(self) -> float:
        """Cores of all web processes."""
        joins = self.sockets / STAYS * of("join") / 1e3
        messages = self.sockets * (MESSAGES * of("delivery") + of("round") / 5) / 1e6
        listeners = self.rooms * (self.hls * of("hls_checked") if self.checked else min(1, self.hls) * of("hls_room"))
        return joins + messages + listeners / 1e3

    @property
    def processes(self) -> int:
        """Web processes: enough of them for the work, and to let everybody in again in time after one was lost."""
        back = self.sockets * of("join") / 1e3 / WAITED
        return max(1, ceil(self.web / WEB_FULL), ceil(back))

    @property
    def nginx(self) -> float:
        return self.rooms * self.hls * of("hls_nginx") / 1e3

    @property
    def sound(self) -> float:
        """Cores of Janus, supervisor and ffmpegs."""
        return self.rooms * (of("room_sound") + self.near * of("near_janus")) / 1e3

    @property
    def memory(self) -> float:
        """GiB."""
        web = self.processes * of("web_memory") + self.sockets * of("socket_memory") / 1024
        sound = self.rooms * (of("room_memory") + self.near * of("near_memory") / 1024)
        return BASE_MEMORY + (web + sound) / 1024

    @property
    def bandwidth(self) -> float:
        """Mbit/s that leave the machine."""
        hls = self.rooms * self.hls * (of("piece") + of("list")) * 1.05 * 8 / 1e6
        near = self.rooms * self.near * of("near_rate") / 1e3
        return hls + near + self.sockets * MESSAGES * MESSAGE_BYTES * 8 / 1e6

    @property
    def cores(self) -> float:
        return self.web + self.nginx + self.sound

    @property
    def bottleneck(self) -> str:
        """The resource of MACHINE that is used up first as the audience grows, and how much this load takes of it.

        Near places that are all taken are none: everybody else hears by HLS.
        """
        shares = {
            "cores": self.cores / MACHINE["cores"],
            "memory": self.memory / MACHINE["GiB"],
            "bandwidth": self.bandwidth / MACHINE["Mbit/s"],
        }
        assert self.rooms * self.near <= NEAR_PLACES, "more near listeners than there are places"
        name = max(shares, key=lambda each: shares[each])
        return f"{name}, {100 * shares[name]:.0f} %"


LOADS = (
    Load(1, 50, 0),
    Load(1, 300, 700),
    Load(10, 30, 170),
    Load(100, 3, 47),
    Load(100, 0, 100),
    Load(1, 300, 3_000),
    Load(1, 300, 10_000),
    Load(1, 300, 700, checked=True),
)


def line(load: Load) -> str:
    kept = ", each list checked" if load.checked else ""
    cells = (
        f"{load.rooms}",
        f"{load.near} + {load.hls:,}{kept}",
        f"{load.web:.2f} ({load.processes})",
        f"{load.nginx:.2f}",
        f"{load.sound:.2f}",
        f"{load.cores:.1f}",
        f"{load.memory:.1f} GiB",
        f"{load.bandwidth:,.0f} Mbit/s",
        load.bottleneck,
    )
    return f"| {' | '.join(cells)} |"


def tables() -> str:
    """Return both tables, of figures and of loads, in Markdown."""
    figures = [f"| {one.what} | {one.value:g} {one.unit} | {one.bench} |" for one in MEASURED.values()]
    loads = [line(load) for load in LOADS]
    return "\n".join(
        [
            "| measured | | bench |",
            "|---|---|---|",
            *figures,
            "",
            "| rooms | listeners in each, near + by HLS | web: cores (processes) | nginx | sound | cores in all "
            "| memory | bandwidth | first bottleneck, of it |",
            "|---|---|---|---|---|---|---|---|---|",
            *loads,
        ]
    )


def write() -> None:
    text = PAGE.read_text()
    before, _begin, rest = text.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    if parser.parse_args().write:
        write()
    else:
        print(tables())


if __name__ == "__main__":
    main()
