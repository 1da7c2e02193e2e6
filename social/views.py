"""Pages about a person and following: they parse, call one action, render."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from people.models import User
from people.queries import person
from people.refusals import PeopleRefused
from people.views import reader
from social.actions import follows as follow_actions
from social.queries import shown_to


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
    context = {"person": user, "shown": shown_to(user, request)}
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


@require_http_methods(["GET", "POST"])
@login_required
def follow(request: HttpRequest, handle: str) -> HttpResponse:
    """Follow on POST. A GET, to which signing in returns, shows the person and changes nothing."""
    if request.method == "GET":
        return redirect("social:profile", handle)
    return change_follow(request, handle, True)


@require_http_methods(["GET", "POST"])
@login_required
def unfollow(request: HttpRequest, handle: str) -> HttpResponse:
    if request.method == "GET":
        return redirect("social:profile", handle)
    return change_follow(request, handle, False)
