"""Gives every report of before cases its case, and makes reports of messages ordinary reports."""

from django.db import migrations
from django.db.models import F

from moderation.rulebook_seed import CATEGORIES, RULES


def seed(apps):
    """Write the first rulebook: the reports refer to its categories from here on."""
    get = apps.get_model
    for place, (key, wording) in enumerate(RULES.items()):
        rule, _made = get('moderation', 'Rule').objects.get_or_create(key=key, defaults={'place': place})
        get('moderation', 'RuleVersion').objects.get_or_create(rule=rule, number=1, defaults={'wording': wording})
    for place, row in enumerate(CATEGORIES):
        category, _made = get('moderation', 'Category').objects.get_or_create(
            key=row.key, defaults={'place': place, 'route': row.route, 'rule_id': row.rule}
        )
        get('moderation', 'CategoryVersion').objects.get_or_create(
            category=category, number=1, defaults={'severity': row.severity, 'wording': row.wording}
        )


def forwards(apps, _editor):
    seed(apps)
    Report, Case = apps.get_model('moderation', 'Report'), apps.get_model('moderation', 'Case')
    Old, Copy = apps.get_model('moderation', 'MessageReport'), apps.get_model('moderation', 'ReportedMessage')
    Report.objects.filter(subject__isnull=False).update(kind='person')
    for old in Old.objects.order_by('pk'):
        row = Report.objects.create(
            receipt=old.receipt, reporter_id=old.reporter_id, category=old.category, words=old.words, once=old.once,
            at=old.at, erased_at=old.erased_at, kind='message', message=old.message, subject_id=old.subject_id,
            old_subject=f'message-report:{old.pk}',
        )
        Copy.objects.filter(report_id=old.pk).update(new_report=row)
    severities = {row.key: row.severity for row in CATEGORIES}
    for row in Report.objects.order_by('at', 'pk'):
        case, made = Case.objects.get_or_create(
            kind=row.kind, room_id=row.room_id, subject_id=row.subject_id, message=row.message, state='open',
            defaults={'opened_at': row.at, 'child_safety': row.category == 'child_safety'},
        )
        severity = max(case.severity, severities.get(row.category, 1))
        child_safety = case.child_safety or row.category == 'child_safety'
        Case.objects.filter(pk=case.pk).update(
            severity=severity, child_safety=child_safety, reporter_count=F('reporter_count') + 1
        )
        Report.objects.filter(pk=row.pk).update(case=case)


class Migration(migrations.Migration):

    dependencies = [
        ('moderation', '0006_console'),
    ]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
