"""Pages of the deletion of the own account: what it means, the confirmation, and the goodbye."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from people.actions.deletion import delete_account
from people.forms import DeleteForm
from people.hooks import deletion_notes
from people.models import User
from people.refusals import PeopleRefused
from people.signed_in import signed_in


@never_cache
@require_safe
@signed_in
def delete(request: HttpRequest) -> HttpResponse:
    """Show in plain words what a deletion does and does not do."""
    user = cast(User, request.user)
    notes = [note for notes_of in deletion_notes.values() for note in notes_of(user)]
    context = {"notes": notes, "handle_days": settings.HANDLE_HELD_DAYS, "message_days": settings.MESSAGES_DAYS}
    return render(request, "people/delete.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]  # allauth is not typed
def confirm(request: HttpRequest) -> HttpResponse:
    """Delete the reader's account; allauth asks for the password first."""
    user = cast(User, request.user)
    form = DeleteForm(request.POST if request.method == "POST" else None, user=user)
    status = 400 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            delete_account(user, user)
            logout(request)
            return redirect("people:goodbye")
        except PeopleRefused as refused:
            form.add_error(None, refused.text)
            status = refused.status
    return render(request, "people/delete_confirm.html", {"form": form}, status=status)


@require_safe
def goodbye(request: HttpRequest) -> HttpResponse:
    """Say that the account is deleted. The page is the same for everybody, and knows nothing of the account."""
    return render(request, "people/goodbye.html")
