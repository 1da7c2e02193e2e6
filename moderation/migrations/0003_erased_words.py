"""When the words of a report were erased."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("moderation", "0002_removals")]

    operations = [
        migrations.AddField(
            model_name="report",
            name="erased_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="words erased"),
        ),
        migrations.RemoveConstraint(model_name="report", name="report_other_has_words"),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=~Q(category="other", words="", erased_at=None), name="report_other_has_words"
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(condition=Q(erased_at=None) | Q(words=""), name="report_erased"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["at"], condition=Q(erased_at=None), name="report_not_erased"),
        ),
    ]
