"""A room as one person sees it now: where every client starts, and starts again when it missed something.

The part that is the same for all (`Base`) is read once for many; what concerns only the reader (`you`) is small. The
room's row is read before its seats: an event committed in between is in the seats already and comes again with a
higher `seq`, which changes nothing, because every event sets a state rather than adding to one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from rooms import presence
from rooms.hooks import personal_parts, snapshot_parts
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, grace_ends, hand_over_due
from rooms.rules.identity import Who
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused
from rooms.wire.events import Caption, CaptionsLevel, SeatState, encode, iso, seat_state
from rooms.wire.sides import HandRaised, Invitation, PersonalLink


class RoomState(TypedDict):
    """The room itself. Moments are ISO 8601 in UTC; `recorded_days` is how long the copy is kept. `host` is a handle,
    `host_name` the display name: a host may have no seat. `starts_at`, `starts_zone` (IANA) and `starts_wall`
    (YYYY-MM-DDTHH:MM in that zone) are null or "" for a room that was not prepared before. `title_removed`: moderators
    removed title and topic. `title` says so, in an answer to a request in its language; a page has words of its own."""

    slug: str
    title: str
    title_removed: bool
    topic: str
    language: str
    status: str
    starts_at: str | None
    starts_zone: str
    starts_wall: str
    cancelled_at: str | None
    cancel_reason: str
    started_at: str | None
    ended_at: str | None
    end_reason: str
    speak_policy: str
    entry_policy: str
    hands_locked: bool
    max_speakers: int
    recorded_days: int
    transcription: bool
    host: str
    host_name: str
    host_lost_at: str | None
    host_ends_at: str | None
    host_hands_over_at: str | None
    recording_paused_at: str | None


class May(TypedDict):
    """Rights of the reader. `take_seat` is the right to a place, whether or not one is free this second or consent was
    given: those two change meanwhile, and the client sees both (`seats`, `consented`).

    `never_speak` keeps the reader off the stage under every speak policy; `speak_under` lists the policies that admit
    them: with both, clients follow a change of policy by themselves. `manage` are the powers of host and co-hosts.
    """

    take_seat: bool
    why_not: str | None
    never_speak: str | None
    speak_under: list[str]
    manage: bool
    end: bool


class OwnHand(TypedDict):
    """The reader's hand while it is up, as in Personal."""

    raised_at: str
    place: int


class Hands(TypedDict):
    """Part `hands` of `You.parts`: `own` is the reader's hand, null while it is down. Host and co-hosts get the `queue`
    (its first 100) and the `count` of all; others null."""

    queue: list[HandRaised] | None
    count: int | None
    own: OwnHand | None


class OwnInvitation(TypedDict):
    """The reader's invitation by host or co-host that stands. `by` is a handle."""

    by: str
    by_name: str
    kind: Literal["speak", "listen"]
    state: Literal["pending", "accepted"]


class InvitationCount(TypedDict):
    """How many people came in by the invitations and the shared link of one person. `by` is a handle."""

    by: str
    name: str
    came: int


Sent = list[Invitation]  # the field `list` below hides the type
Links = list[PersonalLink]
Counts = list[InvitationCount]


class Invitations(TypedDict):
    """Part `invitations` of `You.parts`: `own` as above, null for none. Host and co-hosts get the `list` of invitations
    by their side (to speak first, then the newest, 200 at most), the personal `links` and the `counts` by inviter (50
    at most, most first); others null."""

    own: OwnInvitation | None
    list: Sent | None
    links: Links | None
    counts: Counts | None


class Happened(TypedDict):
    """Something that happened in the room, for the host's side. `type` is that of its event, for a change of role
    "cohost_named" or "cohost_ended"; `at` is room time in milliseconds. `user` and `by` are handles, `name` and
    `by_name` how they are called; `detail` is what the event says beside: a policy, a reason, "on" or "off"."""

    seq: int
    at: int
    type: str
    user: str | None
    name: str
    by: str | None
    by_name: str
    detail: str


class Panel(TypedDict):
    """Part `panel` of `You.parts`, null for all but host and co-hosts: milliseconds spoken by the handle of a person on
    stage, and the last of what happened, oldest first."""

    talked: dict[str, int]
    happened: list[Happened]


class Captions(TypedDict):
    """Part `captions` of `Snapshot.parts`: how live captions are written now, the handles of people whose words are not
    written for lack of time (`without`), and the last lines, oldest first. Registered by an app above."""

    state: CaptionsLevel
    without: list[str]
    lines: list[Caption]


class StaffPart(TypedDict):
    """Part `staff` of `You.parts`, for staff who may see cases and are no party; null for everybody else. Registered
    with `rooms.hooks.personal_parts` by an app above.

    `case` is the address of the page of the room's open case, null where it has none. `report_count` counts the reports
    in it. `end_url` ends the room at once by a POST with the token against forged requests; it answers with JSON:
    `url`, where rule and facts are written down, or `error` (`code`, `text`).
    """

    case: str | None
    report_count: int
    may_end: bool
    end_url: str


class You(TypedDict):
    """The reader. `user` is null for somebody who is not signed in; `captions_off`: what they say is not written down.
    `parts` come from `rooms.hooks.personal_parts`."""

    user: str | None
    may: May
    consented: bool
    captions_off: bool
    parts: dict[str, Any]


class Snapshot(TypedDict):
    """`type` is "snapshot"; `seq` is the last event that is in it.

    `parts` has what apps register with `rooms.hooks.snapshot_parts`, by its name there; it is the same for everybody.
    """

    type: str
    seq: int
    room: RoomState
    seats: list[SeatState]
    listening: int
    you: You
    parts: dict[str, Any]
    now: str


