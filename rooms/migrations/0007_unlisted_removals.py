"""Removals that are not listed: with a block of somebody who was not in the room."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("rooms", "0006_invitations")]

    operations = [
        migrations.AddField(
            model_name="removal", name="listed", field=models.BooleanField(default=True, verbose_name="listed")
        ),
        migrations.RemoveConstraint(model_name="removal", name="removal_one_a_person"),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.UniqueConstraint(
                fields=["room", "user"], condition=Q(undone_at=None, listed=True), name="removal_one_a_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.UniqueConstraint(
                fields=["room", "user", "by"], condition=Q(undone_at=None, listed=False), name="removal_one_a_block"
            ),
        ),
    ]
