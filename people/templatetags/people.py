"""Template tags about people."""

from __future__ import annotations

from collections import Counter

from allauth.mfa.models import Authenticator
from django import template

from people.models import User

register = template.Library()


@register.simple_tag
def second_steps(user: User) -> Counter[str]:
    """Count a person's second steps by type: `totp`, `webauthn` and `recovery_codes`."""
    return Counter(Authenticator.objects.filter(user=user).values_list("type", flat=True))