STAFF_PARTS = ("staff", "unread")  # of `personal_parts`: those that staff who listen in get


@dataclass(frozen=True)
class Base:
    """The part of a snapshot that everybody shares, as of `seq`, with the row it came from."""

    row: Room
    room: RoomState
    seats: list[SeatState]
    listening: int
    parts: dict[str, Any]

    @property
    def seq(self) -> int:
        return self.row.seq

    @functools.cached_property
    def encoded(self) -> str:
        """The part of a snapshot that all readers share, as JSON that is made once for all of them."""
        return encode(
            {
                "type": "snapshot",
                "seq": self.seq,
                "room": self.room,
                "seats": self.seats,
                "listening": self.listening,
                "parts": self.parts,
            }
        )


def room_state(room: Room) -> RoomState:
    """`room.host` must be loaded."""
    return {
        "slug": room.slug,
        "title": room.shown_title,
        "title_removed": room.title_removed,
        "topic": room.topic,
        "language": room.language,
        "status": room.status,
        "starts_at": iso(room.starts_at),
        "starts_zone": room.starts_zone,
        "starts_wall": room.starts_wall,
        "cancelled_at": iso(room.cancelled_at),
        "cancel_reason": room.cancel_reason,
        "started_at": iso(room.started_at),
        "ended_at": iso(room.ended_at),
        "end_reason": room.end_reason,
        "speak_policy": room.speak_policy,
        "entry_policy": room.entry_policy,
        "hands_locked": room.hands_locked,
        "max_speakers": room.max_speakers,
        "recorded_days": settings.RECORDING_DAYS,
        "transcription": room.transcription,
        "host": room.host.handle,
        "host_name": room.host.display_name,
        "host_lost_at": iso(room.host_lost_at),
        "host_ends_at": iso(grace_ends(room)),
        "host_hands_over_at": iso(hand_over_due(room)),
        "recording_paused_at": iso(room.recording_paused_at),
    }


def base(room_pk: int) -> Base:
    """Two queries and one question to Redis; without Redis everybody on stage counts as there. Raises unknown_room."""
    row = Room.objects.select_related("host").filter(pk=room_pk).first()
    if row is None:
        raise RoomRefused("unknown_room")
    seats = list(Seat.objects.select_related("user").filter(room=row, left_at=None).order_by("place"))
    people = [presence.user_key(seat.user_id) for seat in seats]
    try:
        present, here = presence.look(room_pk, people)
    except RedisError:
        present, here = 0, [True] * len(seats)
    states = [seat_state(seat, connected=flag) for seat, flag in zip(seats, here, strict=True)]
    parts = {name: part(row) for name, part in snapshot_parts.items()}
    return Base(row, room_state(row), states, presence.listening(present, here), parts)


def you(room: Room, who: Who, facts: Facts | None = None) -> You:
    """The reader's own part of a snapshot. No query for somebody signed out; else two, unless the caller has read the
    `facts` already, and those of hooks."""
    facts = facts or facts_of(room, who.user)
    why_not = permissions.live(facts.status) or permissions.may_speak(facts)
    return {
        "user": who.handle,
        "may": {
            "take_seat": why_not is None,
            "why_not": why_not,
            "never_speak": facts.kept_off_stage or permissions.may_enter(facts),
            "speak_under": permissions.speak_under(facts),
            "manage": permissions.may_manage(facts) is None,
            "end": permissions.may_end(facts) is None,
        },
        "consented": facts.consented,
        "captions_off": facts.captions_off,
        "parts": {}
        if who.user is None
        else {name: part(room, who.user, facts) for name, part in personal_parts.items()},
    }


def you_as_staff(room: Room, who: Who) -> You:
    """The own part of somebody who listens in as staff: to the room they are nobody, and they may do nothing in it."""
    facts = facts_of(room, who.user)
    parts = {name: personal_parts.get(name) for name in STAFF_PARTS}
    return {
        "user": None,
        "may": {
            "take_seat": False,
            "why_not": "staff_listens",
            "never_speak": "staff_listens",
            "speak_under": [],
            "manage": False,
            "end": False,
        },
        "consented": False,
        "captions_off": False,
        "parts": {
            name: part(room, who.user, facts)
            for name, part in parts.items()
            if part is not None and who.user is not None
        },
    }


def compose(shared: Base, personal: You) -> Snapshot:
    """One person's snapshot out of what all share and what is theirs."""
    return {
        "type": "snapshot",
        "seq": shared.seq,
        "room": shared.room,
        "seats": shared.seats,
        "listening": shared.listening,
        "you": personal,
        "parts": shared.parts,
        "now": str(iso(timezone.now())),
    }


def encoded(shared: Base, personal: You, retry_within: float) -> str:
    """`compose` as JSON, with the seconds within which the page comes back after a lost connection."""
    own = encode({"you": personal, "now": iso(timezone.now()), "retry_within": retry_within})
    return f"{shared.encoded[:-1]},{own[1:]}"


def snapshot(room_pk: int, who: Who) -> Snapshot:
    """A fresh snapshot for a page or the API: a constant number of queries. Raises unknown_room."""
    shared = base(room_pk)
    return compose(shared, you(shared.row, who))


def snapshot_as_staff(room_pk: int, who: Who) -> Snapshot:
    """`snapshot` for somebody who listens in as staff."""
    shared = base(room_pk)
    return compose(shared, you_as_staff(shared.row, who))
