from datetime import timedelta

from django.conf import settings
from django.db import migrations
from django.utils import timezone


def make_notifications(apps, schema_editor):
    """Have people told of decisions of before, of which nobody was: those that stand, as long as they can be appealed."""
    model = apps.get_model
    since = timezone.now() - timedelta(days=settings.REPORT_WORDS_DAYS)
    notification = model("moderation", "Notification")
    statements = model("moderation", "Statement").objects.filter(told_at=None, decision__state="standing", made_at__gt=since)
    notification.objects.bulk_create(
        (
            notification(kind="statement", decision_id=decision, person_id=person)
            for decision, person in statements.values_list("decision", "person").iterator(500)
        ),
        batch_size=500,
    )
    reports = model("moderation", "Report").objects.filter(case__state="decided", case__decided_at__gt=since)
    told = reports.filter(case__decisions__state="standing").exclude(outcome="")
    notification.objects.bulk_create(
        (
            notification(kind="report_outcome", decision_id=decision, report_id=report, person_id=person)
            for decision, report, person in told.values_list("case__decisions", "pk", "reporter").iterator(500)
        ),
        batch_size=500,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('moderation', '0018_appeal_rules'),
    ]

    operations = [
        migrations.RunPython(make_notifications, migrations.RunPython.noop),
    ]
