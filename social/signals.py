"""Signals of this app, for apps above it, which it must not import."""

from django.dispatch import Signal

# A person blocked another, and it is committed. Sent with `blocker` and `blocked`, both accounts. Sent again until no
# receiver raises, also after the process died meanwhile: doing it twice must be the same as doing it once.
blocked = Signal()
