from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("moderation", "0004_messages")]

    operations = [
        migrations.AddField(
            model_name="reportedmessage",
            name="data",
            field=models.JSONField(default=dict, editable=False),
        ),
    ]
