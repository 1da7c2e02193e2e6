"""Limits of the site's database role on the ledger for any SQL, and the report of a role with more power."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from psycopg.errors import CheckViolation, InsufficientPrivilege, RestrictViolation, UniqueViolation

from deploy.local.postgres import APP, OWNER
from ledger import roles
from ledger.actions import record
from ledger.models import Entry
from ledger.verify import verify
from tests.support.privileges import Connection, migrations_database, owner, superuser

pytestmark = pytest.mark.django_db(transaction=True)

ROW = "INSERT INTO ledger.entry (seq, kind, subject, actor, at, data, commitments, previous, seal) VALUES "
SHADOW = "CREATE TEMP TABLE entry (LIKE ledger.entry)"


def write(number: int) -> None:
    with transaction.atomic():
        record("acted", f"room:{number}", None, {"number": number}, {"note": "a word"})


@pytest.fixture(autouse=True)
def _recording_goes_on(transactional_db: None) -> Iterator[None]:
    """Check after each test that new entries are recorded, and that the chain holds up to the test's own."""
    write(1)
    write(2)
    yield
    before = Entry.objects.count()
    write(3)
    write(4)
    assert Entry.objects.count() == before + 2


def refused(connected: Connection, *statements: str) -> None:
    for statement in statements:
        with pytest.raises((InsufficientPrivilege, RestrictViolation, CheckViolation)):
            connected.execute(statement)


def test_the_site_s_role_cannot_change_what_was_recorded(site_role: Connection) -> None:
    refused(
        site_role,
        "UPDATE ledger.entry SET actor = 1",
        "DELETE FROM ledger.entry",
        "TRUNCATE ledger.entry",
        "TRUNCATE ledger.text",
        "UPDATE ledger.text SET text = 'other'",
        "DROP TABLE ledger.entry",
        "DROP SCHEMA ledger CASCADE",
        "ALTER TABLE ledger.entry RENAME TO other",
        "ALTER TABLE ledger.entry DROP CONSTRAINT entry_number",
        "DO 'BEGIN LOCK TABLE ledger.entry IN ACCESS EXCLUSIVE MODE; END'",
        "SELECT * FROM ledger.entry FOR UPDATE",
        "COMMENT ON TABLE ledger.entry IS 'mine'",
    )
    assert (verify().problems, Entry.objects.count()) == ([], 2)


def test_the_site_s_role_cannot_take_the_guards_away(site_role: Connection) -> None:
    refused(
        site_role,
        "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_no_change ON ledger.entry",
        "CREATE TRIGGER mine BEFORE INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.refuse()",
        "CREATE RULE mine AS ON INSERT TO ledger.entry DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "ALTER FUNCTION ledger.next() SET search_path = public",
        "ALTER FUNCTION ledger.next() RESET ALL",
        "DROP FUNCTION ledger.next() CASCADE",
        "SET session_replication_role = 'replica'",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE public.mine ()",
        "CREATE TABLE ledger.mine ()",
        "CREATE SCHEMA mine",
        "SET ROLE stamtafel_owner",
        "SET ROLE stamtafel_migrator",
        "SET SESSION AUTHORIZATION stamtafel",
        "CREATE ROLE mine",
        "ALTER ROLE stamtafel_app SUPERUSER",
        "GRANT stamtafel_owner TO stamtafel_app",
        "ALTER DATABASE stamtafel SET session_replication_role = 'replica'",
        "ALTER ROLE stamtafel_app SET session_replication_role = 'replica'",
        "CREATE EXTENSION dblink",
        "COPY ledger.entry TO PROGRAM 'cat'",
        "SELECT pg_read_file('PG_VERSION')",
    )
    assert verify().problems == [] and verify().remarks[1:] == []


