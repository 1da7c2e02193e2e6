"""Messages of a room outside its log: to one person, to the host's side, to staff. They take no `seq`.

`docs/subsystems/live-events.md` has the same in words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal, NotRequired, TypedDict, cast, get_args

from django.db import transaction

from core import bus
from people.channels import person_channel
from rooms import channels
from rooms.models import Hand, Room, admission
from rooms.wire.events import encode, iso_of
from rooms.wire.faces import Face, face

Level = Literal["good", "weak", "bad"]
LEVELS: tuple[Level, ...] = get_args(Level)


class HandRaised(Face):
    """`hand_raised`, to the host's side: somebody asks to speak, as the last in the queue. `raised_at` (ISO 8601, UTC)
    names the hand; `invited` says that this person accepted an invitation to speak. The others as in SeatState."""

    raised_at: str
    invited: bool


class HandLowered(TypedDict):
    """`hand_lowered`, to the host's side: this hand is down, whatever the reason. Messages may arrive in either order:
    one about a later `raised_at` of the same person is about a later hand."""

    user: str
    raised_at: str


class Removed(TypedDict):
    """`removed`, to the host's side: this person is out of the room. Both are handles."""

    user: str
    by: str


class RemovalUndone(TypedDict):
    """`removal_undone`, to the host's side: this person may come in again. Both are handles."""

    user: str
    by: str


class Invitation(TypedDict):
    """`invitation`, to the host's side: an invitation by host or co-host, as it is now. `user` and `by` are handles;
    `came` says whether the person has come in since. The others as in SeatState. After an act that made many, only some
    are told: a snapshot has them."""

    id: int
    user: str
    name: str
    initials: str
    picture: str
    color: str
    kind: Literal["speak", "listen"]
    state: Literal["pending", "accepted", "declined", "revoked", "expired"]
    by: str
    came: bool


class PersonalLink(TypedDict):
    """`personal_link`, to the host's side: a link for one person without an account, as it is now; never its address.
    `label` is how the host's side calls the person."""

    id: int
    label: str
    state: Literal["open", "used", "revoked", "expired"]


class Quality(TypedDict):
    """`quality`, to the host's side: how good the connection of a person on stage is, as their page measured it. Said
    again every 20 s while it is not good; what is not said again for long is over. `user` is a handle."""

    user: str
    level: Level


class TalkTime(TypedDict):
    """`talk_time`, to the host's side: how long people on stage have spoken in this room, in milliseconds by handle.
    Comes every 5 s while somebody talks, from the media supervisor."""

    talked: dict[str, int]


class CaptionLanguage(TypedDict):
    """`caption_language`, to the host's side: live captions hear another language (`heard`) than the room was opened
    in (`expected`), so that what they write is a translation at best. Both are codes ("nl"). Said once for each."""

    heard: str
    expected: str


class ReportReceived(TypedDict):
    """`report_received`, to staff: a report arrived. Nothing of it but whether it is `urgent`, and the key of its
    `case`. `room` is the slug of the room it is about, "" where it is about none, or that is not said."""

    urgent: bool
    case: NotRequired[int]


class CaseChanged(TypedDict):
    """`case_changed`, to staff: somebody claimed, decided or otherwise changed the case with this key. `room` as for
    `report_received`. Who did what is read from the case."""

    case: int


class Personal(TypedDict):
    """On a person's own channel: one of PERSONAL. `room` is the slug it is about, `by` a handle, null for oneself.

    `page` names the page whose microphone was lost, or the one that holds it now; empty for none. `held` (you_muted):
    the microphone stays off until host or co-host lift that. `seated` (you_demoted): a speaker's place was free.
    `raised_at` names the hand that is up (`hand_up`, `hand_place`) or down (`hand_down`, `hand_declined`, by
    `outcome`); `place` is its place in the queue, from 1, and only ever gets smaller. `let_up` comes with a seat that
    host or co-host (`by`) gave. `user` is the handle of a person on stage whom the reader blocked (`blocked_here`).
    `invited` is about a room to which `by` invited the reader, `invitation_revoked` about one to speak that was taken
    back. `unseen` is what the reader chose for this room. `audience` says that a listener whom the reader may see chose
    to be seen, or no longer to be.
    """

    type: str
    room: str
    by: NotRequired[str | None]
    page: NotRequired[str]
    held: NotRequired[bool]
    seated: NotRequired[bool]
    raised_at: NotRequired[str]
    place: NotRequired[int]
    outcome: NotRequired[str]
    user: NotRequired[str]
    unseen: NotRequired[bool]


