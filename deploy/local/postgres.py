"""A private PostgreSQL: its own data folder, loopback only, one password.

PostgreSQL refuses to run as root. Root runs it as the system's `postgres` user, in a folder that user can reach:
under the checkout where every folder above lets others pass, else under /var/lib/stamtafel.
"""

import hashlib
import os
import pwd
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from deploy.local.process import CannotStart, answers, bound, need, run

RUNS_AS_FOR_ROOT = "postgres"
NAME = "stamtafel"
# No waiting for the disk. What is committed is with the kernel all the same: it outlives a server that is killed.
FAST = "fsync = off\nfull_page_writes = off\n"


@dataclass(frozen=True)
class Postgres:
    """One instance. `throwaway` trades safety for speed, for data that nobody needs tomorrow."""

    folder: Path
    port: int
    password: str
    throwaway: bool = False

    STOP: ClassVar[int] = signal.SIGINT  # disconnect everybody and stop; TERM would wait for them

    @property
    def user(self) -> str | None:
        """Who runs it where that is not ourselves."""
        return RUNS_AS_FOR_ROOT if os.geteuid() == 0 else None

    @property
    def data(self) -> Path:
        """Where its data is."""
        if self.user is None or passable(self.folder):
            return self.folder / "postgres"
        place = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:16]
        return Path("/var/lib/stamtafel") / place / "postgres"

    @property
    def url(self) -> str:
        """DATABASE_URL."""
        return f"postgresql://{NAME}:{self.password}@127.0.0.1:{self.port}/{NAME}"

    def prepare(self) -> None:
        """Make the data folder once; write the configuration every time, because ports may change."""
        data = self.data
        if not (data / "PG_VERSION").exists():
            self._create(data)
        settings = (
            f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
            "max_connections = 200\nshared_buffers = 64MB\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n"
            + (FAST if self.throwaway else "")
        )
        (data / "stamtafel.conf").write_text(settings)
        (data / "stamtafel.conf").chmod(0o644)

    def _create(self, data: Path) -> None:
        data.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        fresh = data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        secret = data.with_name("postgres.password")
        secret.write_text(self.password)
        try:
            if self.user is not None:
                shutil.chown(fresh, self.user)
                shutil.chown(secret, self.user)
            secret.chmod(0o600)
            line = [program("initdb"), "--pgdata", str(fresh), "--username", NAME, "--pwfile", str(secret)]
            line += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]
            run([*line, *(["--no-sync"] if self.throwaway else [])], user=self.user)
        finally:
            secret.unlink()
        with (fresh / "postgresql.conf").open("a") as settings:
            settings.write("include 'stamtafel.conf'\n")
        fresh.rename(data)

    def command(self) -> list[str]:
        """What runs in the foreground."""
        version = (self.data / "PG_VERSION").read_text().strip()
        return bound([program("postgres", version), "-D", str(self.data)], user=self.user, death="INT")

    def ready(self) -> bool:
        """Whether it answers queries; makes the database the first time."""
        import psycopg

        if not answers(self.port):
            return False
        try:
            with psycopg.connect(self.url.removesuffix(NAME) + "postgres", autocommit=True) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone()
                if known is None:
                    connection.execute(f"CREATE DATABASE {NAME}")
        except psycopg.OperationalError:
            return False
        return True


def program(name: str, version: str = "*") -> str:
    """A server program of one version, else the newest: Debian keeps them out of PATH, a version to a folder."""
    found = Path("/usr/lib/postgresql").glob(f"{version}/bin/{name}")
    newest = max(found, key=lambda path: float(path.parts[4]), default=None)
    return need(name, "postgresql") if newest is None else str(newest)


def passable(folder: Path) -> bool:
    """Whether another user may walk through every folder from the root down to this one."""
    folder.mkdir(parents=True, exist_ok=True)
    return all(path.stat().st_mode & 0o001 for path in (folder.resolve(), *folder.resolve().parents))


def check_user() -> None:
    """Root needs the system's postgres user."""
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(RUNS_AS_FOR_ROOT)
        except KeyError as error:
            raise CannotStart("there is no user postgres: run script/bootstrap, or install postgresql") from error
