"""Admin pages of trust and safety: one module per queue."""

from moderation.admin import cases, clock, rulebook

__all__ = ["cases", "clock", "rulebook"]
