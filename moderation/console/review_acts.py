"""Acts on a review from its page: each parses, calls one action, and leads back to where it was pressed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from core.refusals import Refused
from moderation.actions.looks import look_once
from moderation.actions.reviews import claim_review, release_review
from moderation.console.case_acts import answer_refusal, typed_range
from moderation.console.case_page import staff
from moderation.console.review_page import seen_review
from moderation.models import Look, Review
from moderation.queries.reviews import review_facts
from moderation.refusals import ModerationRefused
from people.models import User
from transcripts.ranges import ask_for_range

Act = Callable[[HttpRequest, Review, User], None]


def review_act(anchor: str) -> Callable[[Act], Callable[..., HttpResponse]]:
    """Make a view of an act on a review that its reader may see; it leads back to `anchor` of the page. A refusal is
    shown, one for lack of rights is a 403."""

    def decorate(act: Act) -> Callable[..., HttpResponse]:
        @never_cache
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            review = seen_review(request, pk)
            try:
                act(request, review, staff(request))
            except Refused as refused:
                answer_refusal(request, refused)
            return redirect(page_of(pk, anchor))

        return view

    return decorate


def page_of(pk: int, anchor: str = "") -> str:
    return reverse("admin:moderation_review_change", args=[pk], fragment=anchor or None)


@review_act("")
def claim(request: HttpRequest, review: Review, by: User) -> None:
    if request.POST.get("do") == "release":
        release_review(review, by)
    else:
        claim_review(review, by)


@review_act("shown")
def show(request: HttpRequest, review: Review, by: User) -> None:
    """Open what was reported, or the record of a case whose copy is gone."""
    look_once(review.decision.case, by, Look.What.SHOWN)


@review_act("said")
def transcribe(request: HttpRequest, review: Review, by: User) -> None:
    """Have a range transcribed that has no transcript: whoever claimed the review."""
    room = review.decision.case.room
    if room is None:
        raise ModerationRefused("no_sound")
    if not review_facts(review, by).mine:
        raise ModerationRefused("not_claimed")
    ask_for_range(room, *typed_range(request), by)
