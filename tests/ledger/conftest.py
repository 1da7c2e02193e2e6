"""Connections to the test database: with every right, and with those of a well-kept site."""

from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from ledger.ownership import handover_sql

Connection = psycopg.Connection[tuple[Any, ...]]


def connect(user: str | None = None, password: str | None = None) -> Connection:
    """A connection of its own to the test database, each statement its own transaction."""
    given = connection.settings_dict
    return psycopg.connect(
        host=given["HOST"],
        port=given["PORT"],
        dbname=given["NAME"],
        user=user or given["USER"],
        password=password or given["PASSWORD"],
        autocommit=True,
    )


@pytest.fixture
def privileged(transactional_db: None) -> Generator[Connection]:
    """Somebody who broke into the database with every right, and switches the guards off."""
    with connect() as connected:
        connected.execute("SET session_replication_role = 'replica'")
        yield connected


@pytest.fixture
def site_role(transactional_db: None) -> Generator[Connection]:
    """The role that the site should run as: it reads and appends, and owns nothing (`ledger handover`)."""
    with connect() as owner:
        role = sql.Identifier("site_for_tests")
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'site'").format(role))
        owner.execute(handover_sql("ledger_owner_for_tests", "site_for_tests"))
        owner.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_text TO {}").format(role))
        owner.execute(sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
        try:
            with connect("site_for_tests", "site") as connected:
                yield connected
        finally:
            me = sql.Identifier(connection.settings_dict["USER"])
            for lost in (role, sql.Identifier("ledger_owner_for_tests")):
                owner.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(lost, me))
                owner.execute(sql.SQL("DROP OWNED BY {}").format(lost))
                owner.execute(sql.SQL("DROP ROLE {}").format(lost))
