"""A search of the whole site for one room: each column of each table, Redis, files. It needs no list of models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from psycopg import sql

from tests.moderation.builders import REDIS_READERS
from tests.privileges import superuser

NUMBERS = ("smallint", "integer", "bigint", "numeric")
_rooms = count(918_273_645)  # no other row has such a key, and no other number in a JSON such digits


def distinctive_key() -> int:
    """The key that the next room gets: to be found wherever it stands as a plain number, or in a text."""
    key = next(_rooms)
    with superuser() as connected:
        connected.execute("SELECT setval(pg_get_serial_sequence('rooms_room', 'id'), %s, false)", [key])
    return key


def everywhere(*words: str | int) -> set[str]:
    """Where any of these is: `table.column`, `redis key`, `file path`, with the words' own place in names as `*`."""
    found = {*in_columns(words), *in_redis(words), *in_files(words)}
    for word in words:
        found = {place.replace(str(word), "*") for place in found}
    return found


def in_columns(words: tuple[str | int, ...]) -> Iterator[str]:
    """Columns with a number that is the word, or with a text (of whatever type: JSON, bytes, arrays) that has it."""
    with superuser() as connected:
        columns = connected.execute(
            "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
            " JOIN pg_tables ON (schemaname, tablename) = (table_schema, table_name)"
            " WHERE table_schema IN ('public', 'ledger')"
        ).fetchall()
        for schema, table, column, kind in columns:
            if any(is_in_column(connected, (schema, table, column, kind), word) for word in words):
                yield f"{table}.{column}" if schema == "public" else f"{schema}.{table}.{column}"


def is_in_column(connected: Any, where: tuple[str, str, str, str], word: str | int) -> bool:
    schema, table, column, kind = where
    names = {"table": sql.Identifier(schema, table), "column": sql.Identifier(column)}
    if kind in NUMBERS:
        if not isinstance(word, int):
            return False
        number = "SELECT EXISTS (SELECT FROM {table} WHERE {column}::numeric = %s)"
        return bool(connected.execute(sql.SQL(number).format(**names), [word]).fetchone()[0])
    text = "SELECT EXISTS (SELECT FROM {table} WHERE {column}::text ILIKE %s OR {column}::text ILIKE %s)"
    patterns = [f"%{word}%", f"%{str(word).encode().hex()}%"]
    return bool(connected.execute(sql.SQL(text).format(**names), patterns).fetchone()[0])


def in_redis(words: tuple[str | int, ...]) -> Iterator[str]:
    """Names and values of keys, whatever their type."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for name in client.scan_iter():
            text = f"{name.decode(errors='replace')} {REDIS_READERS[client.type(name)](client, name)!r}"
            if any(str(word) in text for word in words):
                yield f"redis {name.decode(errors='replace').removeprefix(settings.REDIS_PREFIX)}"


def in_files(words: tuple[str | int, ...]) -> Iterator[str]:
    """Names and contents of everything that the site keeps in folders, mails too."""
    for folder in (
        *(settings.RECORDINGS_DIR, settings.WINDOW_DIR, settings.MEDIA_ROOT),
        *(settings.OUTSIDE_DIR, settings.MAIL_FOLDER),
    ):
        for path in Path(folder).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            if any(str(word) in path.name or str(word).encode() in content for word in words):
                yield f"file {Path(folder).name}/{path.relative_to(folder)}"
