"""Registrations of pages: those that stay open to suspended accounts."""

from __future__ import annotations

from people.hooks import open_when_suspended

ABOUT = frozenset({"pages:rules", "pages:rule-version", "pages:privacy", "pages:contact"})


@open_when_suspended.register("pages.about")
def about_pages() -> frozenset[str]:
    """The rules, what is kept, and whom to write to."""
    return ABOUT


DECISIONS = frozenset(
    (
        *("pages:decisions", "pages:decision", "pages:receipt", "pages:clip"),
        *("pages:appeal-decision", "pages:appeal-report", "pages:appeal"),
        *("pages:appeal-link", "pages:appeal-code", "pages:appeal-token"),
    )
)


@open_when_suspended.register("pages.decisions")
def decision_pages() -> frozenset[str]:
    """Name the pages of what was decided about somebody, of their reports and appeals."""
    return DECISIONS
