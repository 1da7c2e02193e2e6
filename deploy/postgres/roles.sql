-- Three roles for one database of Stamtafel. Run it as a superuser, in that database; it may run at any time again:
--
--   createdb stamtafel
--   psql --dbname stamtafel --file deploy/postgres/roles.sql
--   psql --dbname stamtafel --command '\password stamtafel_migrator' --command '\password stamtafel_app'
--
-- stamtafel_owner     owns database, schemas, tables and functions. Nobody logs in as it.
-- stamtafel_migrator  may become the owner, and does so for `manage.py migrate` alone (MIGRATIONS_DATABASE_URL).
-- stamtafel_app       what the site runs as (DATABASE_URL): it owns nothing, makes nothing, not even temporary tables.
--
-- What the application may do with tables is granted by `manage.py migrate` (ledger/roles.py).

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stamtafel_owner') THEN
        CREATE ROLE stamtafel_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stamtafel_migrator') THEN
        CREATE ROLE stamtafel_migrator LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stamtafel_app') THEN
        CREATE ROLE stamtafel_app LOGIN;
    END IF;
END $$;
ALTER ROLE stamtafel_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
-- NOINHERIT: what the owner may do, the migrator may only after SET ROLE.
ALTER ROLE stamtafel_migrator LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE stamtafel_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
GRANT stamtafel_owner TO stamtafel_migrator;

DO $$
DECLARE
    line text;
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO stamtafel_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC, stamtafel_app', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stamtafel_migrator, stamtafel_app', current_database());
    -- A database that an older version made belongs to the role that the site ran as.
    FOR line IN
        SELECT format('ALTER SCHEMA %I OWNER TO stamtafel_owner', nspname)
        FROM pg_catalog.pg_namespace WHERE nspname IN ('public', 'ledger')
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO stamtafel_owner',
            CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('public', 'ledger') AND c.relkind IN ('r', 'p', 'v', 'S')
            AND c.relowner <> 'stamtafel_owner'::regrole
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO stamtafel_owner', p.oid::regprocedure)
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('public', 'ledger') AND p.proowner <> 'stamtafel_owner'::regrole
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass
                AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE line;
    END LOOP;
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC, stamtafel_app;
GRANT USAGE ON SCHEMA public TO stamtafel_app;
