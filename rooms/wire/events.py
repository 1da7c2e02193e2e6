"""The wire vocabulary of a room: what travels from actions to every socket in it.

*Sequenced* events are what everybody may know and what must not be missed: `seq` rises by one per room, each is a
row in the log, written in the transaction that changes the room and published when it is committed. *Lossy* ones
(counts, who talks, who is connected) are true for a moment and never stored. A person's own affairs travel on that
person's channel and take no `seq`.

`docs/subsystems/live-events.md` has the same in words.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict, get_args

from django.db import transaction

from core import bus
from people.models import COLOURS
from rooms import channels
from rooms.models import Room, RoomEvent, Seat


class SeatState(TypedDict):
    """One occupied place, as everybody sees it. `picture` is an address or "", then initials stand on `color`. `held`:
    host or co-host keep this microphone off. `captions_off`: what this person says is not written down."""

    user: str
    name: str
    initials: str
    picture: str
    color: str
    role: str
    place: int
    muted: bool
    held: bool
    captions_off: bool
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
    """`seats_changed`: people on stage have another role and place, name or picture; `seats` has all of them, as they
    are now. `host_name` as in RoomState: a host may have no seat."""

    seats: list[SeatState]
    host_name: str


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


class TitleChanged(TypedDict):
    """`title_changed`: moderators took title and topic of the room down (`removed`), or put them back. A page shows
    words of its own for a removed title; `title` has them in the language of the room."""

    title: str
    topic: str
    removed: bool


class CaptionsSet(TypedDict):
    """`captions_set`: whether what is said is written down, live and in the transcript that is kept."""

    on: bool


class SeatCaptioned(TypedDict):
    """`seat_captioned`: what this person (a handle) says is not written down (`off`), or is again. It is theirs alone
    to say; where captions come on later in a room, they are off for whoever agreed to a recording without them."""

    user: str
    off: bool


class LanguageSet(TypedDict):
    """`language_set`: the language that is spoken in the room, in which captions hear it."""

    language: str


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
    | CaptionsSet
    | SeatCaptioned
    | LanguageSet
    | TitleChanged
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
    "captions_set",
    "seat_captioned",
    "language_set",
    "title_changed",
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


class Reactions(TypedDict):
    """Lossy: how often people reacted since the last one, at most once a second a room. `counts` is by kind and, within
    a kind, by skin tone ("0" to "5")."""

    type: Literal["reactions"]
    counts: dict[str, dict[str, int]]


class Beat(TypedDict):
    """Every 5 s: a client whose `seq` is lower missed something and asks for a snapshot. `list` is an address of the
    live list that any cache may serve, for a minute; None where the room is not open to anyone."""

    type: Literal["beat"]
    seq: int
    listening: int
    now: str
    list: str | None


CaptionsLevel = Literal["on", "slow", "drafts_off", "off"]


class Caption(TypedDict):
    """Lossy: a line of live captions as it is now; a later one with the same `line` replaces it. `person` is the handle
    of who says it, `line` a number that rises within the room. `confirmed` has words that never change any more, each
    with its beginning and end; `draft` is what may come next, and may change. After `final` nothing is added. All times
    are milliseconds of room time, `at` is the line's beginning."""

    type: Literal["caption"]
    person: str
    line: int
    confirmed: list[tuple[str, int, int]]
    draft: str
    final: bool
    at: int


class CaptionsState(TypedDict):
    """Lossy: how live captions are written. "slow": later than usual; "drafts_off": only what is confirmed, at pauses;
    "off": not now. With a `person` (a handle) it is about what that person says, else about the room."""

    type: Literal["captions_state"]
    state: CaptionsLevel
    person: str | None


LOSSY = ("count", "talking", "connected", "media_restarted", "reactions", "beat", "caption", "captions_state")


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
        "captions_off": seat.captions_off,
        "connected": connected,
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
