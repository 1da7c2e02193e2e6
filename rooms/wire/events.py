"""The wire vocabulary of a room: what travels from actions to every socket in it.

*Sequenced* events are what everybody may know and what must not be missed: `seq` rises by one per room, each is a
row in the log, written in the transaction that changes the room and published when it is committed. *Lossy* ones
(counts, who talks, who is connected) are true for a moment and never stored. A person's own affairs travel on that
person's channel and take no `seq`.

`docs/subsystems/live-events.md` has the same in words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict, get_args

from django.db import transaction

from core import bus
from people.models import COLOURS
from rooms import channels
from rooms.models import Hand, Room, RoomEvent, Seat


class SeatState(TypedDict):
    """One occupied place, as everybody sees it. `picture` is an address or "", then initials stand on `color`. `held`:
    host or co-host keep this microphone off."""

    user: str
    name: str
    initials: str
    picture: str
    color: str
    role: str
    place: int
    muted: bool
    held: bool
    connected: bool


class RoomOpened(TypedDict):
    """`room_opened`: the first event of every room."""


class RoomEnded(TypedDict):
    """`room_ended`: nothing comes after it. `ended_at` is ISO 8601 in UTC, as in snapshots."""

    reason: str
    ended_at: str | None


class SeatTaken(TypedDict):
    """`seat_taken`: somebody sat down."""

    seat: SeatState


class SeatLeft(TypedDict):
    """`seat_left`: a place is free again. `user` is a handle."""

    user: str
    reason: str


class SeatMuted(TypedDict):
    """`seat_muted`: a microphone was closed or opened; `by` is a helper's handle, null when the speaker did it. `held`
    as in SeatState."""

    user: str
    muted: bool
    held: bool
    by: str | None


class SeatsChanged(TypedDict):
    """`seats_changed`: people on stage have another role and place; `seats` has all of them, as they are now."""

    seats: list[SeatState]


class HostChanged(TypedDict):
    """`host_changed`: the room has another host; `seats` as in SeatsChanged, `reason` as in HandOver. `host`, `former`
    are handles. Rights may depend on whom the new host follows: clients ask for a snapshot."""

    host: str
    former: str
    reason: str
    seats: list[SeatState]


class HostLost(TypedDict):
    """`host_lost`: the host's connection is gone. Unless it comes back, the room ends at `ends_at` or, while there is
    a co-host who can take it, is handed over at `hands_over_at`: one of the two is null. ISO 8601, UTC."""

    lost_at: str | None
    ends_at: str | None
    hands_over_at: str | None


class HostBack(TypedDict):
    """`host_back`: the host is there again, nothing ends."""


class RecordingPaused(TypedDict):
    """`recording_paused`: nothing is kept from `paused_at` (ISO 8601, UTC) on; the room itself goes on."""

    paused_at: str | None
    reason: Literal["disk_full"]


class RecordingResumed(TypedDict):
    """`recording_resumed`: what is said is kept again."""


class EntryPolicySet(TypedDict):
    """`entry_policy_set`: the host changed who may come in; `policy` is one of Room.EntryPolicy."""

    policy: str


class SpeakPolicySet(TypedDict):
    """`speak_policy_set`: who may take a seat unasked; `policy` is one of Room.SpeakPolicy."""

    policy: str


class HandsLocked(TypedDict):
    """`hands_locked`: whether new hands are refused."""

    locked: bool


class HandRaised(TypedDict):
    """`hand_raised`, to the host's side: somebody asks to speak, as the last in the queue. `raised_at` (ISO 8601, UTC)
    names the hand; `invited` says that this person accepted an invitation to speak. The others as in SeatState."""

    user: str
    name: str
    initials: str
    picture: str
    color: str
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


class Quality(TypedDict):
    """`quality`, to the host's side: how good the connection of a person on stage is, as their page measured it. Said
    again every 20 s while it is not good; what is not said again for long is over. `user` is a handle."""

    user: str
    level: Level


class ReportReceived(TypedDict):
    """`report_received`, to staff: a report arrived. Nothing of it but whether it is `urgent`."""

    urgent: bool


EventData = (
    RoomOpened
    | RoomEnded
    | SeatTaken
    | SeatLeft
    | SeatMuted
    | SeatsChanged
    | HostChanged
    | HostLost
    | HostBack
    | RecordingPaused
    | RecordingResumed
    | EntryPolicySet
    | SpeakPolicySet
    | HandsLocked
)
EventType = Literal[
    "room_opened",
    "room_ended",
    "seat_taken",
    "seat_left",
    "seat_muted",
    "seats_changed",
    "host_changed",
    "host_lost",
    "host_back",
    "recording_paused",
    "recording_resumed",
    "entry_policy_set",
    "speak_policy_set",
    "hands_locked",
]
SEQUENCED: tuple[EventType, ...] = get_args(EventType)


class Event(TypedDict):
    """A sequenced event on the wire. `at` is room time in milliseconds."""

    seq: int
    type: str
    at: int
    data: Any


class Count(TypedDict):
    """Lossy: how many listen, at most once a second a room."""

    type: Literal["count"]
    listening: int


class Talking(TypedDict):
    """Lossy, from the media supervisor: a microphone's level rose above or fell below speech."""

    type: Literal["talking"]
    user: str
    talking: bool


