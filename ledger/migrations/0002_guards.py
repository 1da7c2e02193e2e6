"""The database itself refuses to change, remove or truncate entries, and takes only the next one.

Written as SQL, not with pgtrigger: its triggers step aside for any session that sets `pgtrigger.ignore`.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last ledger_entry%ROWTYPE;
BEGIN
    SELECT * INTO last FROM ledger_entry ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> COALESCE(last.seq, 0) + 1 OR NEW.previous <> COALESCE(last.seal, repeat('0', 64)) THEN
        RAISE EXCEPTION 'entry % does not follow entry %', NEW.seq, COALESCE(last.seq, 0)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_in_order BEFORE INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_next();
"""

NO_GUARDS = """
DROP TRIGGER ledger_in_order ON ledger_entry;
DROP TRIGGER ledger_no_truncate ON ledger_entry;
DROP TRIGGER ledger_no_change ON ledger_entry;
DROP FUNCTION ledger_next();
DROP FUNCTION ledger_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
