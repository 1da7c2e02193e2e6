"""Texts of the room page's scripts about removing, blocking and reporting."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from pages import report_form


def removal_words() -> dict[str, str]:
    """Return the texts by key."""
    return {
        "remove_title": _("Remove {name} from the room?"),
        "removed": _("{name} is removed from the room."),
        "removed_by": _("{name} removed {other} from the room."),
        "let_in": _("{name} may come in again, as a listener."),
        "let_in_by": _("{name} let {other} come in again."),
        "let_in_name": _("Let back in: {name}"),
        "block": pgettext("a person", "Block"),
        "unblock": _("Unblock"),
        "block_title": _("Block {name}?"),
        "blocked": _("{name} is blocked."),
        "unblocked": _(
            "{name} is no longer blocked. Follows and invitations do not come back; a removal is undone apart."
        ),
        "report_category": str(report_form.NO_CATEGORY),
        "report_words": str(report_form.NO_WORDS),
        "report_faith": str(report_form.NO_FAITH),
        "report_time": str(report_form.NO_TIME),
        "report_order": str(report_form.NO_RANGE),
        "report_long": str(report_form.TOO_LONG),
        "report_refused_category": str(report_form.NO_CATEGORY),
        "report_refused_from_ms": str(report_form.BEYOND),
        "report_refused_to_ms": str(report_form.BEYOND),
        "report_failed": _("No answer came, so perhaps nothing was sent. What you wrote is still there; try again."),
    }
