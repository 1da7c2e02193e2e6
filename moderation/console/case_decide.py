"""Deciding a case: the draft, its preview as the person will read it, the decision; and the second moderator's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from moderation.actions import decisions
from moderation.actions.decisions import Draft, Preview
from moderation.actions.drafts import stamp_of
from moderation.actions.force import clock_with
from moderation.console.case_acts import answer_refusal, page_of
from moderation.console.case_page import render_case, seen_case, staff, title_of
from moderation.console.drafts import TypedDraft
from moderation.measures import MEASURES
from moderation.models import Case, Decision, Review
from moderation.queries.access import facts_of
from moderation.queries.review_page import clock_with_review
from moderation.refusals import TABLE, ModerationRefused
from moderation.rules.access import why_not_approve, why_not_decide
from retention.policy import Clock
from retention.state import RetentionState, full_state


@never_cache
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Preview a draft, go back to it, or decide. What cannot be decided comes back with all that was typed."""
    case, reader = seen_case(request, pk), staff(request)
    typed = TypedDraft.read(request.POST)
    code = why_not_decide(facts_of(case, reader))
    if code == "not_allowed":
        raise PermissionDenied
    step = request.POST.get("do", "preview")
    if step == "edit":
        return render_case(request, pk, typed)
    if code is not None:
        return render_case(request, pk, typed, refused=str(TABLE[code].text), status=TABLE[code].status)
    if step != "decide":
        return _previewed(request, case, typed)
    if typed.confirmed_kinds and request.POST.get("sure") != "yes":
        return _previewed(request, case, typed, refused=_("Tick that you are sure."), status=400)
    return _decided(request, case, typed)


def _previewed(
    request: HttpRequest, case: Case, typed: TypedDraft, refused: str = "", status: int = 200
) -> HttpResponse:
    draft, stamp = typed.draft(), stamp_of(case)  # the stamp first: what comes meanwhile makes another
    seen = decisions.preview(case, draft, get_language() or "en", staff(request).pk)
    if seen.wrong:
        return render_case(request, case.pk, typed, seen.wrong, status=400)
    context = {
        **preview_context(request, case, seen),
        "typed": typed,
        "stamp": stamp,
        "violation": draft.violation,
        "public_facts": draft.public_facts,
        "sure": typed.confirmed_kinds,
        "refused": refused,
    }
    return render(request, "admin/moderation/preview.html", context, status=status)


def _decided(request: HttpRequest, case: Case, typed: TypedDraft) -> HttpResponse:
    try:
        decision = decisions.decide(case, staff(request), typed.draft(), request.POST.get("stamp", ""))
    except ModerationRefused as refused:
        if refused.code == "unknown_case":
            raise Http404 from None
        if refused.code == "not_allowed":
            raise PermissionDenied from None
        if refused.code == "case_changed":
            return _previewed(request, case, typed, refused.text, refused.status)
        text = "" if refused.fields else refused.text
        return render_case(request, case.pk, typed, refused.fields, text, refused.status)
    if decision.state == Decision.State.PROPOSED:
        messages.success(request, _("Proposed. It waits for a second moderator; the suspension runs for 72 hours."))
    else:
        messages.success(request, _("Decided. It is in force from now on."))
    return redirect(page_of(case.pk))


def preview_context(request: HttpRequest, case: Case, seen: Preview) -> dict[str, Any]:
    """Values that both previews show: the statement, the clock before and after, measures, downloads."""
    return {
        **admin.site.each_context(request),
        "title": _("Preview of the decision"),
        "case": case,
        "case_title": title_of(case),
        "preview": seen,
        "parts": (seen.statement or {}).get("parts", []),
        "before": clock_state(case, seen.clock_before),
        "after": clock_state(case, seen.clock_after),
    }


def clock_state(case: Case, clock: Clock | None) -> RetentionState | None:
    return None if clock is None or case.room is None else full_state(case.room, clock)


@never_cache
@require_http_methods(["GET", "POST"])
def second(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of the second moderator: what was proposed, as the person will read it; approve it or turn it down."""
    case, reader = seen_case(request, pk), staff(request)
    code = why_not_approve(facts_of(case, reader))
    if code == "not_allowed":
        raise PermissionDenied
    decision = Decision.objects.select_related("rule", "by").filter(case=case, state=Decision.State.PROPOSED).first()
    if code is not None or decision is None:
        messages.error(request, str(TABLE[code or "not_proposed"].text))
        return redirect(page_of(pk))
    if request.method == "POST":
        named = get_object_or_404(Decision, case=case, pk=_key(request.POST.get("decision", "")))
        return _second_act(request, case, named)
    return _second_page(request, case, decision)


def _second_act(request: HttpRequest, case: Case, decision: Decision) -> HttpResponse:
    reader, do = staff(request), request.POST.get("do", "")
    try:
        if do == "turn_down":
            decisions.turn_down(decision, reader, request.POST.get("reason", ""))
            said = _("Turned down. The case is open again, and the suspension has ended.")
            if case.state == Case.State.DECIDED:  # it was to replace what a review overturns
                said = _("Turned down. The appeal is open again, and the suspension has ended.")
            messages.success(request, said)
        elif do == "approve" and request.POST.get("sure") == "yes":
            decisions.approve(decision, reader)
            messages.success(request, _("Approved. The decision is in force."))
        else:
            raise ModerationRefused("bad_value", {"sure": _("Tick that you are sure.")})
    except ModerationRefused as refused:
        if refused.code == "bad_value" and decision.state == Decision.State.PROPOSED:
            text = " ".join([refused.text, *refused.fields.values()])
            return _second_page(request, case, decision, text, status=400)
        answer_refusal(request, refused)
    return redirect(page_of(case.pk))


def _second_page(
    request: HttpRequest, case: Case, decision: Decision, refused: str = "", status: int = 200
) -> HttpResponse:
    reader, now = staff(request).pk, timezone.now()
    review = Review.objects.select_related("decision__case__room").filter(replacement=decision).first()
    kept = None
    if review is None:
        after = clock_with(case, now, reader, violation=True, decided=True)[1]
    else:  # the review ends with the approval
        after = clock_with_review(review, now, reader, overturned=True, violation=True)[1]
        kept = clock_with_review(review, now, None, overturned=True, violation=True)[1]
    seen = decisions.preview(case, draft_of(decision), get_language() or "en", reader, kept)
    rows = list(decision.measures.all())
    context = {
        **preview_context(request, case, seen),
        "title": _("Second look"),
        "decision": decision,
        "review": review,
        "public_facts": decision.public_facts,
        "after": clock_state(case, after),
        "violation": True,
        "sure": [MEASURES[row.kind] for row in rows if MEASURES[row.kind].needs_confirming],
        "reason": request.POST.get("reason", ""),
        "refused": refused,
    }
    return render(request, "admin/moderation/second.html", context, status=status)


def draft_of(decision: Decision) -> Draft:
    """The draft that a proposal was made of."""
    return Draft(
        outcome=decision.outcome,
        rule_version=decision.rule,
        ground=decision.ground,
        law=decision.law,
        facts=decision.facts,
        public_facts=decision.public_facts,
        measures=[(row.kind, row.days) for row in decision.measures.all()],
        ranges=None if decision.ranges is None else [(start, end) for start, end in decision.ranges],
    )


def _key(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
