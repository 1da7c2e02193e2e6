"""The tables as `migrate` makes them, kept from run to run: migrations take a worker fifteen seconds of a core.

Kept is PostgreSQL's own dump, under a fingerprint of all that it was made from, as it is before receivers of
`post_migrate` fill it. A process that runs tests reads it in and then migrates as ever: no migration is left, and what
comes after every `migrate` (permissions, groups, the rulebook, rights) is made by the code as it is now.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import psycopg
from django.conf import settings
from django.core.management import call_command

from deploy.local.postgres import NAME, ROLES, Postgres, program
from deploy.local.process import run
from tests.support.privileges import migrations_database
from tests.support.services import services

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".local" / "tests"


def migrate(postgres: Postgres | None = None) -> None:
    """Make the tables in the private database of this process, or of a bench, and what comes after each `migrate`."""
    make_tables(postgres)
    call_command("migrate", interactive=False, verbosity=0)


def make_tables(postgres: Postgres | None = None) -> None:
    """Make the tables where there are none, and the dump where there is none."""
    postgres = postgres or services().instance.postgres
    settings.MIGRATIONS_DATABASE = migrations_database(postgres)
    if has_tables(postgres):
        return
    dump = KEPT / f"{fingerprint()}.sql"
    with _alone():  # the others wait for the first, and do not migrate beside it
        if dump.exists():
            _run(
                postgres,
                "psql",
                "--no-psqlrc",
                "--quiet",
                "--single-transaction",
                "--set=ON_ERROR_STOP=1",
                f"--file={dump}",
            )
        else:
            with mock.patch("django.core.management.commands.migrate.emit_post_migrate_signal"):
                call_command("migrate", interactive=False, verbosity=0)
            _keep(postgres, dump)


def has_tables(postgres: Postgres) -> bool:
    """Whether there is a table in the database."""
    with psycopg.connect(postgres.superuser_url) as connected:
        found = connected.execute("SELECT 1 FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)' LIMIT 1")
        return found.fetchone() is not None


def fingerprint() -> str:
    """Return the SHA-256 (hex) of what says which tables an empty database gets: migrations, ours and those of the
    packages, the roles that own them, and the server's version, which is in its path."""
    found = hashlib.sha256(program("postgres").encode())
    for file in sorted([*ROOT.glob("*/migrations/*.py"), ROLES, ROOT / "requirements.lock"]):
        found.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _keep(postgres: Postgres, dump: Path) -> None:
    """Dump the database; dumps of other migrations go."""
    for older in KEPT.glob("*.sql"):
        older.unlink()
    draft = dump.with_suffix(".draft")
    _run(postgres, "pg_dump", f"--file={draft}")
    draft.replace(dump)


def _run(postgres: Postgres, name: str, *arguments: str) -> None:
    """Run a client of PostgreSQL as its superuser, whose password is on no command line."""
    address = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGDATABASE": NAME, "PGUSER": NAME}
    run([program(name), *arguments], env={**os.environ, **address, "PGPASSWORD": postgres.keys["POSTGRES_PASSWORD"]})


@contextmanager
def _alone() -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
