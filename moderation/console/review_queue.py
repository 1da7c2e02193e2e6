"""The queue of appeals: reviews by the day on which they are due, those without a reviewer, and “next appeal”."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from moderation.actions.reviews import claim_review
from moderation.console.frame import console_page, require
from moderation.console.queue import read_page, shown_count
from moderation.console.review_acts import page_of
from moderation.console.words import console_words
from moderation.queries.review_queue import (
    COUNTED,
    SHOW,
    chosen_reviews,
    late_reviews,
    review_counts,
    rows_of,
    stranded_reviews,
)
from moderation.refusals import ModerationRefused
from people.models import User

REVIEW = ("moderation.review_appeal", "moderation.review_assigned")
READ = (*REVIEW, "moderation.assign_reviewer")
TRIES = 5  # of “next appeal”, where others take the first ones at the same time
NAMES = {
    "open": _("Open"),
    "mine": _("Mine"),
    "second": _("Waiting for a second moderator"),
    "decided": _("Decided"),
}
NOTHING = {
    "open": (_("No appeal is open"), _("A new one appears here, unless you had a part in what it is about.")),
    "mine": (_("You are working on no appeal"), _("“Next appeal” gives you the one that is due first.")),
    "second": (_("Nothing waits for a second moderator"), _("New decisions with a long suspension come here.")),
    "decided": (_("No appeal was decided yet"), ""),
}


@never_cache
@require_safe
def queue_page(request: HttpRequest) -> HttpResponse:
    """The appeals that the reader chose, and those that wait for somebody to whom they are given."""
    user = require(request, *READ)
    context = {"title": _("Appeals"), "words": console_words(), **queue_context(request, user, timezone.now())}
    return console_page(request, "admin/moderation/review_queue.html", context)


@never_cache
@require_safe
def queue_parts(request: HttpRequest) -> HttpResponse:
    """The parts of the queue that change, for the page's script; the address has the page's query."""
    context = queue_context(request, require(request, *READ), timezone.now())
    return render(request, "admin/moderation/review_queue_parts.html", context)


@never_cache
@require_POST
def next_review(request: HttpRequest) -> HttpResponse:
    """Claim the first review that nobody has, and lead to it."""
    user = require(request, *REVIEW)
    rows = chosen_reviews(user, "open", timezone.now()).order_by("due_at", "pk")
    for row in rows.exclude(claimed_until__gt=timezone.now()).select_related("decision__case")[:TRIES]:
        try:
            return redirect(page_of(claim_review(row, user).pk))
        except ModerationRefused:
            continue  # somebody was faster, or it is no longer theirs to see
    messages.info(request, gettext("No appeal is free: each is decided, or somebody is working on it."))
    return redirect("admin:moderation_review_changelist")


def queue_context(request: HttpRequest, user: User, now: datetime) -> dict[str, Any]:
    """Load what the reader chose, with the counts of all choices, and reviews without a reviewer."""
    reviews = any(user.has_perm(name) for name in REVIEW)
    approves = user.has_perm("moderation.approve_decision")
    shown = [show for show in SHOW if show != "second" or approves] if reviews else []
    show = request.GET.get("show", "")
    show = show if show in shown else SHOW[0]
    page = read_page(request.GET)
    rows, has_more = rows_of(user, show, page, now) if reviews else ([], False)
    counted = tuple(name for name in COUNTED if name in shown)
    numbers = review_counts(user, now, counted)
    return {
        "show": show,
        "reviews": reviews,
        "rows": rows,
        "tabs": [_tab(name, show, numbers) for name in shown],
        "late": late_reviews(user, now) if reviews else 0,
        "stranded": stranded_reviews(user, now),
        "assigns": user.has_perm("moderation.assign_reviewer"),
        "may_approve": approves,
        "nothing": NOTHING[show],
        "now": now,
        "query": f"show={show}&page={page}",
        "earlier": f"?show={show}&page={page - 1}" if page > 1 else "",
        "further": f"?show={show}&page={page + 1}" if has_more else "",
        "updates": user.has_perm("moderation.view_case"),  # the staff's channel is for those who see cases
    }


def _tab(name: str, show: str, numbers: dict[str, int]) -> dict[str, Any]:
    count = shown_count(numbers[name]) if name in numbers else None
    return {"url": f"?show={name}", "title": NAMES[name], "count": count, "here": name == show}
