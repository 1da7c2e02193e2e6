"""Views of the pages by which people report: each parses, calls one query or action, renders."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.client_address import address_of_request, counted_as
from moderation.actions.filing import NewReport, file_report
from moderation.actions.report_subjects import why_not_report
from moderation.refusals import ModerationRefused
from pages.policy_views import room_or_404
from pages.report_form import ReportForm
from pages.report_queries import may_see, named_person, people_to_report
from pages.templatetags.replay import at
from people.models import User
from people.signed_in import signed_in_keeping, typed_before
from rooms.models import Room

PROPOSED_MS = 2 * 60 * 1000  # of room time, proposed where the address names no part
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")


def plain_for_strangers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Lead readers without an account to the form for anything, with the same room, person and part."""

    @wraps(view)
    def wrapped(request: HttpRequest, slug: str) -> HttpResponse:
        if request.user.is_authenticated or request.method != "GET":
            return view(request, slug)
        named = {name: request.GET[name] for name in ("about", "from", "to") if name in request.GET}
        query = urlencode({"kind": "room", "what": room_or_404(slug).get_absolute_url(), **named})
        return redirect(f"{reverse('pages:report-anything')}?{query}")

    return wrapped


@never_cache
@plain_for_strangers
@signed_in_keeping
@require_http_methods(["GET", "POST"])
def report_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of a report, and send it on POST.

    `?about=` is the handle of the person proposed; `?from=` and `?to=` are the proposed part, in seconds of room time.
    """
    me = cast(User, request.user)
    room = room_or_404(slug)
    if code := why_not_report(me, room):
        refused = ModerationRefused(code)
        if refused.status == 404:
            raise Http404
        return render(request, "pages/report.html", {"room": room, "refused": refused.text}, status=refused.status)
    typed = typed_before(request)
    about = named_person(request.POST.get("about") or typed.get("about", request.GET.get("about", "")), me)
    sees = may_see(room, me)
    people = people_to_report(room, me, about, sees)
    initial = {"about": about.handle if about else "", **proposed_range(room, request.GET), **typed}
    form = ReportForm(people, request.POST or None, initial=initial)
    status = 400
    if form.is_valid():
        try:
            address = counted_as(address_of_request(request))
            row = file_report(NewReport(reporter=me, room=room, address=address, **report_values(form, people)))
            return redirect("pages:receipt", row.receipt)
        except ModerationRefused as refused:
            status = refused.status
            form.refused(refused.fields)
            if not refused.fields:
                form.add_error(None, refused.text)
    context = {"room": room, "sees": sees, "form": form}
    return render(request, "pages/report.html", context, status=status if form.errors else 200)


def report_values(form: ReportForm, people: dict[str, User]) -> dict[str, Any]:
    """Return the action's arguments for the form that offered these people."""
    values = form.cleaned_data
    subject = people.get(values["about"])
    return {
        "kind": "person" if subject else "room",
        "subject": subject,
        "from_ms": values["starts"],
        "to_ms": values["ends"],
        **form.notice(),
    }


def proposed_range(room: Room, query: Any) -> dict[str, str]:
    """Return the form's `starts` and `ends`: what the address says, else the last two minutes of a live room or the
    first two of one that is over."""
    length = room.room_time(room.ended_at)
    wanted = [query.get(name, "") for name in ("from", "to")]
    if all(_SECONDS.fullmatch(text) for text in wanted):
        start, end = (round(float(text) * 1000) for text in wanted)
    elif room.is_live:
        start, end = length - PROPOSED_MS, length
    else:
        start, end = 0, min(PROPOSED_MS, length)
    return {"starts": at(start), "ends": at(end + 999)}
