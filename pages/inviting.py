"""Contents of the form by which people are invited: on the room's page, and on one of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import ngettext

from pages.js_messages.invitations import answer
from people.models import User
from rooms.actions.invitations import InviteResult
from rooms.models import Invitation, Room
from rooms.queries.hosted import kept_rooms

_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Answer:
    """Answer to one line of a list, in words."""

    name: str
    text: str


@dataclass
class Inviting:
    """The form for one reader: what it offers, and what was answered to what they sent without script.

    `earlier` are rooms whose people they may look through. `link_url` is a personal link that was just made,
    `share_url` the reader's own address of the room.
    """

    may_speak: bool
    kind: str
    earlier: Sequence[Room] = ()
    handles: str = ""
    said: str = ""
    answers: list[Answer] = field(default_factory=list)
    link_url: str = ""
    link_wrong: str = ""
    share_url: str = ""

    def answer(self, lines: Sequence[InviteResult]) -> None:
        """Show what became of each line, and keep those that were refused in the field."""
        invited = sum(line.result == "invited" for line in lines)
        self.said = ngettext("{number} person is invited.", "{number} people are invited.", invited).format(
            number=invited
        )
        self.answers = [Answer(f"@{line.user}", answer(line.result)) for line in lines]
        self.handles = "\n".join(line.user for line in lines if line.result != "invited")


def inviting_of(room: Room, me: User, *, may_speak: bool) -> Inviting:
    """Build the form for a reader, who may invite to speak or to listen alone."""
    kind = Invitation.Kind.SPEAK if may_speak else Invitation.Kind.LISTEN
    return Inviting(may_speak, kind, kept_rooms({me.pk, room.host_id}) if may_speak else ())


def handles_in(text: str) -> list[str]:
    """The handles in a text, one a line or with commas, semicolons or spaces between them; each once."""
    words = (word.removeprefix("@") for word in _BETWEEN.split(text))
    return list({word.lower(): word for word in words if word}.values())
