"""Live rooms along which staff read, side by side: their last captions, and words of the list in them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.fields import TypedField
from core.text import REASON
from moderation.actions.reading_along import note_reading
from moderation.actions.safety_grants import end_live_view, grant_live_view
from moderation.actions.word_hits import dismiss, open_case_on
from moderation.console.frame import add_refusal, console_page, require
from moderation.console.initiative import after
from moderation.console.words import console_words
from moderation.queries.live_rooms import open_grant, read_rooms
from moderation.refusals import ModerationRefused
from people.models import User

READ, ALL, DECIDE = "moderation.view_case", "moderation.watch_live", "moderation.decide_case"
PAGE = "admin:moderation_live"


class ReasonForm(forms.Form):
    """The reason for which a senior reads along in all live rooms."""

    reason = TypedField(
        label=_("Why you read along in all live rooms"),
        text=REASON,
        help_text=_("10 characters at least. It stands in the ledger, and is good for an hour."),
    )


@never_cache
@require_safe
def live_page(request: HttpRequest) -> HttpResponse:
    """The live rooms that the reader may see, and for seniors the form that opens all of them."""
    return shown_page(request, require(request, READ))


@never_cache
@require_safe
def live_parts(request: HttpRequest) -> HttpResponse:
    """The rooms as they are now, for the page's script."""
    user = require(request, READ)
    return render(request, "admin/moderation/live_parts.html", live_context(user))


@never_cache
@require_POST
def open_all(request: HttpRequest) -> HttpResponse:
    """Open all live rooms to a senior for an hour."""
    user = require(request, ALL)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            grant_live_view(user, form.cleaned_data["reason"])
        except ModerationRefused as refused:
            add_refusal(form, refused)
        else:
            return redirect(PAGE)
    return shown_page(request, user, form)


@never_cache
@require_POST
def close_all(request: HttpRequest) -> HttpResponse:
    """End the reader's own hour."""
    end_live_view(require(request, READ))
    return redirect(PAGE)


@never_cache
@require_POST
def open_case(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a case with the range of a word that was found, and lead to it."""
    user = require(request, READ)
    try:
        case = open_case_on(pk, user)
    except ModerationRefused as refused:
        return refused_page(request, refused)
    return after(request, user, case)


@never_cache
@require_POST
def dismiss_hit(request: HttpRequest, pk: int) -> HttpResponse:
    """Find no violation where a word was found."""
    user = require(request, READ)
    try:
        dismiss(pk, user)
    except ModerationRefused as refused:
        return refused_page(request, refused)
    messages.success(request, gettext("Noted: not a violation."))
    return redirect(PAGE)


def refused_page(request: HttpRequest, refused: ModerationRefused) -> HttpResponse:
    """Go back to the rooms with the refusal, also for lack of rights: the button may be older than what took them."""
    messages.warning(request, refused.text)
    return redirect(PAGE)


def shown_page(request: HttpRequest, user: User, form: ReasonForm | None = None) -> HttpResponse:
    context = live_context(user)
    if form is None and user.has_perm(ALL) and context["grant"] is None:
        form = ReasonForm()
    page = {"title": _("Live rooms"), "words": console_words(), **context}
    return console_page(request, "admin/moderation/live.html", page, form)


def live_context(user: User) -> dict[str, Any]:
    """Load the rooms that a person may see now, and record that they read along where words are shown."""
    now = timezone.now()
    grant = open_grant(user, now)
    rooms, more = read_rooms(user, grant, now)
    note_reading(user, [row.room for row in rooms if row.lines or row.hits], now)
    return {
        "grant": grant,
        "rooms": rooms,
        "more": more,
        "may_open": user.has_perm(ALL),
        "may_decide": user.has_perm(DECIDE),
    }
