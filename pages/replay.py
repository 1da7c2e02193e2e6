"""What the page of an ended room shows, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.templatetags.static import static

from people.labels import labels
from people.models import User
from rooms.models import Recording, Room, Seat
from rooms.recording.delivery import links
from rooms.rules.identity import Who
from transcripts.actions import LINE
from transcripts.jobs.progress import TranscriptProgress, progress
from transcripts.models import Cue, Transcript
from transcripts.permissions import ON_STAGE, may_correct
from transcripts.queries import cues_in_order, search

ROLES = {"host": 0, "cohost": 1, "speaker": 2}


@dataclass(frozen=True)
class Line:
    """A line of the transcript; `turn` where somebody else begins to speak."""

    cue: Cue
    turn: bool


@dataclass(frozen=True)
class Editing:
    """The line whose form is open: what was typed (None: nothing yet) and what was wrong with it."""

    pk: int
    text: str | None = None
    wrong: str = ""


@dataclass(frozen=True)
class Replay:
    """Everything on the page. `state` is what to show: playing, empty, finishing, failed or gone."""

    room: Room
    role: str
    state: str
    recording: Recording | None
    transcript: Transcript | None
    progress: TranscriptProgress | None
    people: list[User]
    lines: list[Line]
    mix: str
    q: str
    data: dict[str, Any]
    editing: Editing | None = None

    @property
    def is_host(self) -> bool:
        return self.role == "host"

    @property
    def writing(self) -> bool:
        """The transcript is not done yet."""
        return self.transcript is not None and self.transcript.is_open

    @property
    def most_letters(self) -> int:
        """The longest correction, for the form and for script."""
        return LINE.most

    @property
    def has_doubt(self) -> bool:
        """Whether a line on the page is marked as doubtful."""
        return any(line.cue.is_doubtful for line in self.lines)

    @property
    def may_correct(self) -> bool:
        return may_correct(self.role) is None

    @property
    def in_it(self) -> bool:
        """The reader's voice is in it, or the reader answers for it."""
        return self.role in ON_STAGE

    @property
    def own_lines(self) -> bool:
        """Whether there is something to download that the reader said."""
        return self.transcript is not None and self.transcript.finished_at is not None and self.in_it


def replay(room: Room, who: Who, role: str, q: str = "", editing: Editing | None = None) -> Replay:
    """The page of an ended room for somebody who may see it; `q` shows only lines with these words.

    The line that is being edited is shown, too, whatever is searched for.
    """
    recording = Recording.objects.filter(room=room).first()
    state = state_of(room, recording)
    editing = editing if may_correct(role) is None else None
    transcript = None
    if state != "gone":
        transcript = Transcript.objects.select_related("room").filter(room=room).first()
    seats = seats_of(room) if state == "playing" else []
    mix = links.address(room.pk, "mix", who.user, "mix.m4a") if state == "playing" else ""
    return Replay(
        room=room,
        role=role,
        state=state,
        recording=recording,
        transcript=transcript,
        progress=None if transcript is None else progress(transcript),
        people=people_of(seats),
        lines=lines_of(transcript, q, editing),
        mix=mix,
        q=q,
        data=for_script(room, who, recording, seats) if state == "playing" else {},
        editing=editing,
    )


def state_of(room: Room, recording: Recording | None) -> str:
    """What there is of a recording, in one word."""
    if room.purged_at is not None or recording is None or recording.state == Recording.State.PURGED:
        return "gone"
    if recording.state in (Recording.State.RUNNING, Recording.State.FINISHING):
        return "finishing"
    if recording.state == Recording.State.FAILED:
        return "failed"
    return "playing" if recording.files.filter(kind="mix").exists() else "empty"


def seats_of(room: Room) -> list[Seat]:
    """Who sat where, the host first, then helpers, then in the order they sat down."""
    seats = Seat.objects.filter(room=room).select_related("user").order_by("taken_at", "pk")
    return sorted(seats, key=lambda seat: ROLES[seat.role])


def people_of(seats: Sequence[Seat]) -> list[User]:
    """Each person once, in that order."""
    return list({seat.user_id: seat.user for seat in seats}.values())


def lines_of(transcript: Transcript | None, q: str, editing: Editing | None = None) -> list[Line]:
    if transcript is None:
        return []
    cues = cues_in_order(transcript)
    if q.strip():
        found = search(cues, transcript.language, q)
        cues = found if editing is None else found | cues.filter(pk=editing.pk)
    lines: list[Line] = []
    before = None
    for cue in cues:
        lines.append(Line(cue, cue.seat.user_id != before))
        before = cue.seat.user_id
    return lines


def for_script(room: Room, who: Who, recording: Recording | None, seats: Sequence[Seat]) -> dict[str, Any]:
    """What script needs besides the page: where the waveform is, and whose seat is in which lane."""
    drawn = recording is not None and recording.prepared_at is not None
    people = people_of(seats)
    called = labels({person.handle: person.display_name for person in people})
    return {
        "slug": room.slug,
        "title": room.title,
        "host": room.host.display_name,
        "artwork": static("img/stamtafel.svg"),
        "duration_ms": recording.duration_ms if recording else None,
        "peaks": links.address(room.pk, "peaks", who.user, "peaks.json") if drawn else None,
        "lanes": [
            {
                "user": person.handle,
                "name": called[person.handle],
                "seats": [seat.pk for seat in seats if seat.user_id == person.pk],
            }
            for person in people
        ],
    }
