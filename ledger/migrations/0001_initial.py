"""The ledger, in a schema of its own. The database itself refuses to change, remove or truncate entries, and takes only
the next one: functions with a fixed search path, full names, and bounds for what a row may hold.

Written as SQL, not with pgtrigger: its triggers step aside for any session that sets `pgtrigger.ignore`. Run it as the
tables' owner (`manage.py migrate` with MIGRATIONS_DATABASE_URL).
"""

from django.db import migrations, models


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

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS ledger"),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('kind', models.CharField(max_length=40, verbose_name='act')),
                ('subject', models.CharField(max_length=80, verbose_name='what it is about')),
                ('actor', models.BigIntegerField(blank=True, null=True, verbose_name='who (empty: the house itself)')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('data', models.JSONField(default=dict, verbose_name='values')),
                ('commitments', models.JSONField(default=dict, verbose_name='commitments of texts')),
                ('previous', models.CharField(max_length=64, unique=True, verbose_name='seal of the one before')),
                ('seal', models.CharField(max_length=64, verbose_name='seal')),
            ],
            options={
                'verbose_name': 'ledger entry',
                'verbose_name_plural': 'ledger entries',
                'db_table': '"ledger"."entry"',
                'indexes': [models.Index(fields=['subject', 'seq'], name='entry_of_subject')],
                'constraints': [models.CheckConstraint(condition=models.Q(('seq__gte', 1), ('seq__lte', 1000000000000000)), name='entry_number'), models.CheckConstraint(condition=models.Q(('previous__regex', '^[0-9a-f]{64}$'), ('seal__regex', '^[0-9a-f]{64}$')), name='entry_seals'), models.CheckConstraint(condition=models.Q(('at__year__gte', 1970), ('at__year__lte', 9000)), name='entry_moment')],
            },
        ),
        migrations.CreateModel(
            name='Text',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry_seq', models.BigIntegerField(verbose_name='entry')),
                ('name', models.CharField(max_length=40, verbose_name='name')),
                ('salt', models.CharField(max_length=64)),
                ('text', models.TextField(verbose_name='text')),
            ],
            options={
                'verbose_name': 'ledger text',
                'verbose_name_plural': 'ledger texts',
                'db_table': '"ledger"."text"',
                'constraints': [models.UniqueConstraint(fields=('entry_seq', 'name'), name='text_once')],
            },
        ),
        migrations.RunSQL(GUARDS),
    ]
