import django.db.models.deletion
import django.utils.timezone
from datetime import timedelta
from django.conf import settings
from django.db import migrations, models

DAY = timedelta(hours=24)


def before_there_were_announcements(apps, schema_editor):
    """Replays that are public stay public: they count as announced a day before, by the host.

    Where the entry policy was changed while a room was live, its first one is not known: the narrowest is assumed.
    """
    alias = schema_editor.connection.alias
    Recording = apps.get_model("rooms", "Recording")
    RoomEvent = apps.get_model("rooms", "RoomEvent")
    changed = set(RoomEvent.objects.using(alias).filter(type="entry_policy_set").values_list("room_id", flat=True))
    for recording in Recording.objects.using(alias).select_related("room").iterator():
        recording.opened_policy = "invited" if recording.room_id in changed else recording.room.entry_policy
        if recording.published_at is not None:
            recording.announced_at = recording.published_at - DAY
            recording.published_by_id = recording.room.host_id
        recording.save(update_fields=["opened_policy", "announced_at", "published_by"])


class Migration(migrations.Migration):

    dependencies = [
        ("rooms", "0003_cohosts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReplayObjection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                (
                    "recording",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="objections",
                        to="rooms.recording",
                        verbose_name="recording",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={"verbose_name": "objection", "verbose_name_plural": "objections"},
        ),
        migrations.AddConstraint(
            model_name="replayobjection",
            constraint=models.UniqueConstraint(fields=("recording", "user"), name="objection_once"),
        ),
        migrations.AddField(
            model_name="recording",
            name="announced_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="publication announced"),
        ),
        migrations.AddField(
            model_name="recording",
            name="opened_policy",
            field=models.CharField(
                choices=[
                    ("anyone", "Anyone with the link"),
                    ("signed_in", "Signed-in people"),
                    ("followers", "The host’s followers"),
                    ("invited", "Only people the host invites"),
                ],
                default="invited",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="recording",
            name="published_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="published by",
            ),
        ),
        migrations.AlterField(
            model_name="recording",
            name="published_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="public from"),
        ),
        migrations.RunPython(before_there_were_announcements, migrations.RunPython.noop),
        # The rows above are still to be checked against the accounts; a table with checks to come cannot be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.CheckConstraint(
                condition=models.Q(announced_at=None, published_at=None, published_by=None)
                | models.Q(
                    announced_at__isnull=False,
                    published_by__isnull=False,
                    published_at__gte=models.F("announced_at") + DAY,
                ),
                name="recording_public_after_notice",
            ),
        ),
    ]
