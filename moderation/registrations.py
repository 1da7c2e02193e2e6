"""Registrations of trust and safety: what waits for staff in the admin, texts of official messages."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.admin.tasks import Task, admin_tasks
from moderation import case_ledger_texts as _case_ledger_texts  # noqa: F401  # registers words of entries
from moderation import demo as _demo  # noqa: F401  # receives people's accounts_ready
from moderation import facts as _facts  # noqa: F401  # registers facts of retention
from moderation import ledger_texts as _ledger_texts  # noqa: F401
from moderation import line as _line  # noqa: F401  # registers checks of the ledger, and entries that parties do not read
from moderation import official_texts as _official_texts  # noqa: F401  # registers texts of official messages
from moderation import waiting as _waiting  # noqa: F401  # registers cards of the index, and where moderators begin
from moderation.queries import staff as _staff  # noqa: F401  # registers listening in, and the bar of staff in rooms
from retention.purge import overdue


@admin_tasks.register("moderation.overdue")
def overdue_task(request: HttpRequest) -> Task | None:
    """The card of copies that should have been purged by now, for staff who see the clocks."""
    if not request.user.has_perm("moderation.view_roomclock"):
        return None
    late = len(overdue(timezone.now()))
    url = reverse("admin:moderation_roomclock_changelist")
    return Task(
        title=gettext("overdue for deletion"),
        count=late,
        text=gettext("The oldest first in the list of clocks.") if late else gettext("Every recording goes on time."),
        url=f"{url}?show=overdue" if late else url,
        urgent=late > 0,
        order=0 if late else 90,
    )


@admin_tasks.register("moderation.initiative")
def initiative_task(request: HttpRequest) -> Task | None:
    """The card that leads seniors to the page of own initiative."""
    if not request.user.has_perm("moderation.open_case"):
        return None
    return Task(
        title=gettext("Open a case on own initiative"),
        count=None,
        text=gettext("On a live or kept room that nobody reported."),
        url=reverse("admin:moderation_initiative"),
        order=95,
    )


@admin_tasks.register("moderation.rules")
def rules_task(request: HttpRequest) -> Task | None:
    """The card of the rulebook, for those who change it."""
    if not request.user.has_perm("moderation.change_rulebook"):
        return None
    return Task(
        title=gettext("Rules and categories"),
        count=None,
        text=gettext("What is not allowed here, in every language."),
        url=reverse("admin:moderation_rule_changelist"),
        order=96,
    )
