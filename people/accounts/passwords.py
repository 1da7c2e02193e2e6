"""Django's checks of new passwords, in our words: its Dutch ones address people formally."""

from __future__ import annotations

from django.contrib.auth import password_validation
from django.utils.translation import gettext, ngettext


class NotLikeYou(password_validation.UserAttributeSimilarityValidator):
    """Refuse passwords that resemble the handle, name or address."""

    def get_error_message(self) -> str:
        return gettext("This password is too much like your name, handle or address. Choose another one.")


class LongEnough(password_validation.MinimumLengthValidator):
    """Refuse short passwords."""

    def get_error_message(self) -> str:
        return (
            ngettext(
                "This password is too short: it needs at least %d character.",
                "This password is too short: it needs at least %d characters.",
                self.min_length,
            )
            % self.min_length
        )


class NotCommon(password_validation.CommonPasswordValidator):
    """Refuse passwords that many people have."""

    def get_error_message(self) -> str:
        return gettext("Many people have this password, so it is guessed first. Choose another one.")
