import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('moderation', '0007_console_rows'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='reportedmessage', name='reported_message_place'),
        migrations.RemoveConstraint(model_name='reportedmessage', name='reported_message_once'),
        migrations.RemoveField(model_name='reportedmessage', name='report'),
        migrations.RenameField(model_name='reportedmessage', old_name='new_report', new_name='report'),
        migrations.AlterField(
            model_name='reportedmessage',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='copies', to='moderation.report', verbose_name='report'),
        ),
        migrations.AlterModelOptions(
            name='reportedmessage',
            options={'ordering': ['report', 'place'], 'verbose_name': 'reported message', 'verbose_name_plural': 'reported messages'},
        ),
        migrations.AddConstraint(
            model_name='reportedmessage',
            constraint=models.UniqueConstraint(fields=('report', 'place'), name='reported_message_place'),
        ),
        migrations.AddConstraint(
            model_name='reportedmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('reported', True)), fields=('report',), name='reported_message_once'),
        ),
        migrations.AlterField(
            model_name='report',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='moderation.case', verbose_name='case'),
        ),
        migrations.AlterField(
            model_name='report',
            name='category',
            field=models.ForeignKey(db_column='category', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='moderation.category', verbose_name='category'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.UniqueConstraint(condition=models.Q(('once', ''), _negated=True), fields=('reporter', 'once'), name='report_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('from_ms', None), ('to_ms', None)), models.Q(('from_ms__isnull', False), ('from_ms__lt', models.F('to_ms'))), _connector='OR'), name='report_range'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('from_ms__isnull', False), ('kind__in', ['room', 'person'])), models.Q(models.Q(('kind__in', ['room', 'person']), _negated=True), ('from_ms', None)), _connector='OR'), name='report_range_of_rooms'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'room'), ('message', None), ('room__isnull', False), ('subject', None)), models.Q(('kind__in', ['person', 'title']), ('message', None), ('room__isnull', False), ('subject__isnull', False)), models.Q(('kind', 'message'), ('message__isnull', False), ('room', None), ('subject__isnull', False)), models.Q(('kind__in', ['picture', 'profile']), ('message', None), ('room', None), ('subject__isnull', False)), _connector='OR'), name='report_subject'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('subject', None), ('reporter', None), models.Q(('subject', models.F('reporter')), _negated=True), _connector='OR'), name='report_not_about_oneself'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('category', 'other'), ('erased_at', None), ('words', ''), _negated=True), name='report_has_words'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('reporter', None), models.Q(('reporter_email', ''), ('reporter_name', '')), _connector='OR'), name='report_reporter'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at', None), models.Q(('law', ''), ('picture', None), ('reporter_email', ''), ('reporter_name', ''), ('shown', ''), ('words', '')), _connector='OR'), name='report_erased'),
        ),
        migrations.DeleteModel(
            name='MessageReport',
        ),
    ]
