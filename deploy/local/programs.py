"""The site's processes: their command lines, and the key in Redis by which each shows that it is at work."""

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
    "beat": "alive:beat",
    "voices": "alive:voices",
}
# A thousand who come in at once wait their turn: Daphne's own 5 seconds and 50 places turned all of them away.
PATIENCE = 30  # seconds for a WebSocket's handshake
BACKLOG = 1024  # connections that wait to be accepted
ORDER = ("media", "standby", "clock", "work", "speech", "beat", "web", "voices")


def celery(*words: str) -> list[str]:
    """A Celery command line. Workers need not know of each other."""
    return [str(BIN / "celery"), "--app", "config.celery", *words, "--loglevel", "INFO"]


def worker(name: str, *words: str, queues: str = "") -> list[str]:
    """A worker, of the queue that is called as it is unless others are named."""
    quiet = ["--without-mingle", "--without-gossip"]
    return celery("worker", "--queues", queues or name, "--hostname", f"{name}@%h", *quiet, *words)


def command(name: str, port: int = 0, host: str = "127.0.0.1", certificate: Path | None = None) -> list[str]:
    """What runs in the foreground; it ends when whoever started it dies."""
    lines = {
        "web": [
            "/usr/bin/env",
            "DATABASE_POOL=true",
            "PYTHONUNBUFFERED=1",  # a request stands in the log when it was answered
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
        # Waits, ready, until the other supervisor is gone: then it takes over within a moment.
        "standby": [sys.executable, "manage.py", "media"],
        "voices": [sys.executable, "manage.py", "voices"],
        # The 5-second clock and the mails, which take one place at a time (mail/outbox.py): the other is the clock's.
        # Processes, not threads, because only they can be ended when a task hangs.
        "clock": worker("clock", "--concurrency", "2", queues="clock,mail"),
        "work": worker("work", "--concurrency", "2"),
        "speech": worker("speech", "--pool", "solo"),
        "beat": celery("beat", "--scheduler", "celery.beat.Scheduler", "--pidfile", ""),
    }
    return bound(lines[name])


def endpoint(port: int, host: str, certificate: Path | None) -> str:
    """Where Daphne listens, in Twisted's words; colons are escaped there."""
    where = host.replace(":", "\\:")
    if certificate is None:
        return f"tcp:port={port}:backlog={BACKLOG}:interface={where}"
    file = str(certificate).replace(":", "\\:")
    return f"ssl:port={port}:backlog={BACKLOG}:interface={where}:privateKey={file}:certKey={file}"
