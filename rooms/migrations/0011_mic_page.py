from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0010_folder_retries_and_final_states"),
    ]

    operations = [
        migrations.AddField(
            model_name="seat",
            name="mic_page",
            field=models.CharField(
                blank=True, default="", editable=False, max_length=36, verbose_name="page with the microphone"
            ),
        ),
    ]
