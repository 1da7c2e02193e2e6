"""Texts of the room page's scripts for staff."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def staff_words() -> dict[str, str]:
    """Return the texts by key."""
    return {
        "staff_listens": _("You listen as staff: nobody in the room sees you."),
        "staff_reports_one": ngettext("{number} report.", "{number} reports.", 1),
        "staff_reports_other": ngettext("{number} report.", "{number} reports.", 2),
        "staff_end_title": _("End this room?"),
        "staff_end_text": _(
            "The sound stops at once for everybody, and people read that staff ended it. It cannot be opened again. "
            "You then have 24 hours to write down the rule and the facts."
        ),
        "staff_end_yes": _("End room"),
        "staff_ended": _("You ended this room. Write down the rule and the facts within 24 hours."),
        "key_staff_case": _("Open the case"),
        "key_staff_end": _("End this room (asks first)"),
    }
