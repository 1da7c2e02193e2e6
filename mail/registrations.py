"""Registrations of mail with what is applied after a restore."""

from mail import sent_log as _sent_log  # noqa: F401  # registers its step
