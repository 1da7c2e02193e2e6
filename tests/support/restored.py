"""A backup of the database, and putting it back."""

import os
import subprocess
from pathlib import Path

from django.db import connections

from deploy.local.postgres import OWNER
from tests.support.privileges import migrations_database


def as_owner(*line: str) -> None:
    """One of PostgreSQL's programs as the tables' owner; its command line, which all may read, has no password."""
    given = migrations_database()
    env = {f"PG{name}": str(given[name]) for name in ("USER", "PASSWORD", "HOST", "PORT")}
    subprocess.run([*line, f"--role={OWNER}"], env={**os.environ, **env}, check=True, timeout=60)


def dump(file: Path) -> None:
    as_owner("pg_dump", "--format=custom", f"--file={file}", "--dbname=stamtafel")


def put_back(file: Path) -> None:
    connections.close_all()
    as_owner("pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname=stamtafel", str(file))