def test_no_shadow_lets_the_last_number_in(site_role: Connection) -> None:
    """Regression: a temporary table of the ledger's name, then an entry with seq 2^63-1, stopped recording for ever."""
    refused(site_role, SHADOW, "CREATE TEMP TABLE ledger_entry (LIKE ledger.entry)", "CREATE TEMP VIEW e AS SELECT 1")
    site_role.execute("SET search_path = pg_temp, public, ledger")
    refused(site_role, f"{ROW} (9223372036854775807, 'x', 'x', NULL, now(), '{{}}', '{{}}', repeat('0', 64), 'x')")
    assert Entry.objects.count() == 2


def test_a_shadow_lets_nothing_in_even_where_temporary_tables_are_allowed(site_role: Connection) -> None:
    with superuser() as connected:
        connected.execute("GRANT TEMPORARY ON DATABASE stamtafel TO stamtafel_app")
    try:
        site_role.execute(SHADOW)
        site_role.execute("CREATE TEMP TABLE ledger_entry (LIKE ledger.entry)")
        site_role.execute("SET search_path = pg_temp, ledger, public")
        refused(site_role, f"{ROW} (9223372036854775807, 'x', 'x', NULL, now(), '{{}}', '{{}}', repeat('0', 64), 'x')")
        with connection.cursor() as cursor:
            cursor.execute(SHADOW)
        write(9)  # the site's own connection, with a shadow in it
        assert Entry.objects.count() == 3
        assert "this database role may make temporary tables" in verify().remarks
    finally:
        connection.close()
        with superuser() as connected:
            connected.execute("REVOKE TEMPORARY ON DATABASE stamtafel FROM stamtafel_app")


@pytest.mark.parametrize(
    "statement",
    [
        # The next entry would have to name a seal that one names already.
        ROW + "(3, 'x', 'x', NULL, now(), '{}', '{}', '@', repeat('0', 64))",
        ROW + "(3, 'x', 'x', NULL, now(), '{}', '{}', '@', '@')",
        # Nobody could read it, or nothing could follow.
        ROW + "(3, 'x', 'x', NULL, 'infinity', '{}', '{}', '@', repeat('a', 64))",
        ROW + "(3, 'x', 'x', NULL, '20000-01-01', '{}', '{}', '@', repeat('a', 64))",
        ROW + "(3, 'x', 'x', NULL, now(), '{}', '{}', '@', '')",
        ROW + "(3, 'x', 'x', NULL, now(), (repeat('[', 4000)||repeat(']', 4000))::jsonb, '{}', '@', repeat('a', 64))",
        ROW + "(3, 'x', 'x', NULL, now(), '{}', '{\"a\": 1e100000}', '@', repeat('a', 64))",
        # A text that waits for an entry to come, and ids that the sequence would reach.
        "INSERT INTO ledger.text (entry_seq, name, salt, text) VALUES (3, 'note', 'x', 'x')",
        "INSERT INTO ledger.text (entry_seq, name, salt, text) VALUES (2, 'other', 'x', 'x')",
        "INSERT INTO ledger.text (id, entry_seq, name, salt, text) VALUES (4, 2, 'note', 'x', 'x')",
        "INSERT INTO ledger.text (id, entry_seq, name, salt, text) OVERRIDING SYSTEM VALUE VALUES (4, 2, 'a', '', '')",
        "SELECT setval(pg_get_serial_sequence('ledger.text', 'id'), 9223372036854775807)",
    ],
)
def test_no_row_can_stop_recording(site_role: Connection, statement: str) -> None:
    seal = Entry.objects.order_by("-seq").values_list("seal", flat=True)[0]
    refused(site_role, statement.replace("@", seal))


def test_a_row_in_the_right_place_is_taken_and_told(site_role: Connection) -> None:
    """The role may append, so it may append nonsense: recording goes on after it, and `verify` names it."""
    seal = Entry.objects.order_by("-seq").values_list("seal", flat=True)[0]
    site_role.execute(f"{ROW} (3, 'x', 'x', NULL, now(), '[]', '[1]', '{seal}', '{secrets.token_hex(32)}')")
    write(5)
    assert len(verify().problems) == 1 and "entry 3" in verify().problems[0]


