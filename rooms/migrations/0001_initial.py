
import django.contrib.postgres.functions
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import rooms.models.room
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RecordingsFolder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('folder', models.UUIDField()),
                ('marked_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='recordings_one_folder')],
            },
        ),
        migrations.CreateModel(
            name='Room',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(default=rooms.models.room.new_slug, editable=False, max_length=16, unique=True, verbose_name='address')),
                ('title', models.CharField(max_length=1200, verbose_name='title')),
                ('topic', models.CharField(blank=True, max_length=2800, verbose_name='topic')),
                ('language', models.CharField(choices=[('en', 'English'), ('nl', 'Dutch')], default='en', max_length=8, verbose_name='language')),
                ('speak_policy', models.CharField(choices=[('everyone', 'Everyone'), ('followed', 'People the host follows'), ('invited', 'Only people the host invites')], default='everyone', max_length=10, verbose_name='who may speak')),
                ('entry_policy', models.CharField(choices=[('anyone', 'Anyone with the link'), ('signed_in', 'Signed-in people'), ('followers', 'The host’s followers'), ('invited', 'Only people the host invites')], default='anyone', max_length=10, verbose_name='who may come in')),
                ('transcription', models.BooleanField(default=True, verbose_name='transcription')),
                ('max_speakers', models.PositiveSmallIntegerField(default=10, verbose_name='places on stage')),
                ('is_demo', models.BooleanField(default=False, editable=False, verbose_name='demo')),
                ('status', models.CharField(choices=[('scheduled', 'Scheduled'), ('live', 'Live'), ('ended', 'Ended'), ('cancelled', 'Cancelled')], default='live', max_length=10, verbose_name='status')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('end_reason', models.CharField(blank=True, choices=[('host', 'The host ended it'), ('host_gone', 'The host lost the connection'), ('stage_empty', 'Nobody was on stage any more'), ('time_up', 'Its time was up'), ('staff', 'Staff ended it')], max_length=12, verbose_name='why it ended')),
                ('ends_by', models.DateTimeField(blank=True, null=True, verbose_name='ends at the latest')),
                ('seq', models.BigIntegerField(default=0, editable=False, verbose_name='last event')),
                ('epoch', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False)),
                ('host_lost_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='host lost')),
                ('stage_empty_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='stage empty since')),
                ('recording_paused_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='recording paused')),
                ('purged_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='copy purged')),
                ('host', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hosted_rooms', to=settings.AUTH_USER_MODEL, verbose_name='host')),
            ],
            options={
                'verbose_name': 'room',
                'verbose_name_plural': 'rooms',
            },
        ),
        migrations.CreateModel(
            name='Recording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('running', 'recording'), ('finishing', 'being finished'), ('ready', 'ready'), ('failed', 'could not be finished'), ('purged', 'purged')], default='running', max_length=10, verbose_name='state')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('duration_ms', models.BigIntegerField(blank=True, null=True, verbose_name='length (ms)')),
                ('missing_ms', models.BigIntegerField(default=0, editable=False, verbose_name='silence where sound is missing (ms)')),
                ('error', models.CharField(blank=True, max_length=200, verbose_name='error')),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False, verbose_name='attempts')),
                ('next_try_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='next try')),
                ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='published')),
                ('prepared_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('room', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='recording', to='rooms.room', verbose_name='room')),
            ],
            options={
                'verbose_name': 'recording',
                'verbose_name_plural': 'recordings',
                'permissions': [('retry_recording', 'Can try again to finish a recording')],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text_version', models.CharField(max_length=20, verbose_name='text agreed to')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='when')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='rooms.room', verbose_name='room')),
            ],
            options={
                'verbose_name': 'consent',
                'verbose_name_plural': 'consents',
            },
        ),
        migrations.CreateModel(
            name='RoomEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField(verbose_name='number')),
                ('type', models.CharField(max_length=20, verbose_name='kind')),
                ('at_ms', models.BigIntegerField(verbose_name='room time (ms)')),
                ('data', models.JSONField(default=dict, verbose_name='content')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='written')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='rooms.room', verbose_name='room')),
            ],
            options={
                'verbose_name': 'room event',
                'verbose_name_plural': 'room events',
            },
        ),
        migrations.CreateModel(
            name='Seat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('host', 'host'), ('cohost', 'co-host'), ('speaker', 'speaker')], default='speaker', max_length=8, verbose_name='role')),
                ('place', models.PositiveSmallIntegerField(verbose_name='place')),
                ('muted', models.BooleanField(default=True, verbose_name='microphone off')),
                ('mic_page', models.CharField(blank=True, default='', editable=False, max_length=36, verbose_name='page with the microphone')),
                ('taken_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='sat down')),
                ('left_at', models.DateTimeField(blank=True, null=True, verbose_name='stood up')),
                ('left_reason', models.CharField(blank=True, choices=[('left', 'stood up'), ('unseated', 'taken off the stage'), ('lost', 'lost the connection'), ('room_ended', 'the room ended')], max_length=10, verbose_name='why they left')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='seats', to='rooms.room', verbose_name='room')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seats', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'seat',
                'verbose_name_plural': 'seats',
            },
        ),
        migrations.CreateModel(
            name='RecordingFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('mix', 'mix'), ('track', 'track')], max_length=8, verbose_name='kind')),
                ('path', models.CharField(max_length=200, verbose_name='file')),
                ('start_ms', models.BigIntegerField(verbose_name='begins at (ms)')),
                ('duration_ms', models.BigIntegerField(verbose_name='length (ms)')),
                ('size', models.BigIntegerField(verbose_name='size (bytes)')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('crc32', models.BigIntegerField(blank=True, editable=False, null=True)),
                ('has_sound', models.BooleanField(blank=True, editable=False, null=True)),
                ('recording', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='rooms.recording', verbose_name='recording')),
                ('seat', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='rooms.seat', verbose_name='seat')),
            ],
            options={
                'verbose_name': 'recording file',
                'verbose_name_plural': 'recording files',
            },
        ),
        migrations.AddIndex(
            model_name='room',
            index=models.Index(fields=['status', '-started_at'], name='room_live_now'),
        ),
        migrations.AddIndex(
            model_name='room',
            index=models.Index(condition=models.Q(('purged_at', None), ('status', 'ended')), fields=['ended_at'], name='room_to_purge'),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'live')), fields=('host',), name='room_one_live_a_host'),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('started_at__isnull', False), ('status', 'live')), models.Q(('ended_at__gte', models.F('started_at')), ('ended_at__isnull', False), ('started_at__isnull', False), ('status', 'ended')), ('status__in', ['scheduled', 'cancelled']), _connector='OR'), name='room_status_and_times'),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.CheckConstraint(condition=models.Q(('max_speakers__range', (1, 10))), name='room_max_speakers'),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='room_has_title'),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.CheckConstraint(condition=models.Q(('purged_at', None), ('status', 'ended'), _connector='OR'), name='room_purged_after_end'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='room',
            trigger=pgtrigger.compiler.Trigger(name='room_over_is_over', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IN (\'ended\', \'cancelled\') AND OLD."status" IS DISTINCT FROM (NEW."status"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2bb1e6cb181f6edea27cb3b19419f4ceeaf639b3', operation='UPDATE', pgid='pgtrigger_room_over_is_over_eb67c', table='rooms_room', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='room',
            trigger=pgtrigger.compiler.Trigger(name='room_purged_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."purged_at" IS NULL AND OLD."purged_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='89162c649e5e85364d8cb54e4eccbd794e1f857e', operation='UPDATE', pgid='pgtrigger_room_purged_is_final_e2db9', table='rooms_room', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recording',
            trigger=pgtrigger.compiler.Trigger(name='recording_purged_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" = \'purged\' AND NOT (NEW."state" = \'purged\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='aec315dc3b7039ab3f33b6e219b497da78f77dcf', operation='UPDATE', pgid='pgtrigger_recording_purged_is_final_a31e4', table='rooms_recording', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.UniqueConstraint(fields=('room', 'user', 'text_version'), name='consent_once'),
        ),
        migrations.AddConstraint(
            model_name='roomevent',
            constraint=models.UniqueConstraint(fields=('room', 'seq'), name='event_seq_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='roomevent',
            trigger=pgtrigger.compiler.Trigger(name='event_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='46b089c00967dd1fd1c852659937c4787af27d44', operation='UPDATE', pgid='pgtrigger_event_append_only_9e5df', table='rooms_roomevent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='seat',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at', None)), fields=('room', 'user'), name='seat_one_a_person'),
        ),
        migrations.AddConstraint(
            model_name='seat',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at', None)), fields=('room', 'place'), name='seat_one_a_place'),
        ),
        migrations.AddConstraint(
            model_name='seat',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('place', 0), ('role', 'host')), models.Q(('place__range', (1, 10)), ('role', 'speaker')), models.Q(('place__range', (11, 12)), ('role', 'cohost')), _connector='OR'), name='seat_place_of_role'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='seat',
            trigger=pgtrigger.compiler.Trigger(name='seat_within_stage', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.left_at IS NULL AND NEW.role = 'speaker'\n                       AND NEW.place > (SELECT max_speakers FROM rooms_room WHERE id = NEW.room_id) THEN\n                        RAISE EXCEPTION 'stage_full' USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                    ", hash='02c141333ee4a4bea5d98a4942af6f9fd3852efb', operation='INSERT OR UPDATE', pgid='pgtrigger_seat_within_stage_d534b', table='rooms_seat', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='recordingfile',
            constraint=models.UniqueConstraint(fields=('recording', 'path'), name='file_once'),
        ),
        migrations.AddConstraint(
            model_name='recordingfile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'mix'), ('seat', None)), models.Q(('kind', 'track'), ('seat__isnull', False)), _connector='OR'), name='file_track_has_seat'),
        ),
    ]
