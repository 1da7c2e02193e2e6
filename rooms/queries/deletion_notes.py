"""Sentences on what the deletion of an account would mean for its rooms now, in the language that is active."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.text import isolated
from people.models import User
from rooms.models import Recording, Room


def room_notes(user: User) -> list[str]:
    """Name a live room, and count prepared ones, replays that people may hear, and recordings."""
    notes = []
    live = Room.objects.filter(host=user, status=Room.Status.LIVE).first()
    if live is not None:
        title = {"title": isolated(live.shown_title)}
        notes.append(_("Your room “%(title)s” is live: it passes to a co-host who is there, or ends.") % title)
    coming = Room.objects.filter(host=user, status=Room.Status.SCHEDULED).count()
    if coming:
        text = ngettext("%(number)s prepared room is cancelled.", "%(number)s prepared rooms are cancelled.", coming)
        notes.append(text % {"number": coming})
    kept = Recording.objects.filter(room__host=user, room__purged_at=None, room__status=Room.Status.ENDED)
    public = kept.filter(announced_at__isnull=False).count()
    if public:
        text = ngettext("%(number)s replay is withdrawn.", "%(number)s replays are withdrawn.", public)
        notes.append(text % {"number": public})
    number = kept.count()
    if number:
        text = ngettext(
            "The recording of %(number)s room can still be downloaded by you, and not after that.",
            "The recordings of %(number)s rooms can still be downloaded by you, and not after that.",
            number,
        )
        notes.append(text % {"number": number})
    return notes
