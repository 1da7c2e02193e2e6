"""Contents of the form by which people are invited: on the room's page, and on one of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.text import NAME
from pages.js_messages.invitations import answer, invitation_words, invite_words
from people.models import User
from rooms.actions.invitations import InviteResult
from rooms.models import Invitation, Room
from rooms.queries.hosted import kept_rooms
from rooms.queries.invitable import Asked, Person, invitable
from rooms.queries.invitations import invitations_part
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused

_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Answer:
    """Answer to one line of a list, in words."""

    name: str
    text: str


@dataclass(frozen=True)
class Choice:
    """One person whom the form offers: `state` in words, and whether they cannot be chosen."""

    user: str
    name: str
    state: str
    barred: bool


@dataclass(frozen=True)
class Sent:
    """One invitation or personal link (`do` takes it back, by its key) as the host's side reads it."""

    do: str
    key: int
    name: str
    handle: str
    text: str
    may_revoke: bool


@dataclass
class Inviting:
    """The form for one reader: what it offers, and what was answered to what they sent without script.

    `earlier` are rooms whose people they may look through. `among` and `q` are what was searched, `people` those who
    were found, `found` how many in words. `sent` is what the host's side sent before. `link_url` is a personal link
    that was just made, `share_url` the reader's own address of the room.
    """

    may_speak: bool
    kind: str
    earlier: Sequence[Room] = ()
    among: str = "followers"
    q: str = ""
    found: str = ""
    people: list[Choice] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
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


def search(room: Room, me: User, shown: Inviting) -> None:
    """Find people as the form asks. Raises not_found (a room that was not offered), and the codes of `invitable`."""
    source, _space, earlier = shown.among.partition(" ")
    if source == "room" and earlier not in {one.slug for one in shown.earlier}:
        raise RoomRefused("not_found")
    people, more = invitable(room, me, Asked(shown.q[: NAME.most], source, earlier))
    words = invite_words()
    shown.people = [_choice(one, words) for one in people]
    if more:
        shown.found = words["pick_more"].format(number=len(people))
    elif people:
        shown.found = ngettext("{number} person", "{number} people", len(people)).format(number=len(people))
    else:
        shown.found = words["pick_none" if source or shown.q.strip() else "pick_type"]


def _choice(one: Person, words: dict[str, str]) -> Choice:
    state = words.get(f"pick_{one['state']}", "") if one["state"] else ""
    return Choice(one["user"], one["name"], state, one["state"] in ("on_stage", "removed"))


def sent_before(room: Room, me: User, facts: Facts) -> list[Sent]:
    """List the invitations and personal links of a room for its host's side; nothing for others."""
    part, words = invitations_part(room, me, facts), invitation_words()
    sent = []
    for one in part["list"] or ():
        state = "came" if one["came"] else one["state"]
        text = f"{words['invitation_' + one['kind']]} · {words['invitation_' + state]}"
        open_ = one["state"] in ("pending", "accepted")
        sent.append(Sent("revoke", one["id"], one["name"], one["user"], text, open_))
    for link in part["links"] or ():
        text = f"{_('personal link')} · {words['personal_link_' + link['state']]}"
        sent.append(Sent("revoke_link", link["id"], link["label"], "", text, link["state"] == "open"))
    return sent


def handles_in(text: str) -> list[str]:
    """The handles in a text, one a line or with commas, semicolons or spaces between them; each once."""
    words = (word.removeprefix("@") for word in _BETWEEN.split(text))
    return list({word.lower(): word for word in words if word}.values())
