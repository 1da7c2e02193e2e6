"""Admin pages of trust and safety: one module per queue."""

from moderation.admin import clock, message_reports

__all__ = ["clock", "message_reports"]
