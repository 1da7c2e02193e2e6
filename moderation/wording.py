"""Texts about reports, shared by API and pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

QUESTION_ASKED = "report_question"  # an official message (moderation/official_texts.py)

RECEIVED = _(
    "Thank you. Your report has arrived, and moderators will look at it. The people it is about are not told who sent "
    "it."
)
MESSAGE_RECEIVED = _(
    "Thank you. Your report has arrived, with the message and at most five before and after it. Moderators will look "
    "at it. The person you reported is not told who sent it."
)

ALARM = "moderation_alarm"  # an official message (moderation/official_texts.py)
MORE = "more"  # kind of the message that says that there are more alarms than are told one by one
MORE_ALARMS = _("There are more cases that need somebody now than are told one by one. Look at the queue.")
ALARMS = {
    "life_in_danger": _("A life may be in danger: somebody reported it just now."),
    "child_safety": _("A report of child abuse arrived. The recording is closed until you have looked."),
    "child_safety_overdue": _("Nobody has looked at a report of child abuse for an hour. The recording is closed."),
    "late_act": _(
        "A room was ended or its recording closed at once, and no decision came within 24 hours. What was "
        "closed is open again."
    ),
    "proposal_overdue": _("A proposal has waited for a second moderator for 72 hours. The suspension has ended."),
    "appeal_overdue": _("An appeal was not decided in time."),
    "no_reviewer": _("Nobody of the staff may decide an appeal. Give it to an outside reviewer."),
}
# Alarms about the appeals of a decided case: never to those who had a part in it.
OF_REVIEWS = ("appeal_overdue", "no_reviewer")
