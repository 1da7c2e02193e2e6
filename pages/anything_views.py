"""The page by which anybody reports anything that has an address, with an account or without, also without script."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.client_address import address_of_request, counted_as
from moderation.actions.filing import NewReport, file_report
from moderation.queries.reports import subject_named
from moderation.refusals import ModerationRefused
from pages.door import reader
from pages.report_form import KINDS, AnythingForm
from pages.report_targets import Target, read_target
from pages.report_views import proposed_range
from people.models import User
from people.queries import person
from people.signed_in import typed_before
from rooms.models import Room

# What the form offers where a link to it says what it is about.
OFFERED = {"room": ("room", "title"), "title": ("title",), "profile": ("profile", "picture"), "picture": ("picture",)}
ELSEWHERE = _("This is not an address of this site.")
NO_ROOM = _("There is no room at this address.")
NO_PERSON = _("There is nobody with this handle.")
NO_MESSAGE = _("This is not the address of a message that you got.")
SIGN_IN_FIRST = _("Sign in to report a message: only whoever got it can show it to moderators.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report_page(request: HttpRequest) -> HttpResponse:
    """Show the form of a report about anything, and send it on POST.

    `?kind=` and `?what=` say what it is about, `?about=` whom in a room; `?from=` and `?to=` are seconds of room time.
    """
    me = reader(request)
    offered = OFFERED.get(request.GET.get("kind", ""), tuple(KINDS))
    data = request.POST if request.method == "POST" else None
    form = AnythingForm(offered, data, signed_in=me is not None, initial=_initial(request))
    status = 400
    if form.is_valid():
        try:
            answer = _file(request, me, form)
            if answer is not None:
                return answer
        except ModerationRefused as refused:
            status = refused.status
            form.refused(refused.fields)
            if not refused.fields:
                form.add_error(None, refused.text)
    return render(request, "pages/report_anything.html", {"form": form}, status=status if form.errors else 200)


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Return what the address of the page proposes."""
    query = request.GET
    initial = {"kind": query.get("kind", ""), "what": query.get("what", ""), "about": query.get("about", "")}
    slug = read_target(initial["what"], request.get_host()).slug
    room = Room.objects.by_slug(slug) if slug else None
    times = proposed_range(room, query) if room is not None and room.started_at is not None else {}
    return {**initial, **times, **typed_before(request)}


def _file(request: HttpRequest, me: User | None, form: AnythingForm) -> HttpResponse | None:
    """File the report and lead to its receipt; None where the form has an error since. A message has a page of its
    own, which shows it."""
    values = form.cleaned_data
    target = read_target(values["what"], request.get_host())
    if values["kind"] == "message":
        if me is None or not target.handle or target.message is None:
            form.add_error("what", NO_MESSAGE if me else SIGN_IN_FIRST)
            return None
        return redirect("pages:report-message", target.handle, target.message)
    subject = _subject(form, target)
    if form.errors:
        return None
    new = NewReport(
        reporter=me,
        name=values.get("name", ""),
        email=values.get("email", ""),
        language=get_language() or "en",
        address=counted_as(address_of_request(request)),
        **subject,
        **form.notice(),
    )
    return redirect("pages:receipt", file_report(new).receipt)


def _subject(form: AnythingForm, target: Target) -> dict[str, Any]:
    """The action's arguments that say what the report is about. What is wrong with them is added to the form."""
    values = form.cleaned_data
    kind, about = values["kind"], values.get("about", "")
    if target.elsewhere:
        form.add_error("what", ELSEWHERE)
        return {}
    if kind in ("profile", "picture"):
        subject = person(target.handle) if target.handle else None
        if subject is None:
            form.add_error("what", NO_PERSON)
        return {"kind": kind, "subject": subject}
    room = Room.objects.by_slug(target.slug) if target.slug else None
    if room is None:
        form.add_error("what", NO_ROOM)
        return {}
    if kind == "title":
        return {"kind": kind, "room": room}
    subject = subject_named(room, about) if about else None
    if about and subject is None:
        form.add_error("about", NO_PERSON)
    times = {"from_ms": values["starts"], "to_ms": values["ends"]}
    return {"kind": "person" if subject else "room", "room": room, "subject": subject, **times}