class Sided(TypedDict):
    """To the host's side of a room, or to staff: never sequenced, never in the log. `room` is the slug it is about."""

    type: str
    room: str
    data: Any


PERSONAL = (
    *("you_muted", "unmute_asked", "you_unseated", "you_demoted", "mic_lost", "mic_moved", "blocked_here"),
    *("hand_up", "hand_place", "hand_down", "hand_declined", "let_up"),
    *("invited", "invitation_revoked", "unseen", "audience"),
)

# Kinds on the channel of a room's host side (host and co-hosts), and on that of staff: `Sided`.
HOST_SIDE: tuple[str, ...] = (
    *("hand_raised", "hand_lowered", "removed", "removal_undone", "quality"),
    *("invitation", "personal_link", "talk_time", "caption_language"),
)
STAFF: tuple[str, ...] = ("report_received", "case_changed")
NOT_TO = "not_to"  # field of a message between processes: accounts that must not get it


def hand_state(hand: Hand) -> HandRaised:
    """How the host's side sees this hand; `hand.user` must be loaded."""
    return {
        **face(hand.user),
        "raised_at": iso_of(hand.raised_at),
        "invited": hand.invited,
    }


def invitation_state(invitation: admission.Invitation) -> Invitation:
    """How the host's side sees this invitation; its `user` and `by` must be loaded."""
    return {
        "id": invitation.pk,
        **face(invitation.user),
        "kind": cast(Literal["speak", "listen"], str(invitation.kind)),
        "state": cast(Any, str(invitation.state)),
        "by": invitation.by.handle,
        "came": invitation.came_at is not None,
    }


def link_state(link: admission.PersonalLink, room: Room) -> PersonalLink:
    """How the host's side sees this personal link of a room."""
    state: Literal["open", "used", "revoked", "expired"] = "open"
    if link.used_at is not None:
        state = "used"
    elif link.revoked_at is not None:
        state = "revoked"
    elif room.is_over:
        state = "expired"
    return {"id": link.pk, "label": link.label, "state": state}


def tell(user_pk: int, message: Personal) -> None:
    """Tell one person what concerns only them, when the transaction commits."""
    tell_each([(user_pk, message)])


def tell_each(messages: Iterable[tuple[int, Personal]]) -> None:
    """`tell` for many people, by the primary key of their account, in one round trip."""
    texts = [(person_channel(user_pk), encode(message)) for user_pk, message in messages]
    transaction.on_commit(lambda: bus.publish_many(texts), robust=True)


def tell_host_side(room: Room, *messages: Sided) -> None:
    """Tell host and co-hosts of a room what is theirs alone, when the transaction commits."""
    _publish_later(channels.host_channel(room.pk), messages, HOST_SIDE)


def tell_staff(*messages: Sided, not_to: Collection[int] = ()) -> None:
    """Tell staff on the pages of rooms and of the console, when the transaction commits.

    `not_to` are the primary keys of accounts that must not learn of it: parties of what it is about.
    """
    _publish_later(channels.staff_channel(), messages, STAFF, not_to)


def for_clients(message: dict[str, Any], text: str) -> tuple[str, frozenset[int]]:
    """Return a published message as clients get it, and the accounts that must not get it. Raises ValueError where
    these are malformed."""
    if NOT_TO not in message:
        return text, frozenset()
    kept_from = message[NOT_TO]
    if not isinstance(kept_from, list) or not all(type(pk) is int for pk in kept_from):
        raise ValueError("no accounts")
    rest = {name: value for name, value in message.items() if name != NOT_TO}
    return encode(rest), frozenset(kept_from)


def _publish_later(
    channel: str, messages: Iterable[Sided], kinds: tuple[str, ...], not_to: Collection[int] = ()
) -> None:
    kept_from = {NOT_TO: sorted(set(not_to))} if not_to else {}
    texts = []
    for message in messages:
        if message["type"] not in kinds:
            raise ValueError(f"{message['type']} is not in the vocabulary of {channel}")
        texts.append((channel, encode({**message, **kept_from})))
    transaction.on_commit(lambda: bus.publish_many(texts), robust=True)
