"""Labels of a room's choices, shared by forms and the admin."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

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
