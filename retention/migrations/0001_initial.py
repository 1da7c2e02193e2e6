
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='PurgeReceipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('room', models.BigIntegerField(unique=True, verbose_name='room')),
                ('slug', models.CharField(db_index=True, max_length=16, verbose_name='address')),
                ('rule', models.CharField(max_length=40, verbose_name='rule')),
                ('ended_at', models.DateTimeField(verbose_name='room ended')),
                ('due_at', models.DateTimeField(verbose_name='due')),
                ('begun_at', models.DateTimeField(verbose_name='begun')),
                ('kept_at', models.DateTimeField(blank=True, null=True, verbose_name='kept outside')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('files', models.JSONField(default=list, verbose_name='files')),
                ('file_count', models.PositiveIntegerField(verbose_name='number of files')),
                ('total_bytes', models.BigIntegerField(verbose_name='bytes')),
                ('rows', models.JSONField(default=dict, verbose_name='rows')),
                ('digest', models.CharField(max_length=64, verbose_name='SHA-256 of this receipt')),
            ],
            options={
                'verbose_name': 'purge receipt',
                'verbose_name_plural': 'purge receipts',
                'indexes': [models.Index(condition=models.Q(('finished_at', None)), fields=['id'], name='receipt_unfinished')],
                'constraints': [models.CheckConstraint(condition=models.Q(('begun_at__gte', models.F('due_at')), ('due_at__gte', models.F('ended_at'))), name='receipt_never_early'), models.CheckConstraint(condition=models.Q(('finished_at', None), ('kept_at__isnull', False), _connector='OR'), name='receipt_kept_first')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='purgereceipt',
            trigger=pgtrigger.compiler.Trigger(name='receipt_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='46fdc0e33f89aaa4ce80aef25d8754ba9f07ad07', operation='DELETE', pgid='pgtrigger_receipt_stays_ed58f', table='retention_purgereceipt', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='purgereceipt',
            trigger=pgtrigger.compiler.Trigger(name='receipt_done_is_done', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='75a4bee4fc303757fa3d2c4d7f43b7402eb51127', operation='UPDATE', pgid='pgtrigger_receipt_done_is_done_1a323', table='retention_purgereceipt', when='BEFORE')),
        ),
    ]
