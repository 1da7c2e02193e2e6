"""Registrations of people: what waits for staff in the admin; its words and the names of actors in the ledger."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.admin.tasks import Task, admin_tasks
from people import ledger_texts as _ledger_texts  # noqa: F401
from people.creators.queries import waiting


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
