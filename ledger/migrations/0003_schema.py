"""The ledger in a schema of its own: functions with a fixed search path, full names, and bounds for what a row may hold.

A temporary table that bears the ledger's name was what the old functions read, so that any number got in. Goes forward
only. Run it as the tables' owner (`manage.py migrate` with MIGRATIONS_DATABASE_URL).
"""

from django.db import migrations, models

MOVE = """
CREATE SCHEMA IF NOT EXISTS ledger;
DROP TRIGGER ledger_in_order ON ledger_entry;
DROP TRIGGER ledger_no_truncate ON ledger_entry;
DROP TRIGGER ledger_no_change ON ledger_entry;
DROP FUNCTION ledger_next();
DROP FUNCTION ledger_refuse();
ALTER TABLE ledger_entry SET SCHEMA ledger;
ALTER TABLE ledger.ledger_entry RENAME TO entry;
ALTER TABLE ledger_text SET SCHEMA ledger;
ALTER TABLE ledger.ledger_text RENAME TO text;
"""

GUARDS = """
CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

-- The last condition: the next entry names the seal of this one, and no two entries may name the same.
CREATE FUNCTION ledger.next() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_seq bigint;
    last_seal text;
BEGIN
    SELECT e.seq, e.seal INTO last_seq, last_seal FROM ledger.entry e ORDER BY e.seq DESC LIMIT 1;
    IF NEW.seq <> COALESCE(last_seq, 0) + 1 OR NEW.previous <> COALESCE(last_seal, repeat('0', 64)) THEN
        RAISE EXCEPTION 'entry % does not follow entry %', NEW.seq, COALESCE(last_seq, 0)
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.seal = NEW.previous OR EXISTS (SELECT FROM ledger.entry e WHERE e.previous = NEW.seal) THEN
        RAISE EXCEPTION 'entry % has the seal of another', NEW.seq USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- A text that came before its entry would be in the way of the real one.
CREATE FUNCTION ledger.text_of_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger.entry e WHERE e.seq = NEW.entry_seq AND jsonb_exists(e.commitments, NEW.name)) THEN
        RAISE EXCEPTION 'entry % has no text of this name', NEW.entry_seq USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- What no reader gets through: values in values in values, and numbers longer than any text of ours.
ALTER TABLE ledger.entry ADD CONSTRAINT entry_readable CHECK (
    NOT jsonb_path_exists(data, '$.**{32 to last}') AND NOT jsonb_path_exists(commitments, '$.**{32 to last}')
    AND data::text !~ '[0-9]{250}' AND commitments::text !~ '[0-9]{250}'
);
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger.entry
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger.entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER ledger_in_order BEFORE INSERT ON ledger.entry
    FOR EACH ROW EXECUTE FUNCTION ledger.next();
CREATE TRIGGER ledger_text_of_entry BEFORE INSERT ON ledger.text
    FOR EACH ROW EXECUTE FUNCTION ledger.text_of_entry();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_guards")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(MOVE)],
            state_operations=[
                migrations.AlterModelTable("entry", '"ledger"."entry"'),
                migrations.AlterModelTable("text", '"ledger"."text"'),
            ],
        ),
        migrations.RunSQL(GUARDS),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("seq__gte", 1), ("seq__lte", 1_000_000_000_000_000)), name="entry_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("previous__regex", "^[0-9a-f]{64}$"), ("seal__regex", "^[0-9a-f]{64}$")),
                name="entry_seals",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("at__year__gte", 1970), ("at__year__lte", 9000)), name="entry_moment"
            ),
        ),
    ]
