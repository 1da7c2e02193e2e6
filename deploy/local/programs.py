"""Command lines of the site's processes, and the Redis key of each one's heartbeat."""

import sys
from pathlib import Path

from deploy.local.process import bound

BIN = Path(sys.prefix) / "bin"
ALIVE = {
    "media": "media:heartbeat",
    "standby": "media:heartbeat",
    "clock": "alive:clock",
    "work": "alive:work",
    "speech": "alive:speech",
    "captions": "alive:captions",
    "beat": "alive:beat",
    "voices": "alive:voices",
}
# Large enough for a crowd: with Daphne's defaults of 5 seconds and 50 all of a thousand sockets were refused.
PATIENCE = 30  # seconds for a WebSocket's handshake
BACKLOG = 1024  # connections that wait to be accepted
ORDER = ("media", "standby", "clock", "work", "speech", "captions", "beat", "web", "voices")


def celery(*words: str) -> list[str]:
    """Return a Celery command line."""
    return [str(BIN / "celery"), "--app", "config.celery", *words, "--loglevel", "INFO"]


def worker(name: str, *words: str, queues: str = "") -> list[str]:
    """Return the command line of a worker; its queue has its name unless `queues` says otherwise."""
    quiet = ["--without-mingle", "--without-gossip"]
    return celery("worker", "--queues", queues or name, "--hostname", f"{name}@%h", *quiet, *words)


def command(name: str, port: int = 0, host: str = "127.0.0.1", certificate: Path | None = None) -> list[str]:
    """Return the foreground command of a process. It ends when the process that started it dies."""
    lines = {
        "web": [
            "/usr/bin/env",
            "DATABASE_POOL=true",
            "PYTHONUNBUFFERED=1",  # requests are in the log as soon as they are answered
            sys.executable,
            "-m",
            "config.serving",
            "--websocket_connect_timeout",
            str(PATIENCE),
            "--endpoint",
            endpoint(port, host, certificate),
            "config.asgi:application",
        ],
        "media": [sys.executable, "manage.py", "media"],
        # Waits until the other supervisor is gone, and takes over at once.
        "standby": [sys.executable, "manage.py", "media"],
        "voices": [sys.executable, "manage.py", "voices"],
        "captions": [sys.executable, "manage.py", "captions"],
        # The 5-second clock and mails, which use one process at a time (mail/outbox.py): the other is the clock's.
        # Processes, not threads, because only they can be ended when a task hangs.
        "clock": worker("clock", "--concurrency", "2", queues="clock,mail"),
        "work": worker("work", "--concurrency", "2"),
        "speech": worker("speech", "--pool", "solo"),
        "beat": celery("beat", "--scheduler", "celery.beat.Scheduler", "--pidfile", ""),
    }
    return bound(lines[name])


def endpoint(port: int, host: str, certificate: Path | None) -> str:
    """Return Daphne's address to listen on in Twisted's syntax, which escapes colons."""
    where = host.replace(":", "\\:")
    if certificate is None:
        return f"tcp:port={port}:backlog={BACKLOG}:interface={where}"
    file = str(certificate).replace(":", "\\:")
    return f"ssl:port={port}:backlog={BACKLOG}:interface={where}:privateKey={file}:certKey={file}"
