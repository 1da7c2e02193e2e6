"""The console of trust and safety: one file a queue."""

from moderation.admin import clock

__all__ = ["clock"]
