"""Live rooms along which a member of staff may read, with the last lines of captions and words of the list in them.

The number of queries does not grow with the rooms. Nothing is remembered between two requests: a right that is gone,
or leave that ran out, shows at the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from moderation.models import Case, SafetyGrant, WordHit
from moderation.models.cases import OPEN_STATES, WITH_SOUND
from moderation.queries.access import visible_cases
from moderation.queries.word_hits import Accuracy, accuracies_lately
from moderation.rulebook import current_categories
from people.models import User
from rooms.models import CaptionsOff, Removal, Room, Seat
from rooms.queries.live_now import audience_of
from rooms.rules.facts import REMOVED
from transcripts.models import CaptionedRoom, LiveLine

MOST = 40  # rooms on a page
LINES = 6  # of a room
MOST_HITS = 20  # of a room
MOST_MARKS = 60  # of a room, in its last lines
MARKED = timedelta(minutes=15)  # for which a word stays marked once somebody has looked at it
HANDLED_WITHIN = timedelta(hours=1)  # of the end of a room


@dataclass(frozen=True)
class ShownLine:
    """A line with its words in parts: (text, whether a word of the list is in it)."""

    line: LiveLine
    parts: list[tuple[str, bool]]


@dataclass(frozen=True)
class ShownHit:
    """A place that nobody has looked at yet. `said` is its line; None where it is gone. `may_open`: the reader may open
    a case on it, or put it into one that is open."""

    hit: WordHit
    category: str
    accuracy: Accuracy
    said: ShownLine | None
    may_open: bool


@dataclass(frozen=True)
class ReadRoom:
    """A live room as it is read along. `is_written`: a process writes its captions now."""

    room: Room
    listening: int | None
    is_written: bool
    case: Case | None
    lines: list[ShownLine] = field(default_factory=list)
    hits: list[ShownHit] = field(default_factory=list)


def open_grant(user: User, now: datetime) -> SafetyGrant | None:
    """Return the leave to read along in all live rooms that a person has now. Without the permission there is none."""
    if not user.has_perm("moderation.watch_live"):
        return None
    return SafetyGrant.objects.filter(user=user, ended_at=None, until__gt=now).order_by("-until").first()


def rooms_in_reach(user: User, grant: SafetyGrant | None) -> QuerySet[Room]:
    """Select the rooms along which a person may read: those with an open case that they may see, with a grant all.
    None in which they were host or on the stage."""
    if not user.has_perm("moderation.view_case"):
        return Room.objects.none()
    own = Seat.objects.filter(room=OuterRef("pk"), user=user)
    rooms = Room.objects.filter(~Exists(own), purged_at=None, started_at__isnull=False).exclude(host=user)
    return rooms if grant is not None else rooms.filter(Exists(_cases(user).filter(room=OuterRef("pk"))))


def hits_in_reach(user: User, now: datetime) -> QuerySet[WordHit]:
    """Select the places that a person may look at, by people whose words are shown: of rooms in reach that are live,
    ended a moment ago, or have an open case that this person may see."""
    reported = Exists(_cases(user).filter(room=OuterRef("pk")))
    rooms = rooms_in_reach(user, open_grant(user, now)).filter(_lately(now) | reported, transcription=True)
    return WordHit.objects.filter(_shown(), room__in=rooms)


def read_rooms(user: User, grant: SafetyGrant | None, now: datetime) -> tuple[list[ReadRoom], int]:
    """Load the live rooms along which a person may read, reported ones first, then the newest, and count those beyond
    MOST. One that ended a moment ago stays while a place in it waits."""
    pending = _of_room(Q(outcome=""))
    reach = rooms_in_reach(user, grant).filter(_lately(now) & (Q(status=Room.Status.LIVE) | Exists(pending)))
    last = LiveLine.objects.filter(_shown(), room=OuterRef("pk")).order_by("-line").values("pk")[:LINES]
    written = CaptionedRoom.objects.filter(room=OuterRef("pk"), lease_until__gte=now)
    rows = reach.select_related("host").annotate(
        reported=Exists(_cases(user).filter(room=OuterRef("pk"))),
        is_written=Exists(written),
        last_lines=ArraySubquery(last),
        pending=ArraySubquery(pending[:MOST_HITS]),
        marking=ArraySubquery(_of_room(Q(at__gt=now - MARKED))[:MOST_MARKS]),
    )
    rooms = list(rows.order_by("-reported", "-started_at", "pk")[:MOST])
    known_cases = list(_cases(user).filter(room__in=rooms).order_by("kind", "priority", "-pk"))
    cases = {case.room_id: case for case in known_cases}
    takes = {(case.room_id, case.subject_id) for case in known_cases}  # without subject: a room as a whole
    captioned = [room for room in rooms if room.transcription]
    waiting = {pk for room in captioned for pk in room.pending}
    hits, said_in = _hits(waiting, {pk for room in captioned for pk in room.marking})
    lines = _lines({*said_in, *(pk for room in captioned for pk in room.last_lines)})
    known = accuracies_lately(user) if waiting else {}
    titles = {version.category_id: version.title() for version in current_categories()}
    opens = user.has_perm("moderation.open_case")
    listening = _audiences([room for room in rooms if room.is_live])
    found = []
    for room in rooms:
        own, said = hits.get(room.pk, []), lines.get(room.pk, {})
        found.append(
            ReadRoom(
                room,
                listening.get(room.pk),
                room.is_written and room.transcription,
                cases.get(room.pk),
                [shown_line(line, own) for line in said.values() if line.pk in room.last_lines],
                [
                    ShownHit(
                        hit,
                        titles.get(hit.word.category_id, hit.word.category_id),
                        known.get(hit.word_id, Accuracy()),
                        shown_line(said[hit.line], [hit]) if hit.line in said else None,
                        opens or bool(takes & {(room.pk, None), (room.pk, hit.speaker_id)}),
                    )
                    for hit in own
                    if hit.pk in waiting
                ],
            )
        )
    return found, reach.count() - len(rooms) if len(rooms) == MOST else 0


def shown_line(line: LiveLine, hits: Sequence[WordHit]) -> ShownLine:
    """Split a line at the words of the list that it has."""
    times = [(hit.from_ms, hit.to_ms) for hit in hits if hit.speaker_id == line.speaker_id]
    marked = [
        (str(text), any(start >= since and end <= until for since, until in times)) for text, start, end in line.words
    ]
    parts = groupby(marked, key=lambda pair: pair[1])
    return ShownLine(line, [(" ".join(text for text, _marked in some), is_hit) for is_hit, some in parts])


def _cases(user: User) -> QuerySet[Case]:
    return visible_cases(user).filter(state__in=OPEN_STATES, kind__in=WITH_SOUND)


def _shown() -> Q:
    """The condition on rows with `room` and `speaker` that the speaker's words are shown: nobody's who wants no
    captions now, was removed from the room, or whose account is closed."""
    here = {"room": OuterRef("room"), "user": OuterRef("speaker")}
    off = CaptionsOff.objects.filter(until=None, **here)
    removed = Removal.objects.filter(REMOVED, **here)
    return ~Exists(off) & ~Exists(removed) & Q(speaker__is_active=True)


def _lately(now: datetime) -> Q:
    """The condition on rooms that they are live, or ended a moment ago."""
    return Q(status=Room.Status.LIVE) | Q(ended_at__gt=now - HANDLED_WITHIN)


def _of_room(such: Q) -> QuerySet[WordHit, Any]:
    """Keys of such places in the room of an outer query whose words are shown, of words in use, the last ones first."""
    rows = WordHit.objects.filter(_shown(), such, word__active=True, room=OuterRef("pk"), room__transcription=True)
    return rows.order_by("-from_ms", "-pk").values("pk")


def _hits(waiting: set[int], marking: set[int]) -> tuple[dict[int, list[WordHit]], list[int]]:
    """The places with these keys by room, the last ones first, and the keys of the lines of those that wait."""
    said = LiveLine.objects.filter(room=OuterRef("room"), line=OuterRef("line")).values("pk")
    rows = (
        WordHit.objects.filter(pk__in=waiting | marking).select_related("word", "speaker").annotate(said=Subquery(said))
    )
    found: dict[int, list[WordHit]] = {}
    lines: list[int] = []
    for hit in rows.order_by("-from_ms", "-pk"):
        found.setdefault(hit.room_id, []).append(hit)
        if hit.pk in waiting and hit.said is not None:
            lines.append(hit.said)
    return found, lines


def _lines(keys: Collection[int]) -> dict[int, dict[int, LiveLine]]:
    """The lines with these keys, by room and number, in order."""
    found: dict[int, dict[int, LiveLine]] = {}
    rows = LiveLine.objects.filter(_shown(), pk__in=keys).select_related("speaker").order_by("room", "line")
    for row in rows:
        found.setdefault(row.room_id, {})[row.line] = row
    return found


def _audiences(rooms: Sequence[Room]) -> dict[int, int]:
    seats: dict[int, list[Seat]] = {room.pk: [] for room in rooms}
    for seat in Seat.objects.filter(room__in=rooms, left_at=None):
        seats[seat.room_id].append(seat)
    return audience_of(seats) if seats else {}
