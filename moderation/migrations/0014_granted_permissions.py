import django.db.models.deletion
from django.db import migrations, models

# What groups were given before this was noted: taking it away stays possible.
BEFORE = ("moderation.view_roomclock", "retention.view_purgereceipt", "social.view_follow")
GROUPS = ("Moderators", "Senior moderators", "Auditors")


def note_granted(apps, _editor):
    granted = apps.get_model("moderation", "GrantedPermission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        granted.objects.bulk_create(granted(group=group, permission=name) for name in BEFORE)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("moderation", "0009_filing"),
        ("moderation", "0011_deciding"),
    ]

    operations = [
        migrations.CreateModel(
            "GrantedPermission",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("permission", models.CharField(max_length=200)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="auth.group"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "permission"), name="granted_permission_once")
                ],
            },
        ),
        migrations.RunPython(note_granted, migrations.RunPython.noop),
    ]
