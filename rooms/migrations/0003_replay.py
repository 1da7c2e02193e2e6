from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0002_purged"),
    ]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="prepared_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="published_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="published"),
        ),
        migrations.AddField(
            model_name="recordingfile",
            name="crc32",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
    ]
