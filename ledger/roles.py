"""Database roles: the rights of the application's role, and a check for rights beyond them.

`deploy/postgres/roles.sql` makes the roles: an owner that nobody logs in as, a migrator that may become the owner, and
the application, which owns nothing. An installation with one role only works too; `ledger verify` then lists what that
role could do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ledger.models import Entry, Text

# Revoke everything first, so that a table made by an older version ends with the same rights.
GRANTS = """
GRANT USAGE ON SCHEMA public, ledger TO {app};
REVOKE ALL ON ALL TABLES IN SCHEMA public, ledger FROM PUBLIC, {app};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public, ledger FROM PUBLIC, {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app};
REVOKE INSERT, UPDATE, DELETE ON public.django_migrations FROM {app};
GRANT SELECT, INSERT ON ledger.entry TO {app};
GRANT SELECT, DELETE, INSERT (entry_seq, name, salt, text) ON ledger.text TO {app};
"""

# Triggers as PostgreSQL writes them out, and the SHA-256 of each guarding function's body (migration 0001).
GUARDS = {
    Entry: {
        "ledger_no_change": "BEFORE DELETE OR UPDATE ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.refuse()",
        "ledger_no_truncate": "BEFORE TRUNCATE ON ledger.entry FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()",
        "ledger_in_order": "BEFORE INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.next()",
    },
    Text: {
        "ledger_text_of_entry": "BEFORE INSERT ON ledger.text FOR EACH ROW EXECUTE FUNCTION ledger.text_of_entry()",
    },
}
GUARD_BODIES = {
    "refuse": "fd71d77e3839156e323b40f3ff57c1b22cd1a0325e01e9f8b67baca964f01cfe",
    "next": "92d638a68d233b933b6140ed97f238d20254bd65a4728d03b6d11bd118b31e7c",
    "text_of_entry": "b90cb39a5a61949c0055e85e190552e2e842d207477db6a01201c04d070ad499",
}


@contextmanager
def as_migrator(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """Connect as the role of MIGRATIONS_DATABASE_URL while the block runs; as the site's own role where it is not
    set."""
    connection = connections[alias]
    given = connection.settings_dict
    if settings.MIGRATIONS_DATABASE:
        connection.close()
        connection.settings_dict = {**given, **settings.MIGRATIONS_DATABASE}
    try:
        yield connection
    finally:
        if connection.settings_dict is not given:
            connection.close()
            connection.settings_dict = given


def grant(connection: BaseDatabaseWrapper, app: str) -> None:
    """Grant the application rows to read and write, and only appending to the ledger. Needs the tables' owner.

    Before the ledger has its schema (`migrate --plan`, or one app alone, on a new database) there is nothing to grant.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('ledger.entry') IS NOT NULL AND to_regclass('ledger.text') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return
        cursor.execute(sql.SQL(GRANTS).format(app=sql.Identifier(app)).as_string())


# Rights of the current role beyond appending: a phrase for `ledger verify`, and the query. The application's has none.
POWERS = {
    "is a superuser of the database server": "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
    "may make or change roles": "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user",
    "owns the table of the ledger, or may become its owner": (
        "SELECT bool_or(pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_class"
        " WHERE oid IN ('ledger.entry'::regclass, 'ledger.text'::regclass)"
    ),
    "owns the functions that guard the ledger, or may become their owner": (
        "SELECT bool_or(pg_has_role(current_user, proowner, 'MEMBER')) FROM pg_proc"
        " WHERE pronamespace = 'ledger'::regnamespace"
    ),
    "owns the database, or may become its owner": (
        "SELECT pg_has_role(current_user, datdba, 'MEMBER') FROM pg_database WHERE datname = current_database()"
    ),
    "may change, remove or truncate entries, or put triggers on them": (
        "SELECT has_table_privilege('ledger.entry', 'UPDATE') OR has_table_privilege('ledger.entry', 'DELETE')"
        " OR has_table_privilege('ledger.entry', 'TRUNCATE') OR has_table_privilege('ledger.entry', 'TRIGGER')"
    ),
    "may make objects in the schemas of the site": (
        "SELECT bool_or(has_schema_privilege(oid, 'CREATE')) FROM pg_namespace WHERE nspname IN ('public', 'ledger')"
    ),
    "may make temporary tables": "SELECT has_database_privilege(current_database(), 'TEMPORARY')",
    "may switch triggers off": "SELECT has_parameter_privilege('session_replication_role', 'SET')",
}


def powers(connection: BaseDatabaseWrapper) -> list[str]:
    """List what the current role could do to the ledger besides appending."""
    found = []
    with connection.cursor() as cursor:
        for power, question in POWERS.items():
            cursor.execute(question)
            if cursor.fetchone()[0]:
                found.append(power)
    return found


def missing_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """List triggers of the ledger that are missing, disabled or not as they were made, such as one with a condition or
    one whose function does something else."""
    bodies = _function_bodies(connection)
    missing = []
    for model, guards in GUARDS.items():
        on = _triggers_on(connection, model._meta.db_table)
        for name, definition in sorted(guards.items()):
            function = definition.rpartition("ledger.")[2].removesuffix("()")
            as_made = on.get(name) == f"CREATE TRIGGER {name} {definition}"
            if not as_made or bodies.get(function) != GUARD_BODIES[function]:
                missing.append(name)
    return missing


def foreign_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """List triggers and rules on the ledger's tables that are not ours: they could drop what is appended."""
    found = []
    for model, guards in GUARDS.items():
        table = model._meta.db_table
        found += [f"a trigger of others: {name}" for name in _triggers_on(connection, table) if name not in guards]
        with connection.cursor() as cursor:
            cursor.execute("SELECT rulename FROM pg_catalog.pg_rewrite WHERE ev_class = %s::regclass", [table])
            found += [f"a rule: {name}" for (name,) in cursor.fetchall()]
    return sorted(found)


def _triggers_on(connection: BaseDatabaseWrapper, table: str) -> dict[str, str]:
    """Return the enabled triggers on a table by name, as the statement that makes each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, pg_catalog.pg_get_triggerdef(oid) FROM pg_catalog.pg_trigger"
            " WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A') AND NOT tgisinternal",
            [table],
        )
        return dict(cursor.fetchall())


def _function_bodies(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the SHA-256 (hex) of the body of each function of the ledger that has a fixed search path, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') FROM pg_catalog.pg_proc"
            " WHERE pronamespace = 'ledger'::regnamespace"
            " AND proconfig = ARRAY['search_path=pg_catalog, pg_temp']"
        )
        return dict(cursor.fetchall())
