"""Pages of a person about what moderators decided: of each decision about them, and of all of them with their reports.
They are open to suspended accounts."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from moderation.models import Case, Report, Statement
from moderation.queries.appeals import concerned_right, rights_of_person
from pages.decisions import own_rows, shown_right, told_of
from pages.receipt_views import unlinked
from people.models import User
from people.signed_in import signed_in


def own_statement(pk: int, user: User) -> Statement:
    """Get the statement of a decision for the person that it was sent to. Raises Http404 for everybody else, and until
    it was sent."""
    rows = Statement.objects.select_related("decision__case__room", "decision__rule", "person")
    statement = rows.filter(decision=pk, person=user).exclude(told_at=None).first()
    if statement is None:
        raise Http404
    return statement


@never_cache
@require_safe
@signed_in
def decisions(request: HttpRequest) -> HttpResponse:
    """Show what was decided about the reader, and what became of their reports and appeals."""
    rows = own_rows(rights_of_person(cast(User, request.user), timezone.now()))
    waiting = Report.objects.filter(reporter=request.user.pk).exclude(case__state=Case.State.DECIDED)
    context = {
        "waiting": waiting.order_by("-at", "-pk"),
        "about": [row for row in rows if not row.is_reporter],
        "reports": [row for row in rows if row.is_reporter],
    }
    return unlinked(render(request, "pages/decisions.html", context))


@never_cache
@require_safe
@signed_in
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the statement of reasons of a decision to the person concerned, and what became of their appeal."""
    statement = own_statement(pk, cast(User, request.user))
    right = concerned_right(statement, timezone.now())
    context = {"told": told_of(statement), **shown_right(right)}
    return unlinked(render(request, "pages/decision.html", context))
