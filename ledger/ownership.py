"""Who owns the ledger's table: not the role that the site runs as, or it could take its guards away."""

from psycopg import sql

from ledger.models import Entry


def handover_sql(owner: str, app: str) -> str:
    """SQL for a superuser: `owner` (nobody logs in as it) gets the table, `app` may read and append.

    After it, migrations of this app alone are run as a superuser.
    """
    names = {
        "owner": sql.Identifier(owner),
        "app": sql.Identifier(app),
        "table": sql.Identifier(Entry._meta.db_table),
        "literal": sql.Literal(owner),
    }
    lines = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal}) THEN CREATE ROLE {owner} NOLOGIN; END IF;
    END $$;
    ALTER TABLE {table} OWNER TO {owner};
    ALTER FUNCTION ledger_refuse() OWNER TO {owner};
    ALTER FUNCTION ledger_next() OWNER TO {owner};
    REVOKE ALL ON {table} FROM PUBLIC, {app};
    GRANT SELECT, INSERT ON {table} TO {app};
    """
    text = sql.SQL(lines).format(**names).as_string()
    return "\n".join(line.removeprefix("    ") for line in text.strip("\n").splitlines()).rstrip()
