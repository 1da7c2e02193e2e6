"""Appeals: signed in, by the receipt of a report, or by a link without signing in. One page each has the form first and
then the state. Opening a page changes nothing: programs that look into mails open links, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.client_address import address_of_request, counted_as
from core.form_targets import post_only
from core.throttle import Limit
from moderation.actions.appeal_links import OpenedLink, mail_code, mail_new_link, open_link, take_code
from moderation.actions.appeals import draft_of, file_appeal, keep_draft
from moderation.models import Statement
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right
from moderation.queries.clips import clips_of as heard_by
from moderation.queries.reports import report_of_receipt
from moderation.refusals import ModerationRefused
from pages.appeal_form import AppealForm
from pages.decision_views import own_statement
from pages.decisions import clips_of, shown_right, told_of
from pages.door import reader
from pages.receipt_views import unlinked
from people.models import User
from people.signed_in import signed_in_keeping, typed_before

TOKEN_COOKIE, HEARING_COOKIE = "appeal", "appeal-sound"
COOKIE_SECONDS = 3 * 3600
HEARING_SECONDS = 15 * 60  # for which the sound can be heard after a code
GUESSES = Limit("appeal_link", per_minute=6, burst=20, refused=ModerationRefused)


@dataclass(frozen=True)
class Place:
    """Where a page of an appeal is: its own path, and by which link it is read (None: signed in, or by a receipt)."""

    path: str
    opened: OpenedLink | None = None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_keeping
def as_person(request: HttpRequest, pk: int) -> HttpResponse:
    """The appeal of the person whom a decision concerns, signed in; also suspended."""
    statement = own_statement(pk, cast(User, request.user))
    return _served(request, concerned_right(statement, timezone.now()), Place(request.path))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def as_reporter(request: HttpRequest, receipt: UUID) -> HttpResponse:
    """The appeal of a reporter: of the account that reported, or of whoever has the receipt of a report without one."""
    report = report_of_receipt(receipt, reader(request))
    right = None if report is None else reporter_right(report, timezone.now())
    if right is None:
        raise Http404
    return _served(request, right, Place(request.path))


@never_cache
@require_safe
def by_token(request: HttpRequest, token: str) -> HttpResponse:
    """Set the token of a link aside in a cookie, and lead to its page, whose address has none: addresses end up in logs
    and as referrers."""
    answer = redirect("pages:appeal")
    _keep_token(answer, token)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _keep_token(answer: HttpResponse, token: str) -> None:
    """Keep a token in the browser for COOKIE_SECONDS from now on: each page and saved draft begins them anew."""
    answer.set_signed_cookie(
        TOKEN_COOKIE,
        token[:100],
        salt=TOKEN_COOKIE,
        max_age=COOKIE_SECONDS,
        path=reverse("pages:appeal"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest) -> HttpResponse:
    """The appeal of whoever opened a link, without signing in."""
    return _by_link(request, lambda opened: _served(request, opened.right, Place(request.path, opened)))


@never_cache
@post_only("pages:appeal")
def new_link(request: HttpRequest) -> HttpResponse:
    """Mail a new link to the address to which the one that is open went."""

    def mail(opened: OpenedLink) -> HttpResponse:
        if mail_new_link(opened.right, _client(request)):
            messages.success(request, _("A new link is on its way to your mail address."))
        else:
            messages.error(request, _("No new link was sent: you asked for several lately. Try again in a while."))
        return redirect("pages:appeal")

    return _by_link(request, mail, also_expired=True)


@never_cache
@post_only("pages:appeal")
def code(request: HttpRequest) -> HttpResponse:
    """Mail a code, or take one: then the sound can be heard again for some minutes."""

    def act(opened: OpenedLink) -> HttpResponse:
        if request.POST.get("do") != "use":
            if mail_code(opened, _client(request)):
                messages.success(request, _("A code is on its way to your mail address. It works for 15 minutes."))
            else:
                messages.error(request, _("No code was sent: you asked for several lately. Try again in a while."))
            return redirect("pages:appeal")
        answer = redirect("pages:appeal")
        if take_code(opened, request.POST.get("code", "")):
            answer.set_signed_cookie(
                HEARING_COOKIE,
                str(opened.link.pk),
                salt=HEARING_COOKIE,
                max_age=HEARING_SECONDS,
                path=answer["Location"],
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        else:
            messages.error(request, _("That is not the code, or its 15 minutes are over. Have a new one sent."))
        return answer

    return _by_link(request, act)


def _by_link(
    request: HttpRequest, serve: Callable[[OpenedLink], HttpResponse], *, also_expired: bool = False
) -> HttpResponse:
    """Serve what the link of this browser opens, in the language of its side; else one page that says that it does not
    work. Whoever tries many is slowed down."""
    token = _cookie(request, TOKEN_COOKIE, COOKIE_SECONDS)
    opened = open_link(token) if token else None
    if opened is None:
        return unlinked(_no_link(request, tried=bool(token)))
    language = request.user.language if request.user.is_authenticated else opened.right.language
    with translation.override(language):
        if opened.expired and not also_expired:
            context = {"expired": True}
            return unlinked(render(request, "pages/appeal_refused.html", context, status=410))
        answer = _other_link(request) if _is_of_another(request, opened) else serve(opened)
        _keep_token(answer, token)
        return unlinked(answer)


def _is_of_another(request: HttpRequest, opened: OpenedLink) -> bool:
    """Whether a form was shown for another link than the one that this browser opened last, in another tab."""
    return "words" in request.POST and request.POST.get("link") != str(opened.link.pk)


def _other_link(request: HttpRequest) -> HttpResponse:
    """Say that a form is not of the link that is open, and give its text back; nothing was filed or saved."""
    text = _("You opened another link since, so this was not sent. Copy your text and open the first link once more.")
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"error": text}, status=409)
    context = {"other": text, "typed": request.POST.get("words", "")}
    return render(request, "pages/appeal_refused.html", context, status=409)


def _no_link(request: HttpRequest, *, tried: bool) -> HttpResponse:
    status = 404
    try:
        if tried:
            GUESSES.check(_client(request))
    except ModerationRefused as refused:
        status = refused.status
    return render(request, "pages/appeal_refused.html", {"expired": False}, status=status)


def _served(request: HttpRequest, right: AppealRight, place: Place) -> HttpResponse:
    """Show the form or the state; on POST save a draft (`do` is "save") or file the appeal."""
    typed = request.POST.get("words", "")
    if request.method != "POST":
        return _page(request, right, place, AppealForm(initial={"words": draft_of(right), **typed_before(request)}))
    if request.POST.get("do") == "save":
        return _saved(request, right, place, typed)
    form = AppealForm(request.POST)
    status = 400
    if form.is_valid():
        try:
            client = "" if right.person is not None else _client(request)
            file_appeal(right, form.cleaned_data["words"], once=form.cleaned_data["once"], address=client)
            messages.success(request, _("Your appeal has arrived."))
            return redirect(place.path)
        except ModerationRefused as refused:
            status = refused.status
            form.add_error("words" if "words" in refused.fields else None, refused.fields.get("words", refused.text))
    return _page(request, right, place, form, status)


def _saved(request: HttpRequest, right: AppealRight, place: Place, typed: str) -> HttpResponse:
    """Keep a draft: for the page's script with a short answer, without script with the page."""
    by_script = request.headers.get("Accept", "").startswith("application/json")
    try:
        keep_draft(right, typed)
    except ModerationRefused as refused:
        text = " ".join(refused.fields.values()) or refused.text
        if by_script:
            return JsonResponse({"error": text}, status=refused.status)
        form = AppealForm(initial={"words": typed})
        messages.error(request, text)
        return _page(request, right, place, form, refused.status)
    if by_script:
        return JsonResponse({"saved": True})
    messages.success(request, _("Saved. Come back to this page to go on."))
    return redirect(place.path)


