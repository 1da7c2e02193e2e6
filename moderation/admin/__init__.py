"""Admin pages of trust and safety: one module per queue."""

from moderation.admin import clock

__all__ = ["clock"]
