"""The page of a case: what was reported, its evidence, what is known of the account, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.text import isolated
from moderation.console.drafts import TypedDraft, choices_of
from moderation.console.words import console_words
from moderation.models import Case, Decision, SubjectKind
from moderation.queries.access import visible_cases
from moderation.queries.case_page import CasePage, load_case
from moderation.refusals import TABLE, ModerationRefused
from moderation.rulebook import current_rules
from people.models import User


def staff(request: HttpRequest) -> User:
    return cast(User, request.user)


def seen_case(request: HttpRequest, pk: int) -> Case:
    """Get a case that the reader may see. Raises Http404: to a party there is none."""
    case = visible_cases(staff(request)).select_related("room__host", "subject", "claimed_by").filter(pk=pk).first()
    if case is None:
        raise Http404
    return case


@never_cache
@require_safe
def case_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a case."""
    return render_case(request, pk)


def render_case(
    request: HttpRequest,
    pk: int,
    typed: TypedDraft | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the page of a case; `typed` is a draft that comes back, with what is `wrong` by field, or `refused`."""
    reader = staff(request)
    try:
        page = load_case(reader, pk, timezone.now())
    except ModerationRefused:
        raise Http404 from None
    context = {
        **admin.site.each_context(request),
        "title": title_of(page.case),
        "page": page,
        "case": page.case,
        "base": reverse("admin:moderation_case_change", args=[pk]),
        "may_transcribe": page.facts.rights.claim and (page.has_off or not page.has_transcript),
        "words": console_words(),
        "data": script_data(page),
        **decide_context(page, typed, wrong or {}),
        "refused": refused,
    }
    return render(request, "admin/moderation/case.html", context, status=status)


def decide_context(page: CasePage, typed: TypedDraft | None, wrong: Mapping[str, str]) -> dict[str, Any]:
    """The context of the decision's form; without rights to decide there is none."""
    why = page.why_not_decide
    shows_form = page.facts.rights.decide and page.case.state == Case.State.OPEN and (page.is_mine or typed is not None)
    if not shows_form:
        return {"why_not_decide": TABLE[why].text if why else ""}
    typed = typed or TypedDraft()
    rules = current_rules()
    return {
        "why_not_decide": TABLE[why].text if why else "",
        "typed": typed,
        "wrong": wrong,
        "rules": rules,
        "chosen_rule": next((rule for rule in rules if str(rule.pk) == typed.texts.get("rule")), None),
        "choices": choices_of(page.case, typed),
        "outcomes": Decision.Outcome.choices[:],
        "grounds": Decision.Ground.choices,
        "is_draft": bool(typed.texts),
    }


def title_of(case: Case) -> str:
    """Name a case by what it is about, in the active language."""
    name = isolated(case.subject.display_name) if case.subject is not None else ""
    room = isolated(case.room.shown_title) if case.room is not None else ""
    values = {"name": name, "room": room}
    texts = {
        SubjectKind.ROOM: _("“%(room)s” as a whole"),
        SubjectKind.PERSON: _("%(name)s in “%(room)s”"),
        SubjectKind.MESSAGE: _("A message from %(name)s"),
        SubjectKind.TITLE: _("The title “%(room)s”"),
        SubjectKind.PICTURE: _("The picture of %(name)s"),
        SubjectKind.PROFILE: _("The profile of %(name)s"),
    }
    return texts[SubjectKind(case.kind)] % values


def script_data(page: CasePage) -> dict[str, Any]:
    """Values that the page's scripts read: the case, the reader, and the range to look at first, in seconds."""
    start, end = page.span
    return {
        "of": "case",
        "case": page.case.pk,
        "reader": page.reader.pk,
        "plays": page.can_play,
        "open": page.case.state == Case.State.OPEN and page.is_mine,
        "from": start / 1000,
        "to": end / 1000,
        "all": page.length_ms / 1000,
    }
