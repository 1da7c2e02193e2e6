"""Deciding a review: the draft, its preview as all sides will read it, the outcome."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from moderation.actions import decisions, reviews
from moderation.actions.drafts import evidence_ranges
from moderation.actions.reviews import ReviewDraft
from moderation.console.case_decide import clock_state
from moderation.console.case_page import staff, title_of
from moderation.console.review_acts import page_of
from moderation.console.review_drafts import TypedReview
from moderation.console.review_page import render_review, seen_review
from moderation.measures import MEASURES
from moderation.models import Appeal, Notification, Review
from moderation.models.cases import WITH_SOUND
from moderation.notified import LINES
from moderation.queries.review_page import clock_with_review
from moderation.queries.reviews import review_facts, visible_reviews
from moderation.refusals import TABLE, ModerationRefused
from moderation.rules.appeals import why_not_review_decide
from moderation.rules.evidence import overlaps


@never_cache
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Preview a draft, go back to it, or decide. What cannot be decided comes back with all that was typed."""
    review, reader = seen_review(request, pk), staff(request)
    typed = TypedReview.read(request.POST)
    code = why_not_review_decide(review_facts(review, reader))
    step = request.POST.get("do", "preview")
    if step == "edit":
        return render_review(request, pk, typed)
    if code is not None:
        return render_review(request, pk, typed, refused=str(TABLE[code].text), status=TABLE[code].status)
    if step != "decide":
        return _previewed(request, review, typed)
    if typed.confirmed_kinds and request.POST.get("sure") != "yes":
        return _previewed(request, review, typed, refused=_("Tick that you are sure."), status=400)
    return _decided(request, review, typed)


def _draft(review: Review, typed: TypedReview) -> ReviewDraft:
    return typed.draft(with_sound=review.decision.case.kind in WITH_SOUND)


def _previewed(
    request: HttpRequest, review: Review, typed: TypedReview, refused: str = "", status: int = 200
) -> HttpResponse:
    stamp = reviews.review_stamp(review)  # first: what comes meanwhile makes another
    draft, wrong = reviews.cleaned_review_draft(review, _draft(review, typed))
    if wrong:
        return render_review(request, review.pk, typed, wrong, status=400)
    context = {**preview_context(request, review, draft), "typed": typed, "stamp": stamp}
    context |= {"sure": typed.confirmed_kinds, "refused": refused}
    return render(request, "admin/moderation/review_preview.html", context, status=status)


def preview_context(request: HttpRequest, review: Review, draft: ReviewDraft) -> dict[str, Any]:
    """Values that the preview of an outcome shows: sides, what is undone, the new statement, the clock."""
    case, reader, now = review.decision.case, staff(request), timezone.now()
    overturned = draft.outcome == Review.Outcome.OVERTURNED
    seen = None
    if draft.replacement is not None:
        _now, kept = clock_with_review(review, now, None, overturned=True, violation=True)
        seen = decisions.preview(case, draft.replacement, get_language() or "en", reader.pk, kept)
    waits = seen is not None and seen.needs_second
    effects = {"overturned": overturned, "violation": seen is not None, "decided": not waits}
    before, after = clock_with_review(review, now, reader.pk, **effects)
    standing = review.decision.measures.filter(applied_at__isnull=False, undone_at=None)
    language = get_language() or "en"
    appeals = Appeal.objects.filter(review=review).select_related("report", "decision__case").order_by("filed_at", "pk")
    undone = [MEASURES[row.kind].describe(row, language) for row in standing] if overturned else []
    return {
        **admin.site.each_context(request),
        "title": _("Preview of the outcome"),
        "review": review,
        "base": reverse("admin:moderation_review_change", args=[review.pk]),
        "case": case,
        "case_title": title_of(case),
        "draft": draft,
        "overturned": overturned,
        "outcome": Review.Outcome(draft.outcome).label,
        "sides": [(appeal, _line(appeal, draft)) for appeal in appeals],
        "undone": undone,
        "ended_room": any(row.kind == "end_room" for row in standing),
        "replaced": seen,
        "preview": seen,
        "public_facts": draft.replacement.public_facts if draft.replacement is not None else "",
        "parts": (seen.statement or {}).get("parts", []) if seen is not None else [],
        "before": clock_state(case, before),
        "after": clock_state(case, after),
    }


def _line(appeal: Appeal, draft: ReviewDraft) -> str:
    """Words that tell one side of an outcome, in their language: who reported asked for a violation, the person
    concerned for none, so that one outcome may grant one appeal and dismiss the other."""
    code, new, report = "dismissed", draft.replacement, appeal.report
    if report is not None and new is not None:
        start, end = report.from_ms, report.to_ms
        rests_on = evidence_ranges(appeal.decision.case, new.ranges)
        found = start is None or end is None or overlaps((start, end), rests_on)
        code = "granted" if found else "dismissed"
    elif report is None and draft.outcome == Review.Outcome.OVERTURNED:
        code = "granted" if new is None else "replaced"
    with override(appeal.language):
        return str(LINES[Notification.Kind.APPEAL_OUTCOME, code])


def _decided(request: HttpRequest, review: Review, typed: TypedReview) -> HttpResponse:
    reader = staff(request)
    try:
        row = reviews.decide_review(review, reader, _draft(review, typed), request.POST.get("stamp", ""))
    except ModerationRefused as refused:
        if refused.code in ("unknown_review", "unknown_case"):
            raise Http404 from None
        if refused.code == "not_allowed":
            raise PermissionDenied from None
        if refused.code == "case_changed":
            return _previewed(request, review, typed, refused.text, refused.status)
        text = "" if refused.fields else refused.text
        return render_review(request, review.pk, typed, refused.fields, text, refused.status)
    if row.state == Review.State.PROPOSED:
        messages.success(request, _("Proposed. It waits for a second moderator; until then the decision stays."))
    else:
        messages.success(request, _("Decided. Everybody whom it concerns is told."))
    seen = visible_reviews(reader).filter(pk=review.pk).exists()  # an outside reviewer's part is over
    return redirect(page_of(review.pk) if seen else reverse("admin:moderation_review_changelist"))
