"""Official messages of moderators, by name (`social.hooks.official_texts`). They hold keys only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from moderation.addresses import alarm_path
from moderation.models import Notification, Report
from moderation.notified import DECISION_NOTIFICATION, line_of, outcome_of
from moderation.wording import ALARM, ALARMS, MORE, MORE_ALARMS, QUESTION_ASKED
from people.models import User
from social.hooks import DrawnMessage, official_texts


@official_texts.register(QUESTION_ASKED)
def question_cards(values: Sequence[Mapping[str, Any]], reader: User) -> list[DrawnMessage]:
    """Cards that say that a moderator has a question about a report: `report` is its key. One query."""
    rows = Report.objects.filter(pk__in={value.get("report") for value in values}, reporter=reader)
    receipts = dict(rows.values_list("pk", "receipt"))
    return [_question(receipts.get(value.get("report", 0))) for value in values]


def _question(receipt: object | None) -> DrawnMessage:
    line = _("A moderator has a question about a report that you sent.")
    if receipt is None:
        return DrawnMessage(line)
    url = reverse("pages:receipt", args=[receipt])
    return DrawnMessage(line, "moderation/messages/question.html", {"line": line, "url": url}, {"url": url})


@official_texts.register(ALARM)
def alarm_cards(values: Sequence[Mapping[str, Any]], reader: User) -> list[DrawnMessage]:
    """Cards of alarms to staff: `kind` is a key of ALARMS, with a `case` whose page checks who reads it, or MORE."""
    return [_alarm(str(value.get("kind")), value.get("case")) for value in values]


def _alarm(kind: str, case: object) -> DrawnMessage:
    if kind == MORE:
        line, url = str(MORE_ALARMS), reverse("admin:moderation_case_changelist")
        return DrawnMessage(line, "moderation/messages/more_alarms.html", {"line": line, "url": url}, {"url": url})
    line = str(ALARMS.get(kind) or _("A case needs you."))
    if not isinstance(case, int):
        return DrawnMessage(line)
    url = alarm_path(kind, case)
    return DrawnMessage(line, "moderation/messages/alarm.html", {"line": line, "url": url}, {"url": url})


@official_texts.register(DECISION_NOTIFICATION)
def notification_cards(values: Sequence[Mapping[str, Any]], reader: User) -> list[DrawnMessage]:
    """Cards that tell of decisions: `notification` is the key of one for this reader, `outcome` what it told them. One
    query."""
    keys = {key for value in values if isinstance(key := value.get("notification"), int)}
    rows = Notification.objects.filter(pk__in=keys, person=reader).select_related("review", "report")
    found = {row.pk: row for row in rows}
    return [_notification(found.get(value.get("notification", 0)), value) for value in values]


def _notification(row: Notification | None, value: Mapping[str, Any]) -> DrawnMessage:
    if row is None:
        return DrawnMessage(_("This message is not there any more."))
    if row.report is not None:
        url = reverse("pages:receipt", args=[row.report.receipt])
    else:
        url = reverse("pages:decision", args=[row.decision_id])
    line = line_of(row, str(value["outcome"]) if "outcome" in value else outcome_of(row))
    is_concerned = row.report is None
    context = {"line": line, "url": url, "is_concerned": is_concerned}
    return DrawnMessage(line, "moderation/messages/notification.html", context, {"url": url, "kind": str(row.kind)})
