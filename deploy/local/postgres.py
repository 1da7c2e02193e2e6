"""A private PostgreSQL: its own data folder, loopback only, a password for each role.

PostgreSQL refuses to run as root. Root runs it as the system's `postgres` user, in a folder that this user can reach:
under the checkout where every folder above lets others pass, else under /var/lib/stamtafel.

Its superuser only makes the database and the roles (deploy/postgres/roles.sql); the site runs as the application's
role, and `manage.py migrate` as the migrator.
"""

import hashlib
import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from deploy.local.keys import write_private
from deploy.local.process import CannotStart, answers, bound, need, run

RUNS_AS_FOR_ROOT = "postgres"
NAME = "stamtafel"  # of the database, and of the cluster's superuser
OWNER, MIGRATOR, APP = "stamtafel_owner", "stamtafel_migrator", "stamtafel_app"
ROLES = Path(__file__).resolve().parents[1] / "postgres" / "roles.sql"
ROLES_STAMP = "roles.stamp"
# No waiting for the disk: commits are in the kernel's cache, so they survive a killed server. And nothing is compiled
# for statements of milliseconds.
FAST = "fsync = off\nfull_page_writes = off\njit = off\n"


@dataclass(frozen=True)
class Postgres:
    """One instance of PostgreSQL. `throwaway` trades safety for speed, for data of tests."""

    folder: Path
    port: int
    keys: Mapping[str, str]
    throwaway: bool = False

    STOP: ClassVar[int] = signal.SIGINT  # disconnect clients and stop; TERM would wait for them

    @property
    def user(self) -> str | None:
        """The user that runs the server; None for the present one."""
        return RUNS_AS_FOR_ROOT if os.geteuid() == 0 else None

    @property
    def data(self) -> Path:
        """The data folder: where it exists, else where the user that runs the server can reach it."""
        here = self.folder / "postgres"
        if self.user is None:
            return here
        there = elsewhere(self.folder)
        if has_cluster(here):
            return here
        return there if has_cluster(there) or not passable(self.folder) else here

    @property
    def url(self) -> str:
        """DATABASE_URL: the role of the site."""
        return self._address(APP, "POSTGRES_APP_PASSWORD")

    @property
    def migrations_url(self) -> str:
        """MIGRATIONS_DATABASE_URL: the role that changes tables, as their owner."""
        return f"{self._address(MIGRATOR, 'POSTGRES_MIGRATOR_PASSWORD')}?role={OWNER}"

    @property
    def superuser_url(self) -> str:
        """The superuser's address, for making the roles, and in tests for an intruder with every right."""
        return self._address(NAME, "POSTGRES_PASSWORD")

    def _address(self, role: str, key: str) -> str:
        return f"postgresql://{role}:{self.keys[key]}@127.0.0.1:{self.port}/{NAME}"

    def prepare(self) -> None:
        """Make the data folder once; write the configuration every time, because ports may change. Raises
        CannotStart."""
        data = self.data
        if not has_cluster(data):
            self._create(data)
        elif self.user is not None and not passable(data.parent):
            raise CannotStart(
                f"PostgreSQL's data is in {data}, which its user {self.user} cannot reach any more: let others pass "
                f"through the folders above it (chmod o+x), or move it to {elsewhere(self.folder)}"
            )
        settings = (
            f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
            "max_connections = 250\nshared_buffers = 64MB\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n"
            + (FAST if self.throwaway else "")
        )
        file = data / "stamtafel.conf"
        write_private(file, settings)
        if self.user is not None:
            shutil.chown(file, self.user, self.user)

    def _create(self, data: Path) -> None:
        if not data.is_relative_to(self.folder):
            for folder in (data.parent.parent, data.parent):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o711)
        fresh = data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        secret = data.with_name("postgres.password")
        try:
            write_private(secret, self.keys["POSTGRES_PASSWORD"])
            if self.user is not None:
                shutil.chown(fresh, self.user, self.user)
                shutil.chown(secret, self.user, self.user)
            line = [program("initdb"), "--pgdata", str(fresh), "--username", NAME, "--pwfile", str(secret)]
            line += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]
            run([*line, *(["--no-sync"] if self.throwaway else [])], user=self.user)
        finally:
            secret.unlink(missing_ok=True)
        with (fresh / "postgresql.conf").open("a") as settings:
            settings.write("include 'stamtafel.conf'\n")
        fresh.rename(data)
        (self.folder / ROLES_STAMP).unlink(missing_ok=True)

    def command(self) -> list[str]:
        """Return the foreground command. It clears the environment: another user may run the server and could read
        ours."""
        version = (self.data / "PG_VERSION").read_text().strip()
        bare = ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8"]
        return [*bare, *bound([program("postgres", version), "-D", str(self.data)], user=self.user, death="INT")]

    def ready(self) -> bool:
        """Whether the application's role can connect. First makes database and roles where they are missing or
        changed."""
        import psycopg

        if not answers(self.port):
            return False
        stamp, wanted = self.folder / ROLES_STAMP, self._roles_fingerprint()
        try:
            if not stamp.is_file() or stamp.read_text() != wanted:
                self._make_roles()
                write_private(stamp, wanted)
            with psycopg.connect(self.url):
                return True
        except psycopg.OperationalError:
            return False

    def _roles_fingerprint(self) -> str:
        passwords = "".join(self.keys[key] for key in ("POSTGRES_MIGRATOR_PASSWORD", "POSTGRES_APP_PASSWORD"))
        return hashlib.sha256((ROLES.read_text() + str(self.data) + passwords).encode()).hexdigest()

    def _make_roles(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.superuser_url.removesuffix(NAME) + "postgres", autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {NAME}")
        with psycopg.connect(self.superuser_url) as connection:
            connection.execute(ROLES.read_bytes())
            for role, key in ((MIGRATOR, "POSTGRES_MIGRATOR_PASSWORD"), (APP, "POSTGRES_APP_PASSWORD")):
                # The server gets the verifier, never the password.
                verifier = connection.pgconn.encrypt_password(self.keys[key].encode(), role.encode(), b"scram-sha-256")
                line = sql.SQL("ALTER ROLE {} PASSWORD {}")
                connection.execute(line.format(sql.Identifier(role), sql.Literal(verifier.decode())))


def has_cluster(data: Path) -> bool:
    """Whether a folder has a cluster."""
    return (data / "PG_VERSION").exists()


def elsewhere(folder: Path) -> Path:
    """Return the place outside of the checkout for the data of this folder."""
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return Path("/var/lib/stamtafel") / place / "postgres"


def program(name: str, version: str = "*") -> str:
    """Return the path of a server program, of one version or the newest; Debian keeps each version in its own
    folder."""
    found = Path("/usr/lib/postgresql").glob(f"{version}/bin/{name}")
    newest = max(found, key=lambda path: float(path.parts[4]), default=None)
    return need(name, "postgresql") if newest is None else str(newest)


def passable(folder: Path) -> bool:
    """Whether other users may pass through every folder from the root to this one."""
    folder.mkdir(parents=True, exist_ok=True)
    return all(path.stat().st_mode & 0o001 for path in (folder.resolve(), *folder.resolve().parents))


def check_user() -> None:
    """Raise CannotStart for root without the system's postgres user."""
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(RUNS_AS_FOR_ROOT)
        except KeyError as error:
            raise CannotStart("there is no user postgres: run script/bootstrap, or install postgresql") from error
