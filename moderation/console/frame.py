"""Parts that pages of the console share: their frame, and an action's refusal in a form."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from moderation.refusals import ModerationRefused
from people.models import User


def console_page(
    request: HttpRequest, template: str, context: dict[str, Any], form: forms.Form | None = None
) -> HttpResponse:
    """Render a page of the console; a form with errors makes it a 400."""
    wrong = form is not None and bool(form.errors)
    frame = admin.site.each_context(request)
    return render(request, template, {**frame, **context, "form": form}, status=400 if wrong else 200)


def require(request: HttpRequest, *permissions: str) -> User:
    """Return the reader, who has one of these permissions. Raises PermissionDenied."""
    user = cast(User, request.user)
    if not any(user.has_perm(permission) for permission in permissions):
        raise PermissionDenied
    return user


def add_refusal(form: forms.Form, refused: ModerationRefused) -> None:
    """Show an action's refusal in the form that it came from: at its fields, else above them. A refusal for lack of
    rights is raised as PermissionDenied."""
    if refused.status == 403:
        raise PermissionDenied
    shown = False
    for field, text in refused.fields.items():
        if field in form.fields:
            form.add_error(field, ValidationError(text, refused.code))
            shown = True
    if not shown:
        form.add_error(None, ValidationError(refused.text, refused.code))
