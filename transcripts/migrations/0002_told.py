from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('transcripts', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='transcript',
            name='told_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='host told'),
        ),
        # Of those that are finished already nobody is told now.
        migrations.RunSQL(
            "UPDATE transcripts_transcript SET told_at = finished_at WHERE finished_at IS NOT NULL", migrations.RunSQL.noop
        ),
        migrations.AddIndex(
            model_name='transcript',
            index=models.Index(condition=models.Q(('finished_at__isnull', False), ('told_at', None)), fields=['id'], name='transcript_to_tell'),
        ),
        migrations.AddConstraint(
            model_name='transcript',
            constraint=models.CheckConstraint(condition=models.Q(('told_at', None), ('finished_at__isnull', False), _connector='OR'), name='transcript_told_when_finished'),
        ),
    ]
