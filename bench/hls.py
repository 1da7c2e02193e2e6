"""The cost of a listener by HLS to the site, behind the nginx that we ship, and how old the newest piece is.

    python bench/hls.py [--listeners 40] [--crowd 2000] [--seconds 15] [--rounds 3]

A web process of ours and nginx with the configuration that we ship, and a room whose recorder writes a piece of 8 KB
each second. Listeners ask for the list each second and for each new piece, over TLS, as hls.js does. Three ways take
turns: by ticket (rooms that are open to anyone), by the list that is checked for each listener (all other rooms, the
plain way), and by ticket at the web process itself, without a cache. Every third listener of the checked list is signed
in. Counted are requests that pass nginx' cache, processor time, and the age of the newest piece in a list. Then `wrk`
asks for the list by ticket as `--crowd` listeners, once a second each.
"""

from __future__ import annotations

import argparse
import os
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import cpu, load, many_files, share, site

PIECE = os.urandom(8192)
ONCE_A_SECOND = "function delay() return 1000 end\n"
WAYS = ("ticket", "checked", "uncached")
AT = re.compile(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)\n#EXTINF:([\d.]+),")


@dataclass
class Result:
    """Results of one way: what passed the cache, processor seconds of web and nginx, ages of newest pieces (s)."""

    asked: int = 0
    web: float = 0.0
    nginx: float = 0.0
    ages: list[float] = field(default_factory=list)
    failed: int = 0


class Recorder(threading.Thread):
    """The recorder of a room: a piece each second, and the list after it, until `over`."""

    def __init__(self, room_pk: int) -> None:
        super().__init__(daemon=True)
        from rooms.recording import store

        self.folder, self.path = store.hls_folder(room_pk), store.playlist_path(room_pk)
        self.over = threading.Event()
        self.folder.mkdir(parents=True)
        (self.folder / "0-init.mp4").write_bytes(PIECE[:700])

    def run(self) -> None:
        text, begun = "#EXTM3U\n", time.time()
        for number in range(100_000):
            if self.over.wait(max(0.0, begun + number + 1 - time.time())):
                return
            (self.folder / f"0-{number}.m4s").write_bytes(PIECE)
            at = datetime.fromtimestamp(begun + number, UTC).isoformat(timespec="milliseconds")
            text += f"#EXTINF:1.000000,\n#EXT-X-PROGRAM-DATE-TIME:{at.replace('+00:00', '+0000')}\n0-{number}.m4s\n"
            new = self.path.with_suffix(".new")
            new.write_text(text)
            new.rename(self.path)


class Listener:
    """One listener with a connection of its own."""

    def __init__(self, port: int, tls: bool, cookie: str) -> None:
        context = ssl._create_unverified_context()
        self.line = HTTPSConnection("localhost", port, context=context) if tls else HTTPConnection("localhost", port)
        self.headers = {"Cookie": cookie} if cookie else {}
        self.had: set[str] = set()
        self.ages: list[float] = []
        self.failed = 0

    def listen(self, path: str, seconds: float, late: float) -> None:
        """Ask for the list each second, and for the pieces that are new."""
        time.sleep(late)
        ends = time.monotonic() + seconds
        while (began := time.monotonic()) < ends:
            text = self._get(path).decode()
            if entries := AT.findall(text):
                at, length = entries[-1]
                self.ages.append(time.time() - datetime.fromisoformat(at).timestamp() - float(length))
            pieces = [line for line in text.splitlines() if line.endswith(".m4s")]
            for piece in pieces[-2:]:
                if piece not in self.had:
                    self.had.add(piece)
                    self._get(piece)
            time.sleep(max(0.0, began + 1 - time.monotonic()))

    def _get(self, path: str) -> bytes:
        self.line.request("GET", path, headers=self.headers)
        answer = self.line.getresponse()
        body = answer.read()
        self.failed += answer.status != 200
        return body


