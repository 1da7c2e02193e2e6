"""Template tags about people."""

from __future__ import annotations

from collections import Counter

from allauth.mfa.models import Authenticator
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people.models import User
from people.signed_in import OWNER, owner_mark

register = template.Library()


@register.simple_tag
def second_steps(user: User) -> Counter[str]:
    """Count a person's second steps by type: `totp`, `webauthn` and `recovery_codes`."""
    return Counter(Authenticator.objects.filter(user=user).values_list("type", flat=True))


@register.simple_tag
def form_owner(user: User) -> SafeString:
    """Render the field by which what is typed signed out is kept for this account (`people.signed_in`)."""
    return format_html('<input type="hidden" name="{}" value="{}">', OWNER, owner_mark(user))
