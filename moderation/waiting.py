"""Cards of trust and safety on the admin's index, and the page on which moderators begin."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.admin.site import admin_homes
from core.admin.tasks import Task, admin_tasks
from moderation.models import Review
from moderation.queries.access import rights_of
from moderation.queries.due import late_looks, late_proposals
from moderation.queries.queue import Choice, counts
from moderation.queries.review_queue import late_reviews, review_counts, stranded_reviews
from moderation.queries.reviews import visible_reviews
from people.models import User
from retention.purge import overdue_lately


@admin_homes.register("moderation")
def queue_home(request: HttpRequest) -> str | None:
    """The queue, for staff who work on cases."""
    return _queue() if request.user.has_perm("moderation.claim_case") else None


@admin_homes.register("moderation.reviews")
def reviews_home(request: HttpRequest) -> str | None:
    """The appeal that was given to an outside reviewer; their list where there is none, or more than one."""
    user = cast(User, request.user)
    if not user.has_perm("moderation.review_assigned") or user.has_perm("moderation.view_case"):
        return None
    given = list(visible_reviews(user).exclude(state=Review.State.DECIDED).values_list("pk", flat=True)[:2])
    return reverse("admin:moderation_review_change", args=given) if len(given) == 1 else _reviews()


@admin_tasks.register("moderation.cases")
def cases_task(request: HttpRequest) -> Task | None:
    """The card of open cases, for staff who see them."""
    user = cast(User, request.user)
    if not user.has_perm("moderation.view_case"):
        return None
    number = counts(user, ("open", "live"))
    live = number["live"]
    return Task(
        title=ngettext("case is open", "cases are open", number["open"]),
        count=number["open"],
        text=ngettext("%(count)d of a room that is live now.", "%(count)d of rooms that are live now.", live)
        % {"count": live}
        if live
        else gettext("No live room was reported."),
        url=_queue(Choice("open")),
        urgent=live > 0,
        order=10,
    )


@admin_tasks.register("moderation.second")
def second_task(request: HttpRequest) -> Task | None:
    """The card of decisions that wait for a second moderator."""
    user = cast(User, request.user)
    if not rights_of(user).approve or "second" not in (number := counts(user, ("second",))):
        return None
    late = late_proposals(user, timezone.now())
    return Task(
        title=gettext("waiting for a second moderator"),
        count=number["second"],
        text=ngettext(
            "%(count)d is overdue: its suspension has ended.",
            "%(count)d are overdue: their suspension has ended.",
            late,
        )
        % {"count": late}
        if late
        else gettext("None is overdue."),
        url=_queue(Choice("second")),
        urgent=late > 0,
        order=20,
    )


@admin_tasks.register("moderation.reviews")
def reviews_task(request: HttpRequest) -> Task | None:
    """The card of open appeals, for those who review them."""
    user, now = cast(User, request.user), timezone.now()
    if not any(user.has_perm(name) for name in ("moderation.review_appeal", "moderation.review_assigned")):
        return None
    number, late = review_counts(user, now, ("open",))["open"], late_reviews(user, now)
    return Task(
        title=ngettext("appeal is open", "appeals are open", number),
        count=number,
        text=ngettext("%(count)d is overdue.", "%(count)d are overdue.", late) % {"count": late}
        if late
        else gettext("None is overdue."),
        url=_reviews(),
        urgent=late > 0,
        order=15 if late else 25,
    )


@admin_tasks.register("moderation.stranded")
def stranded_task(request: HttpRequest) -> Task | None:
    """The card of appeals that nobody of the staff may decide, or did in time, for those who give them to others."""
    user = cast(User, request.user)
    if not user.has_perm("moderation.assign_reviewer"):
        return None
    number = sum(not row.given for row in stranded_reviews(user, timezone.now()))
    return Task(
        title=ngettext("appeal without a reviewer", "appeals without a reviewer", number),
        count=number,
        text=gettext("Give them to an outside reviewer.") if number else gettext("Each has somebody to decide it."),
        url=f"{_reviews()}#stranded",
        urgent=number > 0,
        order=5 if number else 40,
    )


@admin_tasks.register("moderation.child_safety")
def child_safety_task(request: HttpRequest) -> Task | None:
    """The card of child-safety cases at which nobody looked in time, for staff of that role."""
    user = cast(User, request.user)
    if not rights_of(user).child_safety:
        return None
    late = late_looks(user, timezone.now())
    return Task(
        title=gettext("overdue in child safety"),
        count=late,
        text=gettext("Nobody looked within an hour.") if late else gettext("Every report was looked at in time."),
        url=_queue(Choice("child_safety") if rights_of(user).ordinary else Choice("open")),
        urgent=late > 0,
        order=1 if late else 30,
    )


@admin_tasks.register("moderation.overdue")
def overdue_task(request: HttpRequest) -> Task | None:
    """The card of copies that should have been purged by now, for staff who see the clocks."""
    if not request.user.has_perm("moderation.view_roomclock"):
        return None
    late = overdue_lately()
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


@admin_tasks.register("moderation.live")
def live_task(request: HttpRequest) -> Task | None:
    """The card that leads to the live rooms along which staff read."""
    if not request.user.has_perm("moderation.view_case"):
        return None
    return Task(
        title=gettext("Live rooms"),
        count=None,
        text=gettext("Their captions side by side."),
        url=reverse("admin:moderation_live"),
        order=94,
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


def _reviews() -> str:
    return reverse("admin:moderation_review_changelist")


def _queue(choice: Choice | None = None) -> str:
    address = reverse("admin:moderation_case_changelist")
    return address if choice is None else f"{address}?{choice.query()}"
