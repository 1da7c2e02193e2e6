"""Texts of the room page's scripts about reactions."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def reaction_words() -> dict[str, str]:
    """Return the texts by key."""
    words = {"reacted": _("Reactions: {list}")}
    for count, form in ((1, "one"), (2, "other")):
        words |= {
            f"reaction_clap_{form}": ngettext("{number} clap", "{number} claps", count),
            f"reaction_heart_{form}": ngettext("{number} heart", "{number} hearts", count),
            f"reaction_laugh_{form}": ngettext("{number} laugh", "{number} laughs", count),
            f"reaction_thumbs_up_{form}": ngettext("{number} thumb up", "{number} thumbs up", count),
            f"reaction_hundred_{form}": ngettext("{number} hundred", "{number} hundreds", count),
            f"reaction_high_five_{form}": ngettext("{number} high five", "{number} high fives", count),
            f"reaction_wave_{form}": ngettext("{number} wave", "{number} waves", count),
            f"reaction_party_{form}": ngettext("{number} party popper", "{number} party poppers", count),
            f"reaction_wow_{form}": ngettext("{number} wow", "{number} wows", count),
            f"reaction_fire_{form}": ngettext("{number} fire", "{number} fires", count),
            f"reaction_more_{form}": ngettext("{number} other", "{number} others", count),
        }
    return words
