"""The page of a review: appeals, the decision as it was told, the evidence of its case, and the form of the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from moderation.console.case_page import staff, title_of
from moderation.console.drafts import choices_of
from moderation.console.review_drafts import UPHELD, TypedReview, verdicts_of
from moderation.console.times import write_time
from moderation.console.words import console_words
from moderation.models import Decision, Review
from moderation.queries.review_page import ReviewPage, load_review
from moderation.queries.reviews import visible_review
from moderation.refusals import TABLE, ModerationRefused
from moderation.rulebook import current_rules

OUTCOMES: dict[str, str | Promise] = dict(Review.Outcome.choices)
HINTS: dict[str, str | Promise] = {
    UPHELD: _("The decision stays as it is."),
    "overturned": _("What it imposed is undone, and nothing takes its place."),
    "replaced": _("What it imposed is undone, and a decision of yours takes its place."),
}


def seen_review(request: HttpRequest, pk: int) -> Review:
    """Get a review that the reader may see. Raises Http404: to parties and to who had a part there is none."""
    try:
        return visible_review(staff(request), pk)
    except ModerationRefused:
        raise Http404 from None


@never_cache
@require_safe
def review_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a review."""
    return render_review(request, pk)


def render_review(
    request: HttpRequest,
    pk: int,
    typed: TypedReview | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the page of a review; `typed` is a draft that comes back, with what is `wrong` by field, or `refused`."""
    reader = staff(request)
    try:
        page = load_review(reader, pk, timezone.now())
    except ModerationRefused:
        raise Http404 from None
    evidence = page.evidence
    context = {
        **admin.site.each_context(request),
        "title": title_of(page.case),
        "shown": page,
        "review": page.review,
        "decision": page.decision,
        "page": evidence,  # by this name the parts of a case's page know it
        "case": page.case,
        "base": reverse("admin:moderation_review_change", args=[pk]),
        "may_transcribe": page.is_mine and (evidence.has_off or not evidence.has_transcript),
        "words": console_words(),
        "data": script_data(page),
        **decide_context(page, typed, wrong or {}),
        "refused": refused,
    }
    return render(request, "admin/moderation/review.html", context, status=status)


def decide_context(page: ReviewPage, typed: TypedReview | None, wrong: Mapping[str, str]) -> dict[str, Any]:
    """The context of the form; without the claim there is none."""
    why = page.why_not_decide
    text = str(TABLE[why].text) if why else ""
    if not (page.review.state == Review.State.OPEN and (page.is_mine or typed is not None)):
        return {"why_not_decide": text}
    is_draft = typed is not None
    typed = typed or TypedReview.begun(*(write_time(moment) for moment in page.evidence.span))
    rules = current_rules()
    return {
        "why_not_decide": text,
        "typed_review": typed,
        "typed": typed.decision,
        "wrong": wrong,
        "verdicts": [(value, _titled(value), HINTS[value]) for value in verdicts_of(page.decision)],
        "rules": rules,
        "chosen_rule": next((rule for rule in rules if str(rule.pk) == typed.decision.texts.get("rule")), None),
        "choices": choices_of(page.case, typed.decision),
        "grounds": Decision.Ground.choices,
        "is_draft": is_draft,
    }


def _titled(verdict: str) -> str | Promise:
    return _("overturned, with a new decision") if verdict == "replaced" else OUTCOMES[verdict]


def script_data(page: ReviewPage) -> dict[str, Any]:
    """Values that the page's scripts read, as on the page of a case."""
    start, end = page.evidence.span
    return {
        "of": "review",
        "case": page.review.pk,
        "reader": page.reader.pk,
        "plays": page.evidence.can_play,
        "open": page.is_mine,
        "from": start / 1000,
        "to": end / 1000,
        "all": page.evidence.length_ms / 1000,
    }
