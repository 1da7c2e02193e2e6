
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('rooms', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Transcript',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('off', 'off for this room'), ('waiting', 'waiting'), ('running', 'being written'), ('ready', 'ready'), ('failed', 'failed')], default='waiting', max_length=8, verbose_name='state')),
                ('language', models.CharField(max_length=8, verbose_name='language')),
                ('model', models.CharField(blank=True, max_length=40, verbose_name='model')),
                ('version', models.CharField(blank=True, max_length=60, verbose_name='version')),
                ('speech_ms', models.BigIntegerField(default=0)),
                ('done_ms', models.BigIntegerField(default=0)),
                ('spent_ms', models.BigIntegerField(default=0)),
                ('trouble', models.CharField(blank=True, max_length=300, verbose_name='trouble')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='asked for')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('told_at', models.DateTimeField(blank=True, null=True, verbose_name='host told')),
                ('room', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='transcript', to='rooms.room')),
            ],
            options={
                'verbose_name': 'transcript',
                'verbose_name_plural': 'transcripts',
                'permissions': [('retry_transcript', 'Can try again what could not be transcribed')],
            },
        ),
        migrations.CreateModel(
            name='TrackPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], default='waiting', max_length=8, verbose_name='state')),
                ('token', models.BigIntegerField(default=0, verbose_name='claim')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='lease until')),
                ('next_at', models.DateTimeField(blank=True, null=True, verbose_name='next try')),
                ('worker', models.CharField(blank=True, max_length=80, verbose_name='worker')),
                ('error', models.CharField(blank=True, max_length=200, verbose_name='error')),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooms.recordingfile')),
                ('transcript', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='plans', to='transcripts.transcript')),
            ],
            options={
                'verbose_name': 'track',
                'verbose_name_plural': 'tracks',
            },
        ),
        migrations.CreateModel(
            name='TranscriptionWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], default='waiting', max_length=8, verbose_name='state')),
                ('token', models.BigIntegerField(default=0, verbose_name='claim')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='lease until')),
                ('next_at', models.DateTimeField(blank=True, null=True, verbose_name='next try')),
                ('worker', models.CharField(blank=True, max_length=80, verbose_name='worker')),
                ('error', models.CharField(blank=True, max_length=200, verbose_name='error')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('spans', models.JSONField()),
                ('speech_ms', models.PositiveIntegerField()),
                ('spent_ms', models.PositiveIntegerField(default=0)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='windows', to='transcripts.trackplan')),
            ],
            options={
                'verbose_name': 'window',
                'verbose_name_plural': 'windows',
            },
        ),
        migrations.CreateModel(
            name='Cue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('kind', models.CharField(choices=[('speech', 'speech'), ('failed', 'not transcribed'), ('unclear', 'unclear')], default='speech', max_length=8, verbose_name='kind')),
                ('start_ms', models.BigIntegerField(verbose_name='from')),
                ('end_ms', models.BigIntegerField(verbose_name='to')),
                ('language', models.CharField(max_length=8, verbose_name='language')),
                ('text', models.TextField(blank=True, verbose_name='text')),
                ('words', models.JSONField(default=list, verbose_name='words')),
                ('confidence', models.FloatField(blank=True, null=True, verbose_name='confidence')),
                ('model', models.CharField(max_length=40, verbose_name='model')),
                ('version', models.CharField(max_length=60, verbose_name='version')),
                ('corrected_text', models.TextField(blank=True, null=True, verbose_name='corrected text')),
                ('corrected_at', models.DateTimeField(blank=True, null=True, verbose_name='corrected')),
                ('search', models.GeneratedField(db_persist=True, expression=models.Case(models.When(language='en', then=django.contrib.postgres.search.SearchVector(django.db.models.functions.comparison.Coalesce('corrected_text', 'text'), config='english')), models.When(language='nl', then=django.contrib.postgres.search.SearchVector(django.db.models.functions.comparison.Coalesce('corrected_text', 'text'), config='dutch')), default=django.contrib.postgres.search.SearchVector(django.db.models.functions.comparison.Coalesce('corrected_text', 'text'), config='simple'), output_field=django.contrib.postgres.search.SearchVectorField()), output_field=django.contrib.postgres.search.SearchVectorField())),
                ('corrected_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('seat', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='cues', to='rooms.seat')),
                ('transcript', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cues', to='transcripts.transcript')),
                ('window', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cues', to='transcripts.transcriptionwindow')),
            ],
            options={
                'verbose_name': 'cue',
                'verbose_name_plural': 'cues',
            },
        ),
        migrations.AddIndex(
            model_name='transcript',
            index=models.Index(condition=models.Q(('finished_at__isnull', False), ('told_at', None)), fields=['id'], name='transcript_to_tell'),
        ),
        migrations.AddConstraint(
            model_name='transcript',
            constraint=models.CheckConstraint(condition=models.Q(('done_ms__gte', 0), ('done_ms__lte', models.F('speech_ms')), ('speech_ms__gte', 0), ('spent_ms__gte', 0)), name='transcript_progress'),
        ),
        migrations.AddConstraint(
            model_name='transcript',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['ready', 'failed'])), models.Q(('finished_at', None), ('state__in', ['off', 'waiting', 'running'])), _connector='OR'), name='transcript_finished_when'),
        ),
        migrations.AddConstraint(
            model_name='transcript',
            constraint=models.CheckConstraint(condition=models.Q(('told_at', None), ('finished_at__isnull', False), _connector='OR'), name='transcript_told_when_finished'),
        ),
        migrations.AddIndex(
            model_name='trackplan',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['id'], name='plan_to_do'),
        ),
        migrations.AddConstraint(
            model_name='trackplan',
            constraint=models.UniqueConstraint(fields=('transcript', 'file'), name='plan_one_a_track'),
        ),
        migrations.AddConstraint(
            model_name='trackplan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until', None)), _connector='OR'), name='plan_lease_when_running'),
        ),
        migrations.AddIndex(
            model_name='transcriptionwindow',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['id'], name='window_to_do'),
        ),
        migrations.AddConstraint(
            model_name='transcriptionwindow',
            constraint=models.UniqueConstraint(fields=('plan', 'position'), name='window_once'),
        ),
        migrations.AddConstraint(
            model_name='transcriptionwindow',
            constraint=models.CheckConstraint(condition=models.Q(('speech_ms__gt', 0)), name='window_has_speech'),
        ),
        migrations.AddConstraint(
            model_name='transcriptionwindow',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until', None)), _connector='OR'), name='window_lease_when_running'),
        ),
        migrations.AddIndex(
            model_name='cue',
            index=models.Index(fields=['transcript', 'start_ms', 'id'], name='cue_in_order'),
        ),
        migrations.AddIndex(
            model_name='cue',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='cue_search'),
        ),
        migrations.AddConstraint(
            model_name='cue',
            constraint=models.UniqueConstraint(fields=('window', 'position'), name='cue_once'),
        ),
        migrations.AddConstraint(
            model_name='cue',
            constraint=models.CheckConstraint(condition=models.Q(('end_ms__gt', models.F('start_ms')), ('start_ms__gte', 0)), name='cue_from_before_to'),
        ),
        migrations.AddConstraint(
            model_name='cue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'speech'), models.Q(('text', ''), _negated=True)), models.Q(models.Q(('kind', 'speech'), _negated=True), ('text', '')), _connector='OR'), name='cue_text_of_kind'),
        ),
        migrations.AddConstraint(
            model_name='cue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('corrected_at', None), ('corrected_text', None)), models.Q(('corrected_at__isnull', False), ('corrected_text__isnull', False), models.Q(('corrected_text', ''), _negated=True)), _connector='OR'), name='cue_correction_whole'),
        ),
        migrations.AddConstraint(
            model_name='cue',
            constraint=models.CheckConstraint(condition=models.Q(('confidence', None), ('confidence__range', (0.0, 1.0)), _connector='OR'), name='cue_confidence_range'),
        ),
    ]
