"""The groups of installations of before get the permissions that new ones are made with (moderation/groups.py)."""

from django.db import migrations

GROUPS = ("Moderators", "Senior moderators", "Auditors")
# codename → model, name: the same as Django makes after the migrations, which it then finds here.
PERMISSIONS = {
    "view_roomclock": ("roomclock", "Can view retention clock"),
    "view_purgereceipt": ("purgereceipt", "Can view purge receipt"),
}


def give_permissions(apps, _schema):
    """This once: what an administrator takes away afterwards stays away. Any of the staff saw the clocks before."""
    content_type, permission = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        for codename, (model, name) in PERMISSIONS.items():
            kind, _new = content_type.objects.get_or_create(app_label="moderation", model=model)
            row, _new = permission.objects.get_or_create(codename=codename, content_type=kind, defaults={"name": name})
            group.permissions.add(row)


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0002_health"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(give_permissions, migrations.RunPython.noop)]