class Connected(TypedDict):
    """Lossy: a person on stage lost or regained the connection (their seat stays for a while)."""

    type: Literal["connected"]
    user: str
    connected: bool


class MediaRestarted(TypedDict):
    """Lossy, from the media supervisor: everybody connects their sound anew."""

    type: Literal["media_restarted"]


class Beat(TypedDict):
    """Every 5 s: a client whose `seq` is lower missed something and asks for a snapshot."""

    type: Literal["beat"]
    seq: int
    listening: int
    now: str


class Personal(TypedDict):
    """On a person's own channel: one of PERSONAL. `room` is the slug it is about, `by` a handle, null for oneself.

    `page` names the page whose microphone was lost, or the one that holds it now; empty for none. `held` (you_muted):
    the microphone stays off until host or co-host lift that. `seated` (you_demoted): a speaker's place was free.
    `raised_at` names the hand that is up (`hand_up`, `hand_place`) or down (`hand_down`, `hand_declined`, by
    `outcome`); `place` is its place in the queue, from 1, and only ever gets smaller. `let_up` comes with a seat that
    host or co-host (`by`) gave. `user` is the handle of a person on stage whom the reader blocked (`blocked_here`).
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


class Sided(TypedDict):
    """To the host's side of a room, or to staff: never sequenced, never in the log. `room` is the slug it is about."""

    type: str
    room: str
    data: Any


LOSSY = ("count", "talking", "connected", "media_restarted", "beat")
PERSONAL = (
    *("you_muted", "unmute_asked", "you_unseated", "you_demoted", "mic_lost", "mic_moved", "blocked_here"),
    *("hand_up", "hand_place", "hand_down", "hand_declined", "let_up"),
)

# Kinds on the channel of a room's host side (host and co-hosts), and on that of staff: `Sided`.
HOST_SIDE: tuple[str, ...] = ("hand_raised", "hand_lowered", "removed", "removal_undone", "quality")
STAFF: tuple[str, ...] = ("report_received",)
Level = Literal["good", "weak", "bad"]
LEVELS: tuple[Level, ...] = get_args(Level)


def encode(message: Any) -> str:
    """The one encoding of whatever goes over a socket."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def iso(at: datetime | None) -> str | None:
    """A moment as clients read it: ISO 8601 in UTC."""
    return None if at is None else iso_of(at)


def iso_of(at: datetime) -> str:
    """`iso` for a moment that is never missing."""
    return at.astimezone(UTC).isoformat()


def seat_state(seat: Seat, *, connected: bool) -> SeatState:
    """How everybody sees this seat; `seat.user` must be loaded."""
    user = seat.user
    return {
        "user": user.handle,
        "name": user.display_name,
        "initials": user.initials,
        "picture": user.picture_url,
        "color": COLOURS[seat.place % len(COLOURS)],  # by place: neighbours differ
        "role": seat.role,
        "place": seat.place,
        "muted": seat.muted,
        "held": seat.mute_held,
        "connected": connected,
    }


def hand_state(hand: Hand) -> HandRaised:
    """How the host's side sees this hand; `hand.user` must be loaded."""
    user = hand.user
    return {
        "user": user.handle,
        "name": user.display_name,
        "initials": user.initials,
        "picture": user.picture_url,
        "color": user.colour,
        "raised_at": iso_of(hand.raised_at),
        "invited": hand.invited,
    }


def as_message(event: RoomEvent) -> Event:
    """A row of the log as it travelled."""
    return {"seq": event.seq, "type": event.type, "at": event.at_ms, "data": event.data}


def append_event(room: Room, type_: EventType, data: EventData) -> RoomEvent:
    """Write the next event of a room that the caller holds locked, and publish it when the transaction commits.

    The lock is what makes `seq` rise without gaps. Commits of two transactions may be published in either order;
    the hub puts them right again.
    """
    room.seq += 1
    room.save(update_fields=["seq"])
    event = RoomEvent.objects.create(room=room, seq=room.seq, type=type_, at_ms=room.room_time(), data=data)
    text = encode(as_message(event))
    transaction.on_commit(lambda: bus.publish(channels.room_channel(room.pk), text), robust=True)
    return event


def tell(user_pk: int, message: Personal) -> None:
    """Tell one person what concerns only them, when the transaction commits."""
    tell_each([(user_pk, message)])


def tell_each(messages: Iterable[tuple[int, Personal]]) -> None:
    """`tell` for many people, by the primary key of their account, in one round trip."""
    texts = [(channels.person_channel(user_pk), encode(message)) for user_pk, message in messages]
    transaction.on_commit(lambda: bus.publish_many(texts), robust=True)


def tell_host_side(room: Room, *messages: Sided) -> None:
    """Tell host and co-hosts of a room what is theirs alone, when the transaction commits."""
    _publish_later(channels.host_channel(room.pk), messages, HOST_SIDE)


def tell_staff(*messages: Sided) -> None:
    """Tell staff on every room's page, when the transaction commits."""
    _publish_later(channels.staff_channel(), messages, STAFF)


def _publish_later(channel: str, messages: Iterable[Sided], kinds: tuple[str, ...]) -> None:
    texts = []
    for message in messages:
        if message["type"] not in kinds:
            raise ValueError(f"{message['type']} is not in the vocabulary of {channel}")
        texts.append((channel, encode(message)))
    transaction.on_commit(lambda: bus.publish_many(texts), robust=True)
