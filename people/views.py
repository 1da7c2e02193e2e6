"""Pages about people: they parse, call one action, render."""

from pathlib import Path
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.form_targets import post_only
from people.actions import account as profile_actions
from people.creators import actions as creator_actions
from people.creators.queries import place_in_queue
from people.forms import AskForm, MessagesForm, PictureForm, ProfileForm, RoomsForm
from people.middleware import TZ_COOKIE
from people.models import Creator, User
from people.refusals import PeopleRefused
from people.signed_in import ask_to_sign_in, signed_in, signed_in_keeping, typed_before
from people.takedowns import taken_down

YEAR = 365 * 24 * 3600  # seconds


def reader(request: HttpRequest) -> User:
    """Return the signed-in user; for views that require one."""
    return cast(User, request.user)


@signed_in_keeping
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show and change name, text, language and time zone. Links to e-mail, password and second step."""
    # The form works on a copy, so that a refused name does not stand in the page's header.
    user = User.objects.get(pk=reader(request).pk)
    device_zone = request.COOKIES.get(TZ_COOKIE, "")
    form = ProfileForm(request.POST or None, instance=user, initial=typed_before(request), device_zone=device_zone)
    status = 400
    if request.method == "POST" and form.is_valid():
        try:
            profile_actions.update_profile(user, **form.cleaned_data)
            with translation.override(user.language):
                messages.success(request, _("Saved."))
            return redirect("people:settings")
        except PeopleRefused as refused:
            form.add_error("display_name", ValidationError(refused.text, refused.code))
            status = refused.status
    return render(request, "people/settings.html", forms_of(request, form=form), status=status if form.errors else 200)


@post_only("people:settings")
@signed_in
def settings_rooms(request: HttpRequest) -> HttpResponse:
    """Change how the account takes part in rooms."""
    user = User.objects.get(pk=reader(request).pk)
    form = RoomsForm(request.POST, instance=user)
    if form.is_valid():
        profile_actions.update_profile(user, **form.cleaned_data)
        messages.success(request, _("Saved."))
    return redirect("people:settings")


@post_only("people:settings")
@signed_in
def settings_messages(request: HttpRequest) -> HttpResponse:
    """Change who may write to the account, and how invitations reach it."""
    user = User.objects.get(pk=reader(request).pk)
    form = MessagesForm(request.POST, instance=user)
    if form.is_valid():
        profile_actions.update_profile(user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("people:settings")
    return render(request, "people/settings.html", forms_of(request, messages_form=form), status=400)


def forms_of(request: HttpRequest, **bound: BaseForm) -> dict[str, object]:
    """Return the forms of the settings page, of which `bound` replaces those that were sent, and what moderators
    removed."""
    me = reader(request)
    profile = ProfileForm(instance=me, device_zone=request.COOKIES.get(TZ_COOKIE, ""))
    others = {"messages_form": MessagesForm(instance=me), "rooms_form": RoomsForm(instance=me)}
    return {"form": profile, "picture_form": PictureForm(), "removed": taken_down(me), **others} | bound


@post_only("people:settings")
@signed_in
def picture_form(request: HttpRequest) -> HttpResponse:
    """Upload or remove the own picture."""
    form = PictureForm(request.POST, request.FILES)
    try:
        if "remove" in request.POST:
            profile_actions.remove_picture(reader(request))
            messages.success(request, _("Your picture is removed; your initials stand in for it."))
            return redirect("people:settings")
        if form.is_valid():
            profile_actions.set_picture(reader(request), form.cleaned_data["picture"])
            messages.success(request, _("Your new picture is saved."))
            return redirect("people:settings")
        status = 400
    except PeopleRefused as refused:
        form.add_error("picture", ValidationError(refused.text, refused.code))
        status = refused.status
    return render(request, "people/settings.html", forms_of(request, picture_form=form), status=status)


@require_GET
def picture(request: HttpRequest, name: str) -> FileResponse:
    """Serve an uploaded picture. Its name is random and new with each upload, so it may be cached for ever."""
    file = Path(settings.MEDIA_ROOT) / name
    if not file.is_file():
        raise Http404(_("This picture is gone."))
    headers = {"Cache-Control": f"public, max-age={YEAR}, immutable", "X-Content-Type-Options": "nosniff"}
    return FileResponse(file.open("rb"), content_type="image/webp", headers=headers)


@require_http_methods(["GET", "POST"])
def creators(request: HttpRequest) -> HttpResponse:
    """Show the creator group's page and the reader's place in the queue; POST asks to join."""
    if request.method == "POST" and not request.user.is_authenticated:
        return ask_to_sign_in(request, keeps=True)
    mine = Creator.objects.filter(user=reader(request)).first() if request.user.is_authenticated else None
    initial = {"plan": mine.plan if mine else "", **typed_before(request)}
    form = AskForm(request.POST or None, initial=initial)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            creator_actions.ask_for_creator(reader(request), form.cleaned_data["plan"])
            messages.success(request, _("You asked. We tell you by mail when you are in."))
            return redirect("people:creators")
        except PeopleRefused as refused:
            form.add_error(None, ValidationError(refused.text, refused.code))
            status = refused.status
    elif form.is_bound:
        status = 400
    place = place_in_queue(mine) if mine and not mine.is_member else None
    return render(request, "people/creators.html", {"mine": mine, "place": place, "form": form}, status=status)


@post_only("people:creators")
@signed_in
def withdraw(request: HttpRequest) -> HttpResponse:
    if creator_actions.withdraw_ask(reader(request)):
        messages.success(request, _("You are no longer in the queue. You can ask again at any time."))
    return redirect("people:creators")
