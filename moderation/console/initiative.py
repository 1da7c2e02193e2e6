"""The page of own initiative: a senior names a room, and opens a case on it or on a person in it."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from moderation.actions.initiative import open_on_own_initiative
from moderation.console.frame import add_refusal, console_page, require
from moderation.models import Case
from moderation.models.cases import NOTE
from moderation.queries.access import visible_cases
from moderation.queries.rooms import is_party_of_room, reported_there
from moderation.refusals import TABLE, ModerationRefused
from moderation.rulebook import category_choices
from people.models import User
from rooms.models import Room, Seat

OPEN = "moderation.open_case"
ADDRESS = re.compile(r"(?:.*/r/)?([A-Za-z0-9]{1,16})/?\s*\Z", re.DOTALL)
PERSON = "person:"


class CaseForm(forms.Form):
    """A case to open: what it is about, its category and the reason."""

    about = forms.ChoiceField(label=_("About"), widget=forms.RadioSelect)
    category = forms.ChoiceField(label=_("Category"))
    reason = TypedField(
        label=_("Why you open it"), text=NOTE, help_text=_("It is the case’s first note, and stands in the ledger.")
    )

    def __init__(self, people: dict[str, User], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        whole = [("room", gettext("the room as a whole")), ("title", gettext("its title"))]
        about, category = self.fields["about"], self.fields["category"]
        assert isinstance(about, forms.ChoiceField) and isinstance(category, forms.ChoiceField)
        about.choices = whole + [(PERSON + handle, str(user)) for handle, user in people.items()]
        category.choices = category_choices()


def initiative_page(request: HttpRequest) -> HttpResponse:
    """Ask for a room by its address, then for what the case is about; open it."""
    user = require(request, OPEN)
    typed = request.GET.get("room", "")
    match = ADDRESS.match(typed[:300])
    room = Room.objects.by_slug(match[1]) if match else None
    context: dict[str, Any] = {"title": _("Open a case on own initiative"), "typed": typed, "room": room}
    if room is None:
        return console_page(request, "admin/moderation/initiative.html", {**context, "unknown": bool(typed)})
    if why := why_not_here(user, room):
        return console_page(request, "admin/moderation/initiative.html", {**context, "why_not": TABLE[why].text})
    people = on_stage(room)
    form = CaseForm(people, request.POST or None, initial={"about": "room", "category": "other"})
    if form.is_valid():
        about = form.cleaned_data["about"]
        kind, _colon, handle = about.partition(":")
        data = form.cleaned_data
        try:
            case = open_on_own_initiative(user, room, kind, people.get(handle), data["reason"], data["category"])
        except ModerationRefused as refused:
            add_refusal(form, refused)
        else:
            return after(request, user, case)
    return console_page(request, "admin/moderation/initiative.html", context, form)


def why_not_here(user: User, room: Room) -> str | None:
    """The code for which a senior opens no case in a room. It says nothing that they do not know of themselves."""
    if is_party_of_room(user, room):
        return "party_of_room"
    return "reported_oneself" if reported_there(user, room) else None


def after(request: HttpRequest, user: User, case: Case) -> HttpResponse:
    """Go to the new case; where it is not for its opener to see, back to the empty form."""
    text = gettext("Case %(number)s is open.") % {"number": case.pk}
    if visible_cases(user).filter(pk=case.pk).exists():
        messages.success(request, text)
        return redirect(f"{reverse('admin:index')}moderation/case/{case.pk}/")
    messages.success(request, f"{text} {gettext('Other moderators take it from here: you may not see it.')}")
    return redirect("admin:moderation_initiative")


def on_stage(room: Room) -> dict[str, User]:
    """Return the host and all who sat on the stage, by handle, in the order in which they came."""
    people = {room.host.handle: room.host}
    for seat in Seat.objects.filter(room=room).select_related("user").order_by("taken_at"):
        people.setdefault(seat.user.handle, seat.user)
    return people
