"""API authentication: `Authorization: Token stf_…`."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.quotas import person_key
from people.actions.credentials import token_hash
from people.models import ApiToken, User
from people.pace import PERSON
from people.refusals import PeopleRefused
from people.standing import standing_of, why_not_enter

KEYWORD = "token"
USED_AGAIN = timedelta(minutes=5)  # between two updates of last_used_at


class TokenAuthentication(BaseAuthentication):
    """Authentication by API token. It never grants staff rights: the request has no second step."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != KEYWORD.encode():
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("This token is not one of ours."))
        token = ApiToken.objects.select_related("user").filter(hash=token_hash(words[1].decode("latin1"))).first()
        now = timezone.now()
        if token is None:
            raise AuthenticationFailed(_("This token is not one of ours."))
        if token.expires_at <= now:
            raise AuthenticationFailed(_("This token is too old. Make a new one in your settings."))
        if code := why_not_enter(standing_of(token.user)):
            raise PeopleRefused(code)
        PERSON.check(person_key(token.user_id))  # all programs of one account share its rate limit
        if token.last_used_at is None or now - token.last_used_at > USED_AGAIN:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return KEYWORD.capitalize()


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # not typed
    """The token in the OpenAPI description."""

    target_class = TokenAuthentication
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "A token of one's settings page, with the word “Token” before it: `Token stf_…`.",
        }