@contextmanager
def shipped_nginx(folder: Path) -> Iterator[tuple[int, int]]:
    """Run nginx with the configuration that we ship; its port and the process id of its master."""
    from deploy.local.process import answers, bound, need, start, stop, wait_for
    from tests.deploy.test_nginx import AROUND, configured
    from tests.support.ports import free_port

    port = free_port()
    (folder / "stamtafel.conf").write_text(configured(folder, port))
    around = AROUND.format(folder=folder, user="user root;" if os.geteuid() == 0 else "")
    (folder / "nginx.conf").write_text("worker_rlimit_nofile 20000;\n" + around.replace("256", "8192"))
    line = [need("nginx", "nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    nginx = start(bound(line, death="TERM"), folder / "nginx.log")
    try:
        wait_for("nginx", lambda: answers(port), lambda: nginx.poll() is None)
        yield port, nginx.pid
    finally:
        stop(nginx)


def workers_of(pid: int) -> list[int]:
    """Process ids of nginx: its master and its workers, without the loader of its cache, which ends by itself."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [pid, *(child for child in children if b"worker" in Path(f"/proc/{child}/cmdline").read_bytes())]


def passed(log: Path) -> int:
    """Number of requests that nginx passed on, by what it logged of its cache; all others under /r/ pass, too."""
    return sum(not line.endswith(" HIT") for line in log.read_text().splitlines()) if log.exists() else 0


def one_way(way: str, path: str, ports: tuple[int, int], pids: tuple[int, int], options: argparse.Namespace) -> Result:
    port, (web, nginx) = ports[1] if way == "uncached" else ports[0], pids
    listeners = [
        Listener(port, way != "uncached", options.cookie if way == "checked" and place % 3 == 0 else "")
        for place in range(options.listeners)
    ]
    before, others, asked = cpu(web), workers_of(nginx), passed(options.log)
    spent = {pid: cpu(pid) for pid in others}
    with ThreadPoolExecutor(len(listeners)) as pool:
        for place, listener in enumerate(listeners):
            pool.submit(listener.listen, path, options.seconds, place / len(listeners))
    result = Result(passed(options.log) - asked, cpu(web) - before, sum(cpu(pid) - spent[pid] for pid in others))
    result.ages = [age for listener in listeners for age in listener.ages[1:]]
    result.failed = sum(listener.failed for listener in listeners)
    if way == "checked":
        result.asked += len(result.ages)
    elif way == "uncached":
        result.asked = sum(len(listener.ages) + len(listener.had) for listener in listeners)
    return result


def line_of(way: str, result: Result, listener_seconds: float) -> str:
    web, nginx = (1000 * seconds / listener_seconds for seconds in (result.web, result.nginx))
    return (
        f"{way:<9}{result.asked / listener_seconds:>9.3f}{web:>10.2f} ms{nginx:>10.2f} ms"
        f"{median(result.ages):>10.2f} s{share(result.ages, 0.99):>9.2f} s{result.failed:>8}"
    )


def crowd(port: int, path: str, options: argparse.Namespace, pids: tuple[int, int]) -> str:
    """Have wrk ask for the list as a crowd; returns what it says, and the processor time of web and nginx."""
    from deploy.local.process import need

    script = options.log.with_name("once_a_second.lua")
    script.write_text(ONCE_A_SECOND)
    others = workers_of(pids[1])
    before, web = sum(map(cpu, others)), cpu(pids[0])
    command = [need("wrk", "wrk"), "-t2", f"-c{options.crowd}", f"-d{int(options.seconds)}s", "--latency", "-s", script]
    done = subprocess.run([*map(str, command), f"https://localhost:{port}{path}"], capture_output=True, text=True)
    seconds = options.crowd * options.seconds
    nginx, web = 1000 * (sum(map(cpu, others)) - before) / seconds, 1000 * (cpu(pids[0]) - web) / seconds
    return f"{done.stdout}{done.stderr}a listener-second: web {web:.3f} ms, nginx {nginx:.3f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=40)
    parser.add_argument("--crowd", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    many_files(4 * options.crowd)
    most = {"HLS_PER_ADDRESS": "10000000", "CONNECTIONS_PER_ADDRESS": "10000"}
    production = {"X_ACCEL_REDIRECT": "true", "BEHIND_PROXY": "true", "ALLOWED_HOSTS": "localhost"}
    with site(limits={**most, **production}) as (web, parts), shipped_nginx(parts.folder) as (port, nginx_pid):
        measure(options, (port, parts.instance.block.web), (web.running["web"].pid, nginx_pid), parts.folder)


def measure(options: argparse.Namespace, ports: tuple[int, int], pids: tuple[int, int], folder: Path) -> None:
    from rooms.recording.hls.tickets import ticket_to
    from tests.support.people import person, session_cookie
    from tests.support.rooms import open_room

    room = open_room()
    options.cookie, options.log = session_cookie(person("listener")), folder / "cached.log"
    recorder = Recorder(room.pk)
    recorder.start()
    time.sleep(10)

    def address(way: str) -> str:
        ticket = ticket_to(room.pk, room.epoch, room.entry_policy)
        return f"/r/{room.slug}/live.m3u8" if way == "checked" or ticket is None else ticket

    print(f"{options.listeners} listeners, {options.seconds:.0f} s a way, {options.rounds} rounds; {load()}")
    print("a listener-second:  passed on        web        nginx   newest p50     p99  failed", flush=True)
    results: dict[str, list[Result]] = {way: [] for way in WAYS}
    for _round in range(options.rounds):
        for way in WAYS:
            result = one_way(way, address(way), ports, pids, options)
            results[way].append(result)
            print(line_of(way, result, options.listeners * options.seconds), flush=True)
    ages = {way: median([median(result.ages) for result in found]) for way, found in results.items()}
    works = {way: median([result.web + result.nginx for result in found]) for way, found in results.items()}
    print(f"newest piece, ticket / uncached: {ages['ticket'] / ages['uncached']:.2f}")
    print(f"processor time, ticket / checked: {works['ticket'] / works['checked']:.3f}")
    for _round in range(options.rounds):
        print(f"{options.crowd} listeners by wrk; {load()}")
        print(crowd(ports[0], address("ticket"), options, pids), flush=True)
    recorder.over.set()
    print(load())


if __name__ == "__main__":
    main()
