"""Admin pages of trust and safety: one module per queue."""

from moderation.admin import cases, clock, reviews, rulebook, words

__all__ = ["cases", "clock", "reviews", "rulebook", "words"]
