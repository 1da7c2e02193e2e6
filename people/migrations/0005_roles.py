from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people", "0004_takedowns")]

    operations = [
        migrations.AlterModelOptions(
            "user",
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "permissions": [
                    ("view_address", "Can see and search e-mail addresses"),
                    ("close_account", "Can close and open accounts"),
                    ("end_sessions", "Can end sessions and tokens of others"),
                    ("change_role", "Can give and take away roles of staff"),
                ],
            },
        ),
    ]
