"""Changes to cases that follow from the deletion of an account: rows and words stay with the clock of
their case, without its name."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from ledger.actions import Act
from moderation.models import (
    Appeal,
    Case,
    EvidenceLine,
    Notification,
    OutsideReviewer,
    QueueChoice,
    Report,
    Review,
    Statement,
)
from people.deleted import WRITTEN_NAME
from people.hooks import Former
from people.models import User


def rename_in_cases(former: Former) -> list[Act]:
    """Rename the account in lines that cases quote, and give back what it had as an outside reviewer. Words of reports,
    notes and statements stay as they are, and claims of staff end by themselves. Records nothing."""
    EvidenceLine.objects.filter(speaker=former.pk).exclude(speaker_name="").update(speaker_name=WRITTEN_NAME)
    OutsideReviewer.objects.filter(user=former.pk, ended_at=None).update(ended_at=timezone.now())
    QueueChoice.objects.filter(user=former.pk).delete()
    return []


def is_to_be_told(user_pk: int, now: datetime) -> bool:
    """Whether a person is still to be told of a decision, or may appeal one: about them, or about what they
    reported."""
    about_them = Q(subject=user_pk) | Q(kind="room", room__host=user_pk)
    waiting = (
        Case.objects.filter(about_them).exclude(state=Case.State.DECIDED),
        Case.objects.filter(reports__reporter=user_pk).exclude(state=Case.State.DECIDED),
        Statement.objects.filter(Q(told_at=None) | Q(appeal_until__gt=now), person=user_pk, erased_at=None),
        Report.objects.filter(reporter=user_pk, appeal_until__gt=now),
        Appeal.objects.filter(person=user_pk, review__state__in=[Review.State.OPEN, Review.State.PROPOSED]),
        Notification.objects.filter(person=user_pk, told_at=None),
    )
    return any(rows.exists() for rows in waiting)


def case_notes(user: User) -> list[str]:
    """Say, in the active language, that the address is kept, where it would be."""
    if not is_to_be_told(user.pk, timezone.now()):
        return []
    return [
        gettext(
            "Moderators look at something that concerns you or that you reported, or you may still appeal. We keep "
            "your address until you have been told and the time for appealing is over, and use it for nothing else. "
            "You appeal by the link in our mail, without an account."
        )
    ]
