"""Views of the pages by which people report a message: each parses, calls one query or action, renders."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.client_address import address_of_request, counted_as
from moderation.actions.filing import NewReport, file_report
from moderation.queries.reports import seen_message
from moderation.refusals import ModerationRefused
from pages.report_form import NoticeForm
from people.models import User
from people.signed_in import signed_in_keeping, typed_before
from social.message_views import LONGEST_KEY, person_and_thread
from social.threads import Line, lines_of


@never_cache
@signed_in_keeping
@require_http_methods(["GET", "HEAD", "POST"])
def report_page(request: HttpRequest, handle: str, pk: int) -> HttpResponse:
    """Show the form of a report about a message that the reader received, and send it on POST."""
    me = cast(User, request.user)
    line = received_line(me, handle, pk)
    form = NoticeForm(request.POST if request.method == "POST" else None, initial=typed_before(request))
    status = 400
    if form.is_valid():
        address = counted_as(address_of_request(request))
        new = NewReport(kind="message", reporter=me, message=line.message.pk, address=address, **form.notice())
        try:
            return redirect("pages:receipt", file_report(new).receipt)
        except ModerationRefused as refused:
            status = refused.status
            form.refused(refused.fields)
            if not refused.fields:
                form.add_error(None, refused.text)
    context = {"line": line, "other": line.message.sender, "form": form}
    return render(request, "pages/report_message.html", context, status=status if form.errors else 200)


def received_line(me: User, handle: str, pk: int) -> Line:
    """Find a message that the reader received from this person. Raises Http404: whatever else there is, is as what
    never was."""
    _other, thread = person_and_thread(me, handle)
    message = seen_message(me, thread.pk, pk) if thread is not None and pk <= LONGEST_KEY else None
    if message is None or message.sender_id in (None, me.pk):
        raise Http404
    return lines_of([message], me)[0]
