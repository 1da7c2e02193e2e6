"""The tables between two tests: emptied where they have rows, put back where migrations had filled them.

Django's `flush` empties every table and then lets every app make its permissions and groups anew, which takes longer
than most tests. Here rows that were there after `migrate` (content types, permissions, groups) keep their keys.
"""

from __future__ import annotations

from typing import Any

from psycopg import OperationalError, sql

from tests.support.privileges import Connection, superuser

Table = tuple[str, str]  # schema, name
LARGE = 1 << 20  # bytes; emptying a table row by row is quicker below this, and slower above

_filled: dict[Table, tuple[str, bytes]] = {}
_kept: Connection | None = None


def _superuser() -> Connection:
    """A connection that is kept from test to test: a new one has to read about every table first, which takes longer
    than emptying them."""
    global _kept
    if _kept is None or _kept.closed:
        _kept = superuser()
    return _kept


def remember() -> None:
    """Note what every table has; called once, when `migrate` is done."""
    connected = _superuser()
    for table in _with_rows(connected, list(_sizes(connected))):
        _filled[table] = _digest(connected, table), _copy(connected, table)


def reset() -> None:
    """Bring every table back to what it had then. Sequences go on, as with `flush`."""
    connected = _superuser()
    try:
        _reset(connected)
    except OperationalError:
        if not connected.closed:
            raise
        _reset(_superuser())  # PostgreSQL was restarted since


def _reset(connected: Connection) -> None:
    """It is beyond the site's role, and must not stop at the guard of the ledger: triggers do not fire. It waits for
    transactions that still write, as TRUNCATE does."""
    with connected.transaction():
        connected.execute("SET LOCAL session_replication_role = 'replica'")
        sizes = _sizes(connected)
        names = sql.SQL(", ").join(map(_name, sizes))
        connected.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(names))
        changed = [table for table in _with_rows(connected, list(sizes)) if table not in _filled]
        changed += [table for table, (digest, _rows) in _filled.items() if _digest(connected, table) != digest]
        for table in changed:
            empty = "TRUNCATE {}" if sizes[table] > LARGE else "DELETE FROM {}"
            connected.execute(sql.SQL(empty).format(_name(table)))
            if table in _filled:
                with connected.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(_name(table))) as copy:
                    copy.write(_filled[table][1])


def _sizes(connected: Connection) -> dict[Table, int]:
    """Every table, with its size in bytes; 0 for one to which others refer: it cannot be truncated without them."""
    rows = connected.execute(
        "SELECT schemaname, tablename, CASE WHEN EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND"
        " confrelid = tables.oid) THEN 0 ELSE pg_relation_size(tables.oid) END FROM (SELECT schemaname, tablename,"
        " format('%I.%I', schemaname, tablename)::regclass AS oid FROM pg_tables"
        " WHERE schemaname IN ('public', 'ledger')) AS tables ORDER BY 1, 2"
    )
    return {(schema, name): size for schema, name, size in rows}


def _with_rows(connected: Connection, tables: list[Table]) -> list[Table]:
    questions = [sql.SQL("EXISTS (SELECT FROM {})").format(_name(table)) for table in tables]
    answers: Any = connected.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(questions))).fetchone()
    return [table for table, has_rows in zip(tables, answers, strict=True) if has_rows]


def _digest(connected: Connection, table: Table) -> str:
    query = sql.SQL("SELECT md5(coalesce(string_agg(row::text, E'\\n' ORDER BY row::text), '')) FROM {} AS row")
    found = connected.execute(query.format(_name(table))).fetchone()
    assert found is not None
    return str(found[0])


def _copy(connected: Connection, table: Table) -> bytes:
    with connected.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(_name(table))) as copy:
        return b"".join(copy)


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(*table)
