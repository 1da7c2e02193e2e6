from django.db import migrations, models


class Migration(migrations.Migration):
    """Tracks of recordings that are there already are measured by `rooms.recording.measure_left`, not here: reading
    sound takes minutes, and the disk may not be on this machine."""

    dependencies = [
        ("rooms", "0007_epoch"),
    ]

    operations = [
        migrations.AddField(
            model_name="recordingfile",
            name="has_sound",
            field=models.BooleanField(blank=True, editable=False, null=True),
        ),
    ]
