"""Acts on a case from its page: each parses, calls one action, and leads back to where it was pressed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from core.refusals import Refused
from moderation.actions import at_once, claims, evidence
from moderation.actions.looks import look_once
from moderation.actions.questions import ask_reporter
from moderation.console.case_page import seen_case, staff
from moderation.console.times import read_time
from moderation.models import Case, EvidenceLine, EvidenceRange, Look, Report
from moderation.queries.access import visible_cases
from moderation.refusals import ModerationRefused
from people.models import User
from transcripts.ranges import ask_for_range

Act = Callable[[HttpRequest, Case, User], str | HttpResponse | None]
MOST_DIGITS = 18


def case_act(anchor: str) -> Callable[[Act], Callable[..., HttpResponse]]:
    """Make a view of an act on a case that its reader may see. The act returns a text to show, or None; it leads
    back to `anchor` of the page, or where its own answer leads. A refusal is shown, one for lack of rights is a 403."""

    def decorate(act: Act) -> Callable[..., HttpResponse]:
        @never_cache
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            case = seen_case(request, pk)
            try:
                said = act(request, case, staff(request))
                if isinstance(said, HttpResponse):
                    return said
                if said:
                    messages.success(request, said)
            except Refused as refused:
                answer_refusal(request, refused)
            return redirect(page_of(pk, anchor))

        return view

    return decorate


def answer_refusal(request: HttpRequest, refused: Refused) -> None:
    """Show a refusal on the next page. Raises Http404 for what is not theirs to see, PermissionDenied."""
    if refused.code in ("unknown_case", "unknown_review", "unknown_room"):
        raise Http404
    if refused.code == "not_allowed":
        raise PermissionDenied
    texts = [text for text in refused.fields.values() if " <= " not in text]
    messages.error(request, " ".join([refused.text, *texts]))


def page_of(pk: int, anchor: str = "") -> str:
    return reverse("admin:moderation_case_change", args=[pk], fragment=anchor or None)


def number(text: str) -> int:
    """Read the key of a row; 0, which no row has, for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def typed_range(request: HttpRequest) -> tuple[int, int]:
    """Read `from` and `to` of a form, in ms of room time. Raises bad_value."""
    start, end = (read_time(request.POST.get(name, "")) for name in ("from", "to"))
    if start is None or end is None or start >= end:
        raise ModerationRefused("bad_value", {"from": _("Write times as 12:31, the first before the second.")})
    return start, end


@case_act("")
def claim(request: HttpRequest, case: Case, by: User) -> str | None:
    if request.POST.get("do") == "release":
        claims.release(case, by)
        return None
    claims.claim(case, by)
    return None


@case_act("evidence")
def mark(request: HttpRequest, case: Case, by: User) -> str | None:
    """Mark a range as evidence, or take one out."""
    if (row := request.POST.get("remove")) is not None:
        evidence.unmark_range(get_object_or_404(EvidenceRange, case=case, pk=number(row)), by)
        return None
    evidence.mark_range(case, by, *typed_range(request))
    return None


@case_act("evidence")
def quote(request: HttpRequest, case: Case, by: User) -> str | None:
    """Quote a line, or take one out."""
    if (row := request.POST.get("remove")) is not None:
        evidence.unquote_line(get_object_or_404(EvidenceLine, case=case, pk=number(row)), by)
        return None
    evidence.quote_line(case, by, request.POST.get("cue", ""))
    return None


@case_act("notes")
def note(request: HttpRequest, case: Case, by: User) -> str | None:
    evidence.add_note(case, by, request.POST.get("text", ""))
    return None


@case_act("reports")
def ask(request: HttpRequest, case: Case, by: User) -> str | None:
    """Ask the reporter of one report."""
    report = get_object_or_404(
        Report.objects.select_related("reporter"), case=case, pk=number(request.POST.get("report", ""))
    )
    ask_reporter(report, by, request.POST.get("text", ""))
    return _("Your question was sent. The reporter does not learn your name.")


@case_act("said")
def transcribe(request: HttpRequest, case: Case, by: User) -> str | None:
    """Have a range transcribed that has no transcript."""
    if case.room is None:
        raise ModerationRefused("no_sound")
    if not by.has_perm("moderation.claim_case"):
        raise ModerationRefused("not_allowed")
    ask_for_range(case.room, *typed_range(request), by)
    return None


@case_act("shown")
def show(request: HttpRequest, case: Case, by: User) -> str | None:
    """Open what was reported, or the record of a case whose copy is gone."""
    look_once(case, by, Look.What.SHOWN)
    return None


@case_act("")
def act_at_once(request: HttpRequest, case: Case, by: User) -> str | None:
    """End the room, restrict its recording, or open a closed copy again: with a tick that it is meant."""
    acts: dict[str, tuple[Callable[..., Any], Any, str]] = {
        "end": (at_once.end_room_at_once, case.room, _("The room has ended. Decide within 24 hours.")),
        "restrict": (at_once.restrict_at_once, case.room, _("The recording is closed. Decide within 24 hours.")),
        "reopen": (at_once.reopen_copy, case, _("The copy is open again.")),
    }
    act, about, said = acts.get(request.POST.get("do", ""), (None, None, ""))
    if act is None or about is None:
        raise ModerationRefused("bad_value")
    if request.POST.get("sure") != "yes":
        raise ModerationRefused("bad_value", {"sure": _("Tick that you are sure.")})
    if about is case:
        act(case, by)
    else:
        act(about, by, case)
    return said


@case_act("")
def split(request: HttpRequest, case: Case, by: User) -> str | HttpResponse:
    """Open the case about one person out of one about a room as a whole, and go to it where it is for them to see."""
    person = get_object_or_404(User, pk=number(request.POST.get("person", "")))
    made = evidence.split_case(case, by, person)
    if not visible_cases(by).filter(pk=made.pk).exists():
        return _("There is a case about this person now. Others go on with it: it is not for you to see.")
    messages.success(
        request, _("This case is about this person alone. It came out of case %(number)s.") % {"number": case.pk}
    )
    return redirect(page_of(made.pk))
