"""Appeals: filed by one side of a decision, once, and looked at again by somebody who had no part in it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.once import once_secret
from core.throttle import Limit
from ledger.actions import Act, record_all
from moderation.actions.locking import locked_case, refuse
from moderation.actions.notifications import notify
from moderation.actions.telling import review_changed
from moderation.actions.typed import cleaned_text
from moderation.models import Appeal, AppealDraft, Case, Notification, Review
from moderation.models.appeals import APPEAL, UNDECIDED
from moderation.models.cases import WITH_SOUND
from moderation.queries.appeals import AppealRight, asked_again
from moderation.refusals import ModerationRefused
from retention.clocks import still_holdable

APPEALS = Limit("appeal", per_minute=2, burst=10, refused=ModerationRefused)
DRAFTS = Limit("appeal_draft", per_minute=30, burst=60, refused=ModerationRefused)


def file_appeal(right: AppealRight, words: str, *, once: str = "", address: str = "") -> Appeal:
    """File the appeal of one side. It joins the review of the decision that is open, or opens one. Where the copy is
    still there it is held until the review is decided; else that is done on the record.

    The same form sent twice (`once`) is one appeal: the first is returned. `address` is that of a client that is signed
    out, as it is counted. Raises bad_value, too_fast, and the codes of `why_not_appeal`.
    """
    words = cleaned_text(APPEAL, "words", words)
    mark = _mark(right, once)
    if known := _sent_before(right, mark):
        return known
    _check_pace(right, address)
    with locked_case(right.decision.case_id, with_room=True) as case:
        if known := _sent_before(right, mark):
            return known
        now = timezone.now()
        right = _allowed(right, now)
        holds = case.room is not None and case.kind in WITH_SOUND and still_holdable(case.room, now)
        review = _open_review(right, now)
        appeal = Appeal.objects.create(
            review=review,
            decision=right.decision,
            side=right.side,
            report=right.report,
            person=right.person,
            words=words,
            language=right.language,
            filed_at=now,
            holds=holds,
            once=mark,
        )
        _drafts(right).delete()
        notify(
            Notification.Kind.APPEAL_RECEIVED, right.decision, review=review, report=right.report, person=right.person
        )
        review_changed(case)
        record_all([_filed(appeal, case)])
    return appeal


def keep_draft(right: AppealRight, words: str) -> None:
    """Keep what somebody typed and did not file, also half of it. Raises bad_value, too_fast, and the codes of
    `why_not_appeal`."""
    DRAFTS.check(_side_key(right))
    if not words.strip():
        _drafts(right).delete()
        return
    words = cleaned_text(APPEAL, "words", words)
    with locked_case(right.decision.case_id):
        now = timezone.now()
        right = _allowed(right, now)
        AppealDraft.objects.update_or_create(
            decision=right.decision, side=right.side, report=right.report, defaults={"words": words, "at": now}
        )


def draft_of(right: AppealRight) -> str:
    """Return what this side typed and did not file."""
    return _drafts(right).values_list("words", flat=True).first() or ""


def _allowed(right: AppealRight, now: datetime) -> AppealRight:
    fresh = asked_again(right, now)
    if fresh is None:
        raise ModerationRefused("nothing_to_appeal")
    refuse(fresh.refusal)
    return fresh


def _open_review(right: AppealRight, now: datetime) -> Review:
    """The open review of a decision, locked, or a new one. The caller has the case locked."""
    rows = Review.objects.select_for_update(no_key=True).filter(decision=right.decision, state__in=UNDECIDED)
    due = now + timedelta(days=settings.APPEAL_DUE_DAYS)
    return rows.first() or Review.objects.create(decision=right.decision, opened_at=now, due_at=due)


def _filed(appeal: Appeal, case: Case) -> Act:
    data: dict[str, object] = {
        "appeal": appeal.pk,
        "review": appeal.review_id,
        "decision": appeal.decision_id,
        "side": str(appeal.side),
        "holds": appeal.holds,
    }
    if appeal.report_id is not None:
        data["report"] = appeal.report_id
    return Act("appeal_filed", case.ledger_subject, appeal.person_id, data, {f"appeal_{appeal.pk}": appeal.words})


# --- limits -----------------------------------------------------------------------------------------------------------


def _drafts(right: AppealRight) -> models.QuerySet[AppealDraft]:
    return AppealDraft.objects.filter(decision=right.decision, side=right.side, report=right.report)


def _mark(right: AppealRight, once: str) -> str:
    """The stored mark of a form, which is another for each side."""
    pk = 0 if right.person is None else right.person.pk
    return once_secret(pk, f"appeal:{_side_key(right)}:{once}") if once else ""


def _sent_before(right: AppealRight, mark: str) -> Appeal | None:
    if not mark:
        return None
    return Appeal.objects.filter(decision__case=right.decision.case_id, once=mark).first()


def _side_key(right: AppealRight) -> str:
    return f"{right.decision.pk}:{right.side}:{right.report.pk if right.report is not None else ''}"


def _check_pace(right: AppealRight, address: str) -> None:
    """Limit appeals of a person; of an address and of a mailbox where somebody is signed out. Raises too_fast."""
    if right.person is not None:
        APPEALS.check(str(right.person.pk))
    elif right.report is not None and right.report.reporter_email:
        mailbox = right.report.reporter_email.strip().lower()
        APPEALS.check(salted_hmac("moderation.appeal_by_mail", mailbox).hexdigest())
    if address:
        most = settings.REPORTS_SIGNED_OUT_PER_ADDRESS
        Limit("appeal_signed_out", most / 10, most, ModerationRefused).check(address)