def _page(request: HttpRequest, right: AppealRight, place: Place, form: AppealForm, status: int = 200) -> HttpResponse:
    opened = place.opened
    statement = None
    if right.report is None:
        rows = Statement.objects.select_related("decision__case__room", "person")
        statement = rows.filter(decision=right.decision).first()
    hears = opened is None or right.appeal is None or _hears(request, opened)
    link = None if opened is None else opened.link
    clips = clips_of(right, link, by_code=right.appeal is not None) if hears else []
    may_read = opened is not None or right.person is not None  # not whoever has but the receipt of a report
    context: dict[str, Any] = {
        **shown_right(right),
        "told": None if statement is None else told_of(statement),
        "room": right.decision.case.room if right.person is not None and opened is None else None,
        "may_read": may_read,
        "clips": clips,
        "was_deleted": right.decision.case.room is not None and right.decision.case.room.purged_at is not None,
        "form": form if right.may_appeal else None,
        "path": place.path,
        "opened": opened,
        "asks_code": opened is not None and right.appeal is not None and not hears and bool(heard_by(right).clips),
    }
    return unlinked(render(request, "pages/appeal.html", context, status=status))


def _hears(request: HttpRequest, opened: OpenedLink) -> bool:
    return _cookie(request, HEARING_COOKIE, HEARING_SECONDS) == str(opened.link.pk)


def _cookie(request: HttpRequest, name: str, seconds: int) -> str:
    try:
        return request.get_signed_cookie(name, "", salt=name, max_age=seconds) or ""
    except signing.BadSignature:
        return ""


def _client(request: HttpRequest) -> str:
    return counted_as(address_of_request(request))


def appeal_path(right: AppealRight) -> str:
    """Where somebody who is signed in, or has the receipt of their report, appeals."""
    if right.report is not None:
        return reverse("pages:appeal-report", args=[right.report.receipt])
    return reverse("pages:appeal-decision", args=[right.decision.pk])
