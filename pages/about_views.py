"""Pages about the site itself, open to everybody, also signed out or suspended: rules, privacy, contact."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from moderation.rulebook import rule_histories, rule_history
from pages.own_words import own_words
from pages.privacy import clocks


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Show the rules as they read now, with their earlier versions, and what people agree to when they sign up."""
    histories = rule_histories()
    context = {
        "rules": [one for one in histories if one.rule.retired_at is None],
        "retired": [one for one in histories if one.rule.retired_at is not None],
        "version": settings.RULES_VERSION,
    }
    return render(request, "pages/rules.html", context)


@require_safe
def rule_version(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Show one version of a rule, as a statement of reasons cites it, and until when it was in force."""
    history = rule_history(key)
    versions = [] if history is None else [history.latest, *history.earlier]
    shown = next((version for version in versions if version.number == number), None)
    if history is None or shown is None:
        raise Http404
    later = [version.since for version in versions if version.number > number]
    until = min(later) if later else history.rule.retired_at
    context = {"rule": history.rule, "version": shown, "versions": versions, "until": until}
    return render(request, "pages/rule_version.html", context)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show who runs this site, what is kept for how long by which clock, and the reader's rights."""
    context = {
        "own_words": own_words(settings.PRIVACY_TEXTS),
        "clocks": clocks(),
        "own_data": reverse("people:own_data"),
        "deletion": reverse("people:delete"),
        **operator(),
    }
    return render(request, "pages/privacy.html", context)


@require_safe
def contact(request: HttpRequest) -> HttpResponse:
    """Show whom to write to, for people and for authorities."""
    return render(request, "pages/contact.html", {"own_words": own_words(settings.CONTACT_TEXTS), **operator()})


def operator() -> dict[str, str]:
    return {"operator": settings.OPERATOR_NAME, "contact_email": settings.CONTACT_EMAIL}
