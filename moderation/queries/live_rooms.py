"""Live rooms along which a member of staff may read, with the last lines of captions and words of the list in them.

The number of queries does not grow with the rooms. Nothing is remembered between two requests: a right that is gone,
or leave that ran out, shows at the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation.models import Case, SafetyGrant, WordHit
from moderation.models.cases import OPEN_STATES, WITH_SOUND
from moderation.queries.access import visible_cases
from moderation.queries.word_hits import Accuracy, accuracies
from moderation.rulebook import current_categories
from people.models import User
from rooms.models import CaptionsOff, Removal, Room, Seat
from rooms.queries.live_now import audience_of
from rooms.rules.facts import REMOVED
from transcripts.models import CaptionedRoom, LiveLine

MOST = 40  # rooms on a page
LINES = 6  # of a room
MOST_HITS = 300  # of all rooms
MARKED = timedelta(minutes=15)  # for which a word stays marked once somebody has looked at it


@dataclass(frozen=True)
class ShownLine:
    """A line with its words in parts: (text, whether a word of the list is in it)."""

    line: LiveLine
    parts: list[tuple[str, bool]]


@dataclass(frozen=True)
class ShownHit:
    """A place that nobody has looked at yet. `said` is its line; None where it is gone."""

    hit: WordHit
    category: str
    accuracy: Accuracy
    said: ShownLine | None


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
    """Select the places that a person may look at: of rooms in reach, by people whose words are shown."""
    rooms = rooms_in_reach(user, open_grant(user, now)).filter(transcription=True)
    return WordHit.objects.filter(_shown(), room__in=rooms)


def read_rooms(user: User, grant: SafetyGrant | None, now: datetime) -> tuple[list[ReadRoom], int]:
    """Load the live rooms along which a person may read, reported ones first, and count those beyond MOST."""
    live = rooms_in_reach(user, grant).filter(status=Room.Status.LIVE)
    last = LiveLine.objects.filter(_shown(), room=OuterRef("pk")).order_by("-line").values("pk")[:LINES]
    written = CaptionedRoom.objects.filter(room=OuterRef("pk"), lease_until__gte=now)
    rows = live.select_related("host").annotate(
        reported=Exists(_cases(user).filter(room=OuterRef("pk"))),
        is_written=Exists(written),
        last_lines=ArraySubquery(last),
    )
    rooms = list(rows.order_by("-reported", "started_at", "pk")[:MOST])
    cases = {case.room_id: case for case in _cases(user).filter(room__in=rooms).order_by("kind", "priority", "-pk")}
    captioned = [room.pk for room in rooms if room.transcription]
    hits = _hits(captioned, now)
    lines = _lines(captioned, [pk for room in rooms for pk in room.last_lines], hits)
    known = accuracies(user, {hit.word_id for hit in hits})
    titles = {version.category_id: version.title() for version in current_categories()}
    listening = _audiences(rooms)
    found = []
    for room in rooms:
        own, said = [hit for hit in hits if hit.room_id == room.pk], lines.get(room.pk, {})
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
                    )
                    for hit in own
                    if not hit.outcome
                ],
            )
        )
    return found, live.count() - len(rooms) if len(rooms) == MOST else 0


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


def _hits(rooms: Sequence[int], now: datetime) -> list[WordHit]:
    """The places in these rooms at which nobody has looked, and those of a moment ago, the last ones first."""
    recent = Q(outcome="") | Q(at__gt=now - MARKED)
    rows = WordHit.objects.filter(_shown(), recent, room__in=rooms).select_related("word", "speaker")
    return list(rows.order_by("-from_ms", "-pk")[:MOST_HITS])


def _lines(rooms: Sequence[int], keys: Sequence[int], hits: Sequence[WordHit]) -> dict[int, dict[int, LiveLine]]:
    """Lines by room and number, in order: those with these keys, and those of the places."""
    numbers = {hit.line for hit in hits if not hit.outcome}
    wanted = Q(pk__in=keys) | Q(line__in=numbers)
    found: dict[int, dict[int, LiveLine]] = {}
    rows = LiveLine.objects.filter(_shown(), wanted, room__in=rooms).select_related("speaker").order_by("room", "line")
    for row in rows:
        found.setdefault(row.room_id, {})[row.line] = row
    return found


def _audiences(rooms: Sequence[Room]) -> dict[int, int]:
    seats: dict[int, list[Seat]] = {room.pk: [] for room in rooms}
    for seat in Seat.objects.filter(room__in=rooms, left_at=None):
        seats[seat.room_id].append(seat)
    return audience_of(seats) if seats else {}
