"""Views of the pages by which people report: each parses, calls one query or action, renders."""

from __future__ import annotations

import re
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.once import read_once
from moderation.actions.reports import report, why_not_report
from moderation.queries import own_report
from moderation.refusals import ModerationRefused
from moderation.wording import RECEIVED
from pages.report_form import ReportForm
from pages.templatetags.replay import at
from people.handles import read_handle
from people.models import User
from people.queries import person
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.rules.roles import may_replay

PROPOSED_MS = 2 * 60 * 1000  # of room time, proposed where the address names no part
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def report_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of a report, and send it on POST.

    `?about=` is the handle of the person proposed; `?from=` and `?to=` are the proposed part, in seconds of room time.
    """
    me = cast(User, request.user)
    room = Room.objects.by_slug(slug)
    if room is None:
        raise Http404
    if code := why_not_report(me, room):
        refused = ModerationRefused(code)
        if refused.status == 404:
            raise Http404
        return render(request, "pages/report.html", {"room": room, "refused": refused.text}, status=refused.status)
    about = named_person(request.POST.get("about") or request.GET.get("about", ""), me)
    sees = may_see(room, me)
    people = people_to_report(room, me, about, sees)
    initial = {"about": about.handle if about else "", **proposed_range(room, request.GET)}
    form = ReportForm(people, request.POST or None, initial=initial)
    status = 400
    if form.is_valid():
        try:
            row = report(me, room, **report_values(form.cleaned_data, people))
            return redirect("pages:report-received", slug, row.receipt)
        except ModerationRefused as refused:
            status = refused.status
            form.refused(refused.fields)
            if not refused.fields:
                form.add_error(None, refused.text)
    context = {"room": room, "sees": sees, "form": form}
    return render(request, "pages/report.html", context, status=status if form.errors else 200)


@never_cache
@login_required
@require_safe
def received(request: HttpRequest, slug: str, receipt: UUID) -> HttpResponse:
    """Show the receipt of the reader's own report."""
    row = own_report(cast(User, request.user), slug, receipt)
    if row is None:
        raise Http404
    return render(request, "pages/report_received.html", {"report": row, "text": RECEIVED})


def report_values(values: dict[str, Any], people: dict[str, User]) -> dict[str, Any]:
    """Return the action's arguments for the values of the form that offered these people."""
    return {
        "category": values["category"],
        "from_ms": values["starts"],
        "to_ms": values["ends"],
        "subject": people.get(values["about"]),
        "words": values["words"],
        "once": read_once(values["once"]),
    }


def named_person(handle: str, me: User) -> User | None:
    """Return the person whom an address names, other than the reader."""
    name = read_handle(handle)
    user = None if name is None else person(name)
    return None if user == me else user


def may_see(room: Room, me: User) -> bool:
    """Whether the reader may see a live room now, or hear again one that is over. Others may report in it, but read
    neither its title nor who is on stage."""
    if room.is_live:
        return permissions.may_enter(facts_of(room, me)) is None
    return may_replay(room, Who.of_user(me))


def people_to_report(room: Room, me: User, about: User | None, sees: bool) -> dict[str, User]:
    """Return people by handle: `about`, and where the reader `sees` the room those on stage now or in the recording."""
    seats = Seat.objects.filter(room=room).exclude(user=me).select_related("user").order_by("taken_at", "pk")
    if room.is_live:
        seats = seats.filter(left_at=None)
    people = {seat.user.handle: seat.user for seat in seats} if sees else {}
    return people | ({about.handle: about} if about else {})


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
