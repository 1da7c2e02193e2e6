"""Bring along what installations of before have: confirmed addresses, groups without the new permissions, tokens in plain text."""

from django.conf import settings
from django.db import migrations
from django.db.models import Exists, OuterRef
from django.utils import timezone

NEW = {
    "Moderators": ("view_sanction",),
    "Senior moderators": ("view_sanction", "close_account", "end_sessions", "add_sanction", "lift_sanction"),
    "Auditors": ("view_sanction",),
}
# codename → model, name: the same as Django makes after the migrations, which it then finds here.
PERMISSIONS = {
    "view_sanction": ("sanction", "Can view sanction"),
    "add_sanction": ("sanction", "Can add sanction"),
    "lift_sanction": ("sanction", "Can lift sanctions"),
    "close_account": ("user", "Can close and open accounts"),
    "end_sessions": ("user", "Can end sessions and tokens of others"),
}


def note_confirmed(apps, _schema):
    user, address = apps.get_model("people", "User"), apps.get_model("account", "EmailAddress")
    confirmed = Exists(address.objects.filter(user=OuterRef("pk"), verified=True))
    user.objects.filter(confirmed).update(proved_at=timezone.now())


def give_permissions(apps, _schema):
    """Groups that are there get what this version adds, this once; new ones are made with it after the migrations."""
    content_type, permission = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=NEW):
        for codename in NEW[group.name]:
            model, name = PERMISSIONS[codename]
            kind, _new = content_type.objects.get_or_create(app_label="people", model=model)
            row, _new = permission.objects.get_or_create(codename=codename, content_type=kind, defaults={"name": name})
            group.permissions.add(row)


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0003_credentials"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(note_confirmed, migrations.RunPython.noop),
        migrations.RunPython(give_permissions, migrations.RunPython.noop),
        # Tokens of before stood there as they are sent: everybody makes new ones.
        migrations.RunSQL("DROP TABLE IF EXISTS authtoken_token", migrations.RunSQL.noop),
        migrations.RunSQL("DELETE FROM django_migrations WHERE app = 'authtoken'", migrations.RunSQL.noop),
    ]
