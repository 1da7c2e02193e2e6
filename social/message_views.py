"""Pages of messages: the inbox, a thread with one person, official messages. They parse, call one action, render."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.fields import TypedField
from core.form_targets import post_only
from core.once import new_once
from people.models import User
from people.refusals import PeopleRefused
from people.signed_in import signed_in, signed_in_keeping, typed_before
from people.views import reader
from social import threads
from social.actions.messages import send_text
from social.actions.threads import clear_thread, mark_read
from social.models import BODY, Thread
from social.reach import why_not_write
from social.threads import Line, Messages

SHOWN_CODES = ("you_block_receiver", "cannot_be_reached")  # said above the form before anything is written
LONGEST_KEY = 2**63 - 1


class WriteForm(forms.Form):
    """A line of text to somebody. `once` is the mark of this form."""

    body = TypedField(
        label=_("Your message"),
        text=BODY,
        widget=forms.Textarea(attrs={"rows": 1, "placeholder": _("Write a message")}),
        error_messages={"required": _("Write something first.")},
    )
    once = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["once"].initial = new_once


@dataclass(frozen=True)
class Day:
    """The messages of one day of the reader's calendar, oldest first."""

    date: date
    lines: list[Line]


@never_cache
@signed_in
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List the reader's threads, the newest first; `?before=` names a place in the list."""
    before = request.GET.get("before", "")
    try:
        page = threads.inbox(reader(request), before or None)
    except PeopleRefused as refused:
        raise Http404(refused.text) from refused
    return render(request, "social/inbox.html", {"inbox": page, "before": before})


@never_cache
@signed_in_keeping
@require_http_methods(["GET", "HEAD", "POST"])
def thread(request: HttpRequest, handle: str) -> HttpResponse:
    """Show the thread with a person, `?before=` a message, and send a line on POST."""
    me = reader(request)
    other, row = person_and_thread(me, handle)
    if request.method != "POST":
        if other.handle != handle:
            return redirect("social:thread", other.handle)
        code = why_not_write(me, [other])[other.pk]
        return render_thread(request, other, row, WriteForm(initial=typed_before(request)), code=code)
    form = WriteForm(request.POST)
    code, status = None, 400
    if form.is_valid():
        try:
            body = form.cleaned_data["body"]
            # With the text: a page that the browser shows again has the old mark, and may have another text.
            sent = send_text(me, other, body, once=f"{form.cleaned_data['once']}:{body}")
            return redirect(f"{thread_url(other)}#m{sent.pk}")
        except PeopleRefused as refused:
            form.add_error("body", refused.fields.get("body", refused.text))
            code, status = refused.code, refused.status
    return render_thread(request, other, row, form, code=code, status=status)


def render_thread(
    request: HttpRequest,
    other: User,
    row: Thread | None,
    form: WriteForm,
    *,
    code: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page of a thread; `code` is why the reader may not write in it."""
    page = lines_shown(request, row)
    received = [line for line in page.lines if not line.own]
    context = {
        "other": other,
        "form": form,
        "code": code if code in SHOWN_CODES else None,
        "why_not": PeopleRefused(code).text if code else "",
        "last_received": received[-1] if received else None,
        **shown(request, page),
    }
    return render(request, "social/thread.html", context, status=status)


@never_cache
@signed_in
@require_safe
def official(request: HttpRequest) -> HttpResponse:
    """Show the site's own messages to the reader."""
    row = threads.official_thread(reader(request))
    return render(request, "social/official.html", shown(request, lines_shown(request, row)))


@post_only("social:official")
@signed_in
def read_official(request: HttpRequest) -> HttpResponse:
    """Mark official messages as read up to the one that the form names."""
    return mark_shown(request, "")


@post_only("social:thread", "handle")
@signed_in
def read(request: HttpRequest, handle: str) -> HttpResponse:
    """Mark a thread as read up to the message that the form names."""
    return mark_shown(request, handle)


def mark_shown(request: HttpRequest, handle: str) -> HttpResponse:
    """Mark the thread of an address as read; without a handle that of official messages."""
    me = reader(request)
    row, url = named_thread(me, handle)
    upto = request.POST.get("upto", "")
    if row is not None:
        mark_read(me, row, int(upto) if is_key(upto) else None)
    return redirect(url + (f"#m{upto}" if is_key(upto) else ""))


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, handle: str = "") -> HttpResponse:
    """Ask whether to delete a thread for oneself, and do it on POST, up to the message that was the last when asked."""
    me = reader(request)
    row, url = named_thread(me, handle)
    if row is None:
        return redirect("social:inbox")
    if request.method == "POST":
        upto = request.POST.get("upto", "")
        clear_thread(me, row, int(upto) if is_key(upto) else None)
        messages.success(request, _("The conversation is deleted from your inbox."))
        return redirect("social:inbox")
    newest = threads.messages_of(me, row, most=1).lines
    context = {
        "other": threads.other_of(row, me),
        "thread_url": url,
        "upto": newest[0].message.pk if newest else "",
    }
    return render(request, "social/delete_thread.html", context)


def person_and_thread(me: User, handle: str) -> tuple[User, Thread | None]:
    """Find the person of an address, and the thread with them if the reader sees one. Raises Http404 for nobody,
    oneself, and closed accounts with which there is no thread."""
    other = User.objects.by_handle(handle, signing_up=False)
    if other is None or other == me:
        raise Http404(_("There is nobody with this handle."))
    row = threads.thread_with(me, other)
    if row is None and not other.is_active:
        raise Http404(_("There is nobody with this handle."))
    return other, row


def named_thread(me: User, handle: str) -> tuple[Thread | None, str]:
    """Find the thread of an address with the page's own address; without a handle that of official messages."""
    if not handle:
        return threads.official_thread(me), reverse("social:official")
    other, row = person_and_thread(me, handle)
    return row, thread_url(other)


def thread_url(other: User) -> str:
    return reverse("social:thread", args=[other.handle])


def lines_shown(request: HttpRequest, row: Thread | None) -> Messages:
    """Load the page of a thread that the request asks for. Raises Http404 for what is no key of a message."""
    before = request.GET.get("before", "")
    if before and not is_key(before):
        raise Http404
    if row is None:
        return Messages([], None)
    return threads.messages_of(reader(request), row, int(before) if before else None)


def shown(request: HttpRequest, page: Messages) -> dict[str, object]:
    """Return the values with which templates render the lines of a thread."""
    is_newest = not request.GET.get("before")
    unread = any(not line.own and not line.message.read for line in page.lines)
    return {
        "days": by_day(page.lines),
        "older": page.older,
        "is_newest": is_newest,
        "newest": page.lines[-1].message.pk if page.lines and is_newest else None,
        "has_unread": unread and is_newest,
    }


def by_day(lines: list[Line]) -> list[Day]:
    """Group lines by the day they were sent, in the reader's zone."""
    days: list[Day] = []
    for line in lines:
        sent = timezone.localtime(line.message.sent_at).date()
        if not days or days[-1].date != sent:
            days.append(Day(sent, []))
        days[-1].lines.append(line)
    return days


def is_key(text: str) -> bool:
    """Whether a text can be the primary key of a message."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LONGEST_KEY
