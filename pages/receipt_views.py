"""The receipt of a report: how far it is, moderators' questions, and the reporter's answers."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.fields import TypedField
from moderation.actions.questions import answer, may_answer_now
from moderation.models import Report, SubjectKind
from moderation.models.reports import QUESTION
from moderation.notified import report_line
from moderation.queries.appeals import reporter_right
from moderation.queries.reports import progress_of, report_of_receipt
from moderation.refusals import ModerationRefused
from moderation.wording import MESSAGE_RECEIVED, RECEIVED
from pages.door import reader
from people.models import User
from people.signed_in import ask_to_sign_in

NO_ANSWER = _("Write your answer.")


class AnswerForm(forms.Form):
    """The field for an answer to moderators."""

    text = TypedField(label=_("Your answer"), text=QUESTION, error_messages={"required": NO_ANSWER})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receipt_page(request: HttpRequest, receipt: UUID) -> HttpResponse:
    """Show the receipt of a report in its reporter's language, and take their answer on POST.

    One sent with an account is for that account alone. One sent without is for whoever has its address, so it says
    nothing of whom or what was reported.
    """
    me = reader(request)
    row = report_of_receipt(receipt, me)
    if row is None and me is None:
        return unlinked(ask_to_sign_in(request))
    if row is None:
        raise Http404
    with translation.override(me.language if me else row.language):
        return unlinked(_page(request, row, me))


def _page(request: HttpRequest, row: Report, me: User | None) -> HttpResponse:
    form = AnswerForm(request.POST if request.method == "POST" else None)
    status = 400
    if form.is_valid():
        try:
            answer(row, form.cleaned_data["text"], me if row.reporter_id else None)
            return redirect("pages:receipt", row.receipt)
        except ModerationRefused as refused:
            status = refused.status
            form.add_error("text" if refused.fields else None, refused.text)
    own = row.reporter_id is not None
    right = reporter_right(row, timezone.now())
    context = {
        "right": right,
        "outcome": "" if right is None or right.until is None else report_line(row),
        "report": row,
        "text": MESSAGE_RECEIVED if row.kind == SubjectKind.MESSAGE else RECEIVED,
        "progress": str(progress_of(row)),
        "questions": [(line.author_id is not None, line) for line in row.questions.all()],
        "form": form if form.errors or may_answer_now(row) else None,
        "room": row.room if own else None,
        "other": row.subject if own and row.kind == SubjectKind.MESSAGE else None,
        "own": own,
    }
    return render(request, "pages/receipt.html", context, status=status if form.errors else 200)


def unlinked(answer: HttpResponse) -> HttpResponse:
    """Keep the address of a receipt from other sites and from search engines.

    Not by "no-referrer": browsers then send its own forms with `Origin: null`, which are refused as forged.
    """
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
