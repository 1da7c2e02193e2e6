"""supervisord, the process manager of script/server: restarts processes that die, and stops all when it dies itself."""

import http.client
import os
import shlex
import subprocess
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from deploy.local.keys import write_private
from deploy.local.process import CannotStart, answers, bound, start, wait_for
from deploy.local.programs import BIN

PARTS = ("postgres", "redis", "janus")
# Seconds from TERM to KILL. Whisper's work may be cut off, because it is claimed with a lease.
PATIENCE = {"postgres": 30, "redis": 20, "janus": 10, "web": 35, "media": 15, "clock": 10, "work": 15, "speech": 5}
GONE = (OSError, http.client.HTTPException, xmlrpc.client.Error)

HEAD = """[supervisord]
nodaemon=true
silent=true
directory={root}
logfile={folder}/log/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={folder}/supervisord.pid
childlogdir={folder}/log
umask=077
{user}
[inet_http_server]
port=127.0.0.1:{port}
username=stamtafel
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=http://127.0.0.1:{port}
username=stamtafel
password={password}
"""
PROGRAM = """
[program:{name}]
command={command}
priority={priority}
autostart={autostart}
autorestart=true
startsecs={startsecs}
startretries=20
stopsignal={signal}
stopwaitsecs={patience}
killasgroup=true
redirect_stderr=true
stdout_logfile={folder}/log/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


class Manager:
    """supervisord with the programs of one checkout, in the order in which they start."""

    def __init__(self, root: Path, folder: Path, port: int, password: str) -> None:
        self.root, self.folder, self.port, self.password = root, folder, port, password
        self.process: subprocess.Popen[bytes] | None = None
        self.names: list[str] = []

    @property
    def configuration(self) -> Path:
        """The configuration file, for supervisorctl too."""
        return self.folder / "supervisord.conf"

    def write(self, programs: Mapping[str, Sequence[str]]) -> None:
        """Write the configuration: parts start with supervisord, the site's processes by `begin`."""
        (self.folder / "log").mkdir(exist_ok=True, mode=0o700)
        text = HEAD.format(
            root=self.root,
            folder=self.folder,
            port=self.port,
            password=self.password,
            user="user=root\n" if os.geteuid() == 0 else "",
        )
        for place, (name, command) in enumerate(programs.items()):
            text += PROGRAM.format(
                name=name,
                command=shlex.join(command).replace("%", "%%"),
                priority=10 * (place + 1),
                autostart=str(name in PARTS).lower(),
                startsecs=0 if name in PARTS else 1,
                signal="INT" if name == "postgres" else "TERM",
                patience=PATIENCE.get(name, 10),
                folder=self.folder,
            )
        write_private(self.configuration, text)
        self.names = list(programs)

    def start(self, env: Mapping[str, str]) -> None:
        """Start supervisord, which stops everything cleanly when this process dies. Raises CannotStart."""
        command = bound([str(BIN / "supervisord"), "--nodaemon", "--configuration", str(self.configuration)])
        self.process = start(command, self.folder / "log" / "supervisord.out", env)
        wait_for("supervisord", lambda: answers(self.port), self.alive, 15)

    def alive(self) -> bool:
        """Whether supervisord runs."""
        return self.process is not None and self.process.poll() is None

    def call(self, method: str, *arguments: object) -> object:
        """Call a method of supervisord's XML-RPC interface."""
        address = f"http://stamtafel:{self.password}@127.0.0.1:{self.port}/RPC2"
        with xmlrpc.client.ServerProxy(address) as server:
            return getattr(server.supervisor, method)(*arguments)

    def begin(self, name: str) -> None:
        """Start one program without waiting for it. Raises CannotStart."""
        try:
            self.call("startProcess", name, False)
        except GONE as error:
            raise CannotStart(f"{name} does not start: see {self.log(name)} ({error})") from error

    def states(self) -> dict[str, str]:
        """Return supervisord's state of every program; {} where it does not answer."""
        try:
            found = self.call("getAllProcessInfo")
        except GONE:
            return {}
        assert isinstance(found, list)
        return {entry["name"]: entry["statename"] for entry in found}

    def running(self, name: str) -> bool:
        """Whether a program runs or is being restarted."""
        return self.alive() and self.states().get(name, "RUNNING") not in ("FATAL", "EXITED", "UNKNOWN")

    def log(self, name: str) -> Path:
        """Return a program's log file."""
        return self.folder / "log" / f"{name}.log"

    def tail(self, name: str, lines: int = 15) -> str:
        """Return the last lines of a program's log."""
        try:
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def stop(self) -> None:
        """Stop the site's processes, all at once, then the parts they need, then supervisord."""
        if self.process is None or not self.alive():
            return
        for name, state in self.states().items():
            if name not in PARTS and state in ("RUNNING", "STARTING"):
                with suppress(*GONE):
                    self.call("stopProcess", name, False)
        self.process.terminate()
        until = time.monotonic() + sum(PATIENCE.values())
        while self.process.poll() is None and time.monotonic() < until:
            # It turns to its next program when it wakes: once a second, unless somebody comes to its door.
            answers(self.port)
            time.sleep(0.05)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
