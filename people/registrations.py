"""Registrations of people: what waits for staff in the admin; its words, checks and the names of actors in the ledger;
what it has in own-data downloads, and which of its pages a suspended person opens."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.admin.tasks import Task, admin_tasks
from core.erasers import erasers
from people import ledger_texts as _ledger_texts  # noqa: F401
from people.creators.queries import waiting
from people.hooks import open_when_suspended
from people.own_data import account as _account  # noqa: F401  # registers what is kept of an account
from people.own_data import line as _line  # noqa: F401  # registers a check of the ledger
from people.own_data.actions import make_without


@erasers.register("own-data downloads")
def erase_from_downloads(rooms: Sequence[int]) -> int:
    """Delete own-data downloads with something of these rooms; they are made again without it."""
    return make_without(rooms)


@open_when_suspended.register("people")
def own_data_pages() -> Collection[str]:
    """Name the pages of the own data, and those that ask for the password before."""
    return (
        *("people:own_data", "people:ask_for_data", "pages:own-data"),
        *("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
    )


@admin_tasks.register("people.creators")
def creators_task(request: HttpRequest) -> Task | None:
    """The card of people who asked to host, for staff who may let them in."""
    if not request.user.has_perm("people.change_creator"):
        return None
    number = waiting().count()
    return Task(
        title=ngettext("person asks to host", "people ask to host", number),
        count=number,
        text=gettext("Who asked first comes first."),
        url=reverse("admin:people_creator_changelist") + "?state=waiting",
        order=60,
    )
