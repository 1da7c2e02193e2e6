"""Signals of this app, for apps above it, which it must not import."""

from django.dispatch import Signal

# A person blocked another, and it is committed. Sent with `blocker` and `blocked`, both accounts.
blocked = Signal()
