"""Labels of a room's choices and of reactions, shared by forms, pages and the admin."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rooms.models import Room

ENTRY_WORDS = {
    Room.EntryPolicy.ANYONE: _("Anyone with the address"),
    Room.EntryPolicy.SIGNED_IN: _("People who are signed in"),
    Room.EntryPolicy.FOLLOWERS: _("People who follow the host"),
    Room.EntryPolicy.INVITED: _("Nobody else"),
}

SPEAK_WORDS = {
    Room.SpeakPolicy.EVERYONE: _("Everyone with an account"),
    Room.SpeakPolicy.FOLLOWED: _("People the host follows"),
    Room.SpeakPolicy.INVITED: _("Only people the host invites"),
}

# By kind (`rooms.rules.reactions`).
REACTION_WORDS = {
    "clap": pgettext_lazy("reaction", "Clap"),
    "heart": pgettext_lazy("reaction", "Heart"),
    "laugh": pgettext_lazy("reaction", "Laugh"),
    "thumbs_up": pgettext_lazy("reaction", "Thumbs up"),
    "hundred": pgettext_lazy("reaction", "Hundred"),
    "high_five": pgettext_lazy("reaction", "High five"),
    "wave": pgettext_lazy("reaction", "Wave"),
    "party": pgettext_lazy("reaction", "Party"),
    "wow": pgettext_lazy("reaction", "Wow"),
    "fire": pgettext_lazy("reaction", "Fire"),
}

TONE_WORDS = (
    pgettext_lazy("skin tone", "Yellow"),
    pgettext_lazy("skin tone", "Light"),
    pgettext_lazy("skin tone", "Medium light"),
    pgettext_lazy("skin tone", "Medium"),
    pgettext_lazy("skin tone", "Medium dark"),
    pgettext_lazy("skin tone", "Dark"),
)
