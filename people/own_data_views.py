"""The page of one's own data: ask for a download, and see how far it is."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.form_targets import post_only
from people.data_export import UNDER_WAY
from people.models import DataExport, User
from people.own_data import actions
from people.refusals import PeopleRefused
from people.signed_in import signed_in

State = DataExport.State


@never_cache
@require_safe
@signed_in
def own_data(request: HttpRequest) -> HttpResponse:
    """Show what a download holds, the one that is there or under way, and a button that asks for one."""
    return page(request)


@post_only("people:own_data")
@signed_in
@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]  # allauth is not typed
def ask_for_data(request: HttpRequest) -> HttpResponse:
    """Ask for a download; allauth asks for the password first."""
    try:
        actions.ask_for_data(cast(User, request.user))
    except PeopleRefused as refused:
        return page(request, refused)
    messages.success(request, _("You asked for your data. We tell you when it is ready."))
    return redirect("people:own_data")


def page(request: HttpRequest, refused: PeopleRefused | None = None) -> HttpResponse:
    """Render the page; with why the last request was refused, and its status."""
    mine = DataExport.objects.filter(person=cast(User, request.user)).order_by("-pk")
    last = mine.first()
    ready = mine.filter(state=State.READY).first()
    context = {
        "ready": None if ready is None else actions.ready_export(cast(User, request.user), ready.pk),
        "under_way": mine.filter(state__in=UNDER_WAY).first(),
        "last": last,
        "refused": refused,
        "days": settings.OWN_DATA_DAYS,
    }
    return render(request, "people/own_data.html", context, status=refused.status if refused else 200)
