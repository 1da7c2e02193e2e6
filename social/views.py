"""Pages about a person, following and blocking: they parse, call one action, render."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.form_targets import post_only
from core.text import isolated
from people.hooks import coming_link
from people.models import User
from people.queries import person
from people.refusals import PeopleRefused
from people.signed_in import signed_in
from people.views import reader
from social.actions import blocks as block_actions
from social.actions import follows as follow_actions
from social.queries import blocks_of, shown_to


def person_or_404(handle: str) -> User:
    user = person(handle)
    if user is None:
        raise Http404(_("There is nobody with this handle."))
    return user


def go_back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """Redirect to the page that the form named in `next` if it is on this site, else to `otherwise`."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    # Not `redirect`: it looks up a word without a slash as the name of a view.
    return HttpResponseRedirect(wanted if wanted.startswith("/") and ours else otherwise)


@require_safe
def profile(request: HttpRequest, handle: str) -> HttpResponse:
    """Show a person's page. Another spelling of the handle is redirected to the right one."""
    user = person_or_404(handle)
    if user.handle != handle:
        return redirect(user, permanent=True)
    context = {"person": user, "shown": shown_to(user, request), "coming": coming_link(user, request)}
    return render(request, "social/profile.html", context)


def change_follow(request: HttpRequest, handle: str, wanted: bool) -> HttpResponse:
    user = person_or_404(handle)
    try:
        if wanted:
            follow_actions.follow(reader(request), user)
        else:
            follow_actions.unfollow(reader(request), user)
    except PeopleRefused as refused:
        messages.error(request, refused.text)
    return go_back(request, user.get_absolute_url())


@post_only("social:profile", "handle")
@signed_in
def follow(request: HttpRequest, handle: str) -> HttpResponse:
    return change_follow(request, handle, True)


@post_only("social:profile", "handle")
@signed_in
def unfollow(request: HttpRequest, handle: str) -> HttpResponse:
    return change_follow(request, handle, False)


@never_cache
@signed_in
@require_http_methods(["GET", "POST"])
def block(request: HttpRequest, handle: str) -> HttpResponse:
    """Say what a block does, and block on POST. `next` is the page to go back to, else the person's."""
    user = person_or_404(handle)
    shown = shown_to(user, request)
    if request.method == "GET" and not (shown.is_you or shown.blocked_by_you):
        context = {"person": user, "shown": shown, "next": request.GET.get("next", "")}
        return render(request, "social/block.html", context)
    try:
        if request.method == "POST":
            block_actions.block(reader(request), user)
            messages.success(request, _("%(name)s is blocked.") % {"name": isolated(user.display_name)})
    except PeopleRefused as refused:
        messages.error(request, refused.text)
    return go_back(request, user.get_absolute_url())


@signed_in
@require_http_methods(["GET", "POST"])
def unblock(request: HttpRequest, handle: str) -> HttpResponse:
    """Undo a block on POST, also that of an account which is closed by now: the answer does not tell whether it is."""
    user = User.objects.by_handle(handle, signing_up=False)
    try:
        if request.method == "POST" and user is not None and block_actions.unblock(reader(request), user):
            messages.success(request, _("%(name)s is no longer blocked.") % {"name": isolated(user.display_name)})
    except PeopleRefused as refused:
        messages.error(request, refused.text)
    return go_back(request, user.get_absolute_url() if user and user.is_active else reverse("social:blocks"))


@never_cache
@signed_in
@require_safe
def blocks(request: HttpRequest) -> HttpResponse:
    """List the people whom the reader blocks."""
    return render(request, "social/blocks.html", {"blocks": blocks_of(reader(request))})