def test_the_owner_meets_the_bounds_too(owner: Connection) -> None:
    owner.execute("ALTER TABLE ledger.entry DISABLE TRIGGER ledger_in_order")
    try:
        refused(owner, f"{ROW} (9223372036854775807, 'x', 'x', NULL, now(), '{{}}', '{{}}', 'x', 'x')")
        assert "the guard ledger_in_order is gone or switched off" in verify().problems
    finally:
        owner.execute("ALTER TABLE ledger.entry ENABLE TRIGGER ledger_in_order")
    with pytest.raises((UniqueViolation, RestrictViolation)):
        owner.execute("INSERT INTO ledger.entry SELECT * FROM ledger.entry")


def test_verify_tells_what_a_mightier_role_could_do() -> None:
    assert roles.powers(connection) == []
    with roles.as_migrator("default") as mighty:
        told = roles.powers(mighty)
    assert "owns the table of the ledger, or may become its owner" in told
    assert "may change, remove or truncate entries, or put triggers on them" in told
    assert "is a superuser of the database server" not in told
    assert connection.settings_dict["USER"] == "stamtafel_app" and roles.powers(connection) == []


def test_one_role_only_works_as_well_and_is_told(settings: object) -> None:
    """An operator who gives no MIGRATIONS_DATABASE_URL migrates as the role that the site runs as: grants stay."""
    settings.MIGRATIONS_DATABASE = {}  # type: ignore[attr-defined]
    call_command("migrate", interactive=False, verbosity=0)  # nothing to do, and nothing granted
    assert roles.powers(connection) == []


def test_before_the_first_migration_there_is_nothing_to_grant() -> None:
    """`manage.py migrate --plan`, or one app alone, on a database that was just made."""
    with superuser() as connected:
        connected.execute(f"CREATE DATABASE fresh OWNER {OWNER}")
    fresh = connection.copy("default")
    fresh.settings_dict = {**connection.settings_dict, **migrations_database(), "NAME": "fresh"}
    try:
        roles.grant(fresh, APP)
    finally:
        fresh.close()
        with superuser() as connected:
            connected.execute("DROP DATABASE fresh")


def test_a_database_of_the_older_layout_is_refused_with_a_sentence() -> None:
    with owner() as connected:
        connected.execute("CREATE TABLE public.people_mail (id bigint)")
    try:
        with pytest.raises(CommandError, match=r"Delete \.local/"):
            call_command("migrate", interactive=False, verbosity=0)
    finally:
        with owner() as connected:
            connected.execute("DROP TABLE public.people_mail")


def test_tables_that_a_later_version_makes_are_the_site_s_too(site_role: Connection) -> None:
    """Rights are granted after each run of `migrate`, sequences included, not only for the tables of today."""
    with owner() as connected:
        connected.execute("CREATE TABLE public.later (id bigserial PRIMARY KEY, word text)")
    try:
        refused(site_role, "INSERT INTO later (word) VALUES ('x')")
        call_command("migrate", interactive=False, verbosity=0)
        site_role.execute("INSERT INTO later (word) VALUES ('x')")
        site_role.execute("UPDATE later SET word = 'y'")
        refused(site_role, "TRUNCATE later", "DROP TABLE later")
    finally:
        with owner() as connected:
            connected.execute("DROP TABLE public.later")


def test_site_tables_are_out_of_reach_but_for_rows(site_role: Connection) -> None:
    site_role.execute("SELECT 1 FROM people_user")
    refused(site_role, "TRUNCATE people_user", "ALTER TABLE people_user DISABLE TRIGGER ALL", "DROP TABLE people_user")
    refused(site_role, "DELETE FROM django_migrations", "ALTER TABLE rooms_room OWNER TO stamtafel_app")


def test_passwords_of_roles_are_no_one_else_s(site_role: Connection) -> None:
    refused(site_role, "SELECT rolpassword FROM pg_authid")
    address = site_role.info
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(
            host="127.0.0.1", port=address.port, user="stamtafel", password=address.password, dbname="stamtafel"
        )
