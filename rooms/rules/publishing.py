"""Rules of publishing a replay: for whom at most, when, and what keeps it closed.

A replay is published at most as wide as everybody whose voice is in it could expect: by the consent text they agreed to
and by the entry policies that were in force while they could be heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils import timezone

from people.models import User
from rooms.models import Consent, Recording, ReplayObjection, Room, RoomEvent
from rooms.rules.restrictions import standing_restrictions
from rooms.rules.voice import sounding_tracks, voices_in

# From the narrowest to the widest.
WIDTHS = (
    Room.EntryPolicy.INVITED,
    Room.EntryPolicy.FOLLOWERS,
    Room.EntryPolicy.SIGNED_IN,
    Room.EntryPolicy.ANYONE,
)
# Versions of the consent text which say that the host may publish the replay.
NAMES_PUBLICATION = frozenset({"2026-12"})

Span = tuple[int, int]
"""From and to, in milliseconds of room time."""


def wider(policy: str, than: str) -> bool:
    """Whether an entry policy admits people whom the other does not."""
    return WIDTHS.index(Room.EntryPolicy(policy)) > WIDTHS.index(Room.EntryPolicy(than))


def up_to(limit: str | None) -> list[str]:
    """Entry policies under which a replay may be published, the widest first. `invited` is not offered."""
    if limit is None:
        return []
    return [policy for policy in reversed(WIDTHS) if policy != Room.EntryPolicy.INVITED and not wider(policy, limit)]


def narrowest(opened: str, changes: Sequence[tuple[int, str]], spoken: Iterable[Span]) -> str:
    """The narrowest entry policy that was in force at some moment of these spans; the widest there is without spans.

    `changes` are the changes of the policy after `opened`, as (room time, new policy), in their order.
    """
    narrow: str = Room.EntryPolicy.ANYONE
    for begin, end in spoken:
        in_force = opened
        for at, policy in changes:
            if at > begin:
                break
            in_force = policy
        during = [policy for at, policy in changes if begin < at < end]
        narrow = min([narrow, in_force, *during], key=lambda policy: WIDTHS.index(Room.EntryPolicy(policy)))
    return narrow


def widest_publication(room: Room, recording: Recording) -> str | None:
    """The widest entry policy under which this replay may be public; None: not at all, because the consent text that
    somebody spoke under did not name publication."""
    voices = {user.pk for user in voices_in(room.pk)}
    # Nobody speaks without consent to the text of that day: the first one covers all that was said.
    consents = Consent.objects.filter(room=room, user__in=voices).order_by("at", "pk")
    first = dict(reversed(list(consents.values_list("user_id", "text_version"))))
    if any(first.get(voice) not in NAMES_PUBLICATION for voice in voices):
        return None
    tracks = sounding_tracks(room.pk).values_list("start_ms", "duration_ms")
    log = RoomEvent.objects.filter(room=room, type="entry_policy_set").order_by("seq")
    changes = [(at, data["policy"]) for at, data in log.values_list("at_ms", "data")]
    return narrowest(recording.opened_policy, changes, [(start, start + length) for start, length in tracks])


def public_now() -> Q:
    """Filter for recordings that are public now: published, and not closed by moderators."""
    return published_now() & ~Q(room__in=standing_restrictions().values("room"))


def published_now() -> Q:
    """Filter for recordings that are published: ready, their day has come, and nobody's objection stands."""
    # A subquery, not a join: a row for each objection would be a recording for each.
    objected = ReplayObjection.objects.values("recording_id")
    due = Q(published_at__lte=timezone.now(), state=Recording.State.READY)
    return due & ~Q(pk__in=objected)


def is_published(room: Room) -> bool:
    """Whether the replay of a room is published, whether or not moderators closed it."""
    return Recording.objects.filter(published_now(), room=room).exists()


def is_public(room: Room) -> bool:
    """Whether the replay of a room is published, its day has come, nobody objects, and moderators did not close it."""
    return Recording.objects.filter(public_now(), room=room).exists()


def publication_state(recording: Recording, *, objected: bool, restricted: bool) -> str:
    """How far a publication is: "" (none), "announced", "objected" (closed by an objection) or "public". One that
    moderators closed is listed as not published."""
    if recording.published_at is None or restricted:
        return ""
    if objected:
        return "objected"
    return "public" if recording.is_due_public() else "announced"


def objects(recording: Recording, user: User | None) -> bool:
    """Whether this person's objection stands; with no person, whether anybody's does."""
    standing = ReplayObjection.objects.filter(recording=recording)
    return (standing if user is None else standing.filter(user=user)).exists()
