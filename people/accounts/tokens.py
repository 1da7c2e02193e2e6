"""Tokens of links that reset a password."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from people.models import User


class ResetTokens(PasswordResetTokenGenerator):
    """Django's tokens, void after a new password or sign-in, and also once credentials end or the address changes."""

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        assert isinstance(user, User)
        ended = "" if user.credentials_at is None else user.credentials_at.isoformat()
        return f"{super()._make_hash_value(user, timestamp)}|{user.email}|{user.is_active}|{ended}"
