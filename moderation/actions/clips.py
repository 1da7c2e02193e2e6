"""Sound for those who appeal: signed addresses of clips, and the ledger's entry of what was handed out.

An address is for one clip and CLIP_SECONDS. It works for the account or by the link for which it was made, so a newer
link ends it; and one that was made before an appeal was filed ends with the filing (`by_code`: made after a code that
was mailed).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from ledger.actions import record
from ledger.models import Entry
from moderation.models import AppealLink, Report, Statement
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right
from moderation.queries.clips import Clip, clips_of
from people.models import User

CLIP_SECONDS = 30 * 60
AGAIN = timedelta(minutes=10)  # requests for one clip within this time are one hand-out: players ask for parts
_SALT = "moderation.clip"


@dataclass(frozen=True)
class Heard:
    """A clip that may be handed out now, to one side."""

    right: AppealRight
    clip: Clip


def clip_address(right: AppealRight, clip: Clip, link: AppealLink | None, *, by_code: bool = False) -> str:
    """Make an address of a clip: for whoever has `link`, or for the account of the side where it is None."""
    if link is None and right.person is None:
        raise ValueError("without a link a clip is for an account")
    to = ["link", link.pk] if link is not None else ["account", right.person.pk if right.person is not None else 0]
    report = None if right.report is None else right.report.pk
    claim = [*to, right.decision.pk, report, *clip.sent, by_code]
    return reverse("pages:clip", args=[signing.dumps(claim, salt=_SALT)])


def open_clip(token: str, user: User | None) -> Heard | None:
    """Return what an address opens now; None for one that is altered, over, ended or another's, and where the clip is
    not to be heard any more. Changes nothing."""
    try:
        to, key, decision, report, start, end, by_code = signing.loads(token, salt=_SALT, max_age=CLIP_SECONDS)
    except signing.BadSignature:
        return None
    now = timezone.now()
    if to == "account" and (user is None or user.pk != key):
        return None
    if to == "link" and not AppealLink.objects.filter(pk=key, ended_at=None, expires_at__gt=now).exists():
        return None
    right = _right(decision, report)
    if right is None or (to == "account" and (right.person is None or right.person.pk != key)):
        return None
    if to == "link" and right.appeal is not None and not by_code:
        return None
    clip = next((each for each in clips_of(right).clips if each.sent == (start, end)), None)
    return None if clip is None else Heard(right, clip)


def still_heard(token: str, user: User | None) -> bool:
    """Whether what an address opened may still be sent."""
    return open_clip(token, user) is not None


@transaction.atomic
def note_clip(heard: Heard) -> None:
    """Record that sound is handed out to one side; call it before. Once per clip, side and AGAIN."""
    right, (start, end) = heard.right, heard.clip.sent
    case = right.decision.case
    data = {"decision": right.decision.pk, "side": str(right.side), "from": start, "to": end}
    if right.report is not None:
        data["report"] = right.report.pk
    lately = Entry.objects.filter(subject=case.ledger_subject, kind="clip_heard", at__gt=timezone.now() - AGAIN)
    if not lately.filter(data=data).exists():
        record("clip_heard", case.ledger_subject, None if right.person is None else right.person.pk, data)


def _right(decision: int, report: int | None) -> AppealRight | None:
    """The right of the side that an address names."""
    now = timezone.now()
    if report is None:
        statements = Statement.objects.select_related("decision__case__room", "decision__rule", "person")
        statement = statements.filter(decision=decision).first()
        return None if statement is None else concerned_right(statement, now)
    reports = Report.objects.select_related("case__room", "reporter")
    row = reports.filter(pk=report).first()
    right = None if row is None else reporter_right(row, now)
    return right if right is not None and right.decision.pk == decision else None
