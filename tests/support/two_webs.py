"""Two web processes behind the nginx configuration that we ship, one of which is killed, or told to end."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.process import answers, bound, need, start, stop, wait_for
from deploy.local.programs import command
from tests.support.processes import Site

# What these processes must know, beside SITE_URL.
BEHIND = {"BEHIND_PROXY": "true", "X_ACCEL_REDIRECT": "true"}


class Webs:
    """The two processes, by place; one that ended is started again. Each has a log of its own."""

    def __init__(self, site: Site, ports: tuple[int, int], **env: str) -> None:
        """`env`: settings of their own."""
        self.site, self.ports, self.env = site, ports, env
        self.running: dict[int, subprocess.Popen[bytes]] = {}

    def log(self, place: int) -> Path:
        return self.site.log(f"web-{place}")

    def start(self, place: int) -> None:
        """Start a process and wait until it answers."""
        port, env = self.ports[place], {**os.environ, **self.env}
        process = self.running[place] = start(command("web", port), self.log(place), env)
        wait_for("web", lambda: answers(port), lambda: process.poll() is None)

    def end(self, place: int, sign: int) -> None:
        self.running[place].send_signal(sign)

    def again(self, place: int) -> None:
        """Start a process again once it has ended."""
        self.running[place].wait()
        self.start(place)

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


@contextmanager
def front(folder: Path, port: int, backends: tuple[int, int]) -> Iterator[ssl.SSLContext]:
    """Run nginx with the configuration that we ship before two processes; yields what connects to it."""
    from tests.deploy.test_nginx import AROUND, configured

    first, second = backends
    text = configured(folder, port)
    one = f"server 127.0.0.1:{first} max_fails=0;"
    assert one in text
    two = f"{one}\n    server 127.0.0.1:{second} max_fails=0;"
    (folder / "stamtafel.conf").write_text(text.replace(one, two))
    user = "user root;" if os.geteuid() == 0 else ""
    around = AROUND.format(folder=folder, user=user).replace("worker_connections 256", "worker_connections 16384")
    (folder / "nginx.conf").write_text(around)
    line = [need("nginx", "nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    nginx = start(bound(line, death="TERM"), folder / "nginx.log")
    try:
        wait_for("nginx", lambda: answers(port), lambda: nginx.poll() is None)
        yield ssl._create_unverified_context()
    finally:
        stop(nginx)
