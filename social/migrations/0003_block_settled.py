from django.db import migrations, models


class Migration(migrations.Migration):
    """Blocks that were there before count as settled."""

    dependencies = [("social", "0002_stage")]

    operations = [
        migrations.AddField("block", "settled", models.BooleanField(default=True, editable=False)),
        migrations.AlterField("block", "settled", models.BooleanField(default=False, editable=False)),
        migrations.AddIndex(
            "block", models.Index(fields=["since"], condition=models.Q(settled=False), name="block_unsettled")
        ),
    ]
