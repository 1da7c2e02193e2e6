"""The queue of cases: the first page of moderators. Also the parts of it that update by themselves, and “next case”."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.admin.search import SEARCH
from core.refusals import Refused, as_error
from moderation.actions.at_once import end_room_at_once
from moderation.actions.claims import claim_next
from moderation.actions.queue import remember_choice
from moderation.addresses import path_of
from moderation.console.frame import console_page, require
from moderation.console.words import console_words
from moderation.models import QueueChoice, SubjectKind
from moderation.queries.access import rights_of
from moderation.queries.due import dues
from moderation.queries.queue import MOST, SHOW, Choice, category_titles, counts, keys_of, load_page, shown_to
from moderation.refusals import ModerationRefused
from people.models import User
from rooms.models import Room

READ, CLAIM = "moderation.view_case", "moderation.claim_case"
MOST_PAGES = 10_000
NAMES = {
    "open": _("Open"),
    "mine": _("Mine"),
    "live": _("Live"),
    "child_safety": _("Child safety"),
    "second": _("Waiting for a second moderator"),
    "decided": _("Decided"),
}
# What stands where there is nothing: a title and a word about it.
NOTHING = {
    "open": (_("No case is open"), _("A new report appears here by itself.")),
    "mine": (_("You are working on no case"), _("“Next case” gives you the first one that is free.")),
    "live": (_("No live room was reported"), _("A live room appears here by itself once it is reported.")),
    "child_safety": (_("No child-safety case is open"), _("A new report appears here by itself.")),
    "second": (_("Nothing waits for a second moderator"), _("Suspensions for good or over 30 days come here.")),
    "decided": (_("Nothing was decided yet"), ""),
}
FILTERS = ("show", "kind", "category", "q", "page")


@never_cache
@require_safe
def queue_page(request: HttpRequest) -> HttpResponse:
    """The cases that the reader chose, as last time where the address does not say. The choice is remembered."""
    user = require(request, READ)
    searches = bool(request.GET.get("q", "").strip())  # a search is not remembered
    last = "" if searches else QueueChoice.objects.filter(user=user).values_list("query", flat=True).first() or ""
    if last and not any(name in request.GET for name in FILTERS):
        return redirect(f"{request.path}?{last}")
    context = queue_context(request, user, timezone.now())
    chosen: Choice = context["choice"]
    query = replace(chosen, search="").query()
    if request.method == "GET" and not chosen.search and query != (last or Choice().query()):
        remember_choice(user, query)
    return console_page(
        request, "admin/moderation/queue.html", {"title": _("Cases"), "words": console_words(), **context}
    )


@never_cache
@require_safe
def queue_parts(request: HttpRequest) -> HttpResponse:
    """The parts of the queue that change, for the page's script; the address has the page's query."""
    user = require(request, READ)
    context = queue_context(request, user, timezone.now())
    return render(request, "admin/moderation/queue_parts.html", context)


@never_cache
@require_POST
def next_case(request: HttpRequest) -> HttpResponse:
    """Claim the first case that nobody has, and lead to it."""
    user = require(request, CLAIM)
    case = claim_next(user)
    if case is None:
        messages.info(request, gettext("No case is free: each is decided, or somebody is working on it."))
        return redirect("admin:moderation_case_changelist")
    return redirect(path_of(case.pk))


@never_cache
@require_POST
def end_room(request: HttpRequest, slug: str) -> HttpResponse:
    """End a live room at once, from its page; answers with the address where rule and facts are written down."""
    user = require(request, READ)
    try:
        room = Room.objects.filter(slug=slug).first()
        if room is None:
            raise ModerationRefused("unknown_room")
        act = end_room_at_once(room, user)
    except Refused as refused:
        return JsonResponse({"error": as_error(refused.code, refused.text)}, status=refused.status)
    return JsonResponse({"url": f"{path_of(act.case_id)}#decide"})


def queue_context(request: HttpRequest, user: User, now: datetime) -> dict[str, Any]:
    """Load what the reader chose, with the counts of all choices and what falls due."""
    categories = category_titles()
    rights = rights_of(user)
    shown = shown_to(rights)
    choice = read_choice(request.GET, shown, {key for key, _title in categories})
    page = read_page(request.GET)
    keys, has_more = keys_of(user, choice, page)
    if not keys and page > 1:
        page, (keys, has_more) = 1, keys_of(user, choice, 1)
    numbers, due = counts(user), dues(user, now)
    loaded = load_page(user, keys, due, now, dict(categories))
    return {
        "choice": choice,
        "rows": loaded.rows,
        "tabs": [tab(show, choice, numbers) for show in shown],
        "kinds": SubjectKind.choices,
        "categories": categories,
        "due": loaded.due,
        "more_due": len(due) - len(loaded.due),
        "late_looks": sum(one.late for one in due if one.what == "close_copy"),
        "late_proposals": sum(one.late for one in due if one.what == "second") if rights.approve else 0,
        "looks_url": "?" + Choice("child_safety" if "child_safety" in shown else "open").query(),
        "second_url": "?" + Choice("second").query(),
        "may_claim": rights.claim,
        "may_approve": rights.approve,
        "nothing": NOTHING[choice.show],
        "is_filtered": bool(choice.kind or choice.category),
        "unfiltered": "?" + Choice(choice.show).query(),
        "query": choice.query(page=page if page > 1 else None),
        "earlier": "?" + choice.query(page=page - 1) if page > 1 else "",
        "further": "?" + choice.query(page=page + 1) if has_more else "",
    }


def tab(show: str, choice: Choice, numbers: dict[str, int]) -> dict[str, Any]:
    """A way to see the queue; the other filters stay as they are."""
    return {
        "show": show,
        "url": "?" + replace(choice, show=show, search="").query(),
        "title": NAMES[show],
        "count": shown_count(numbers[show]) if show in numbers else None,
        "here": show == choice.show and not choice.search,
    }


def shown_count(number: int) -> str:
    """A count for reading; from MOST on nobody counted."""
    return str(number) if number < MOST else f"{MOST - 1}+"


def read_choice(query: QueryDict, shown: list[str], categories: set[str]) -> Choice:
    """Read the filters of an address; what makes no sense is left out."""
    show, kind, category = (query.get(name, "") for name in ("show", "kind", "category"))
    return Choice(
        show=show if show in shown else SHOW[0],
        kind=kind if kind in SubjectKind.values else "",
        category=category if category in categories else "",
        search=SEARCH.clean_leniently(query.get("q", "")).strip(),
    )


def read_page(query: QueryDict) -> int:
    number = query.get("page", "")
    is_known = number.isascii() and number.isdigit() and len(number) < 9
    return min(max(1, int(number)), MOST_PAGES) if is_known else 1
