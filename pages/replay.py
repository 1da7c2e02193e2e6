"""Data of the replay page of an ended room, for one reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.templatetags.static import static

from pages.reactions import ReactionPlot, reaction_plot
from people.labels import labels
from people.models import COLOURS, User
from rooms.models import Recording, Room, Seat
from rooms.queries.clips import RoomClips, clips_of
from rooms.queries.publication import Publication, publication_of
from rooms.recording.delivery import links
from rooms.rules.clips import ClipFacts
from rooms.rules.identity import Who
from rooms.rules.restrictions import is_restricted
from rooms.wording import ENTRY_WORDS
from transcripts.actions import CUE_TEXT
from transcripts.jobs.progress import TranscriptProgress, progress
from transcripts.lines.cues import break_into_lines
from transcripts.models import Cue, Transcript
from transcripts.permissions import ON_STAGE, may_correct
from transcripts.queries import cues_in_order, search

ROLES = {"host": 0, "cohost": 1, "speaker": 2}


@dataclass(frozen=True)
class Voice:
    """A person who was on stage, with the colour of their lane and of their lines."""

    person: User
    colour: str


@dataclass(frozen=True)
class ReplayLine:
    """A line of the transcript, in its speaker's colour; `turn`: another speaker than the line before, `text`: its
    shown text, broken for reading."""

    cue: Cue
    text: str
    turn: bool
    colour: str


@dataclass(frozen=True)
class CueEdit:
    """The line whose correction form is open, with the text typed (None: not yet) and the error message."""

    pk: int
    text: str | None = None
    wrong: str = ""


@dataclass(frozen=True)
class ReplayPage:
    """Context of the replay page. `state` is playing, empty (no sound), finishing, failed, closed (by moderators) or
    gone (purged)."""

    room: Room
    role: str
    state: str
    recording: Recording | None
    transcript: Transcript | None
    progress: TranscriptProgress | None
    voices: list[Voice]
    lines: list[ReplayLine]
    mix: str
    q: str
    data: dict[str, Any]
    editing: CueEdit | None = None
    publication: Publication | None = None
    reactions: ReactionPlot | None = None
    clips: RoomClips | None = None

    @property
    def is_host(self) -> bool:
        return self.role == "host"

    @property
    def writing(self) -> bool:
        """Whether the transcript is still being written."""
        return self.state != "closed" and self.transcript is not None and self.transcript.is_open

    @property
    def most_letters(self) -> int:
        """Longest correction allowed, in letters, for the form and its script."""
        return CUE_TEXT.most

    @property
    def has_doubt(self) -> bool:
        """Whether a line on the page is marked as doubtful."""
        return any(line.cue.is_doubtful for line in self.lines)

    @property
    def may_correct(self) -> bool:
        return may_correct(self.role) is None

    @property
    def took_part(self) -> bool:
        """Whether the reader was host, co-host or speaker."""
        return self.role in ON_STAGE

    @property
    def admitted(self) -> str:
        """Words for the people whom the room admits."""
        return str(ENTRY_WORDS[Room.EntryPolicy(self.room.entry_policy)])

    @property
    def own_lines(self) -> bool:
        """Whether the reader can download their own lines."""
        return self.transcript is not None and self.transcript.finished_at is not None and self.took_part


def build_page(room: Room, who: Who, role: str, q: str = "", editing: CueEdit | None = None) -> ReplayPage:
    """Build the replay page for a reader who may see it; a non-empty `q` shows only lines with these words.

    The line that is being edited is always shown.
    """
    recording = Recording.objects.filter(room=room).first()
    state = state_of(room, recording)
    editing = editing if may_correct(role) is None else None
    transcript = None
    if state != "gone":
        transcript = Transcript.objects.select_related("room").filter(room=room).first()
    shown = None if state == "closed" else transcript
    seats = seats_of(room) if state == "playing" or shown is not None else []
    voices = voices_of(seats)
    mix = links.address(room.pk, "mix", who.user, "mix.m4a") if state == "playing" else ""
    return ReplayPage(
        room=room,
        role=role,
        state=state,
        recording=recording,
        transcript=transcript,
        progress=None if shown is None else progress(shown),
        voices=voices,
        lines=lines_of(shown, voices, q, editing),
        mix=mix,
        q=q,
        data=script_data(room, who, recording, seats) if state == "playing" else {},
        editing=editing,
        publication=publication_of(room, recording, who.user, role) if recording and state == "playing" else None,
        reactions=None if state == "closed" else plot_of(room, role, recording),
        clips=clips_for(room, who, role) if state == "playing" else None,
    )


def clips_for(room: Room, who: Who, role: str) -> RoomClips:
    """The clips of a replay for a reader who may hear it. A listener hears it because it is public
    and they are admitted; of a host or co-host that does not matter."""
    facts = None if role == "speaker" else ClipFacts(role, None, role == "listener", room.clips_off)
    return clips_of(room, who, facts)


def plot_of(room: Room, role: str, recording: Recording | None) -> ReactionPlot | None:
    """The plot of reactions, for the host of a room whose copy is not purged."""
    if role != "host" or room.purged_at is not None:
        return None
    return reaction_plot(room, (recording.duration_ms if recording else None) or room.room_time(room.ended_at))


def state_of(room: Room, recording: Recording | None) -> str:
    """Return the `state` of the page by the state of the recording."""
    if room.purged_at is not None or recording is None or recording.state == Recording.State.PURGED:
        return "gone"
    if is_restricted(room):
        return "closed"
    if recording.state in (Recording.State.RUNNING, Recording.State.FINISHING):
        return "finishing"
    if recording.state == Recording.State.FAILED:
        return "failed"
    return "playing" if recording.files.filter(kind="mix").exists() else "empty"


def seats_of(room: Room) -> list[Seat]:
    """List the seats of a room: host, co-hosts, speakers, each in the order they were taken."""
    seats = Seat.objects.filter(room=room).select_related("user").order_by("taken_at", "pk")
    return sorted(seats, key=lambda seat: ROLES[seat.role])


def people_of(seats: Sequence[Seat]) -> list[User]:
    """List the people of these seats, each once, in the same order."""
    return list({seat.user_id: seat.user for seat in seats}.values())


def voices_of(seats: Sequence[Seat]) -> list[Voice]:
    """Give each person of these seats a colour, in the order of `people_of`: neighbours differ."""
    return [Voice(person, COLOURS[i % len(COLOURS)]) for i, person in enumerate(people_of(seats))]


def lines_of(
    transcript: Transcript | None, voices: Sequence[Voice], q: str, editing: CueEdit | None = None
) -> list[ReplayLine]:
    if transcript is None:
        return []
    cues = cues_in_order(transcript)
    if q.strip():
        matching = search(cues, transcript.language, q)
        cues = matching if editing is None else matching | cues.filter(pk=editing.pk)
    colours = {voice.person.pk: voice.colour for voice in voices}
    lines: list[ReplayLine] = []
    before = None
    for cue in cues:
        text = "\n".join(break_into_lines(cue.shown_text, cue.language))
        lines.append(ReplayLine(cue, text, cue.seat.user_id != before, colours[cue.seat.user_id]))
        before = cue.seat.user_id
    return lines


def script_data(room: Room, who: Who, recording: Recording | None, seats: Sequence[Seat]) -> dict[str, Any]:
    """Build the JSON for the page's scripts: room, duration in ms, URL of the waveform, and the seats of each lane."""
    drawn = recording is not None and recording.prepared_at is not None
    people = people_of(seats)
    called = labels({person.handle: person.display_name for person in people})
    return {
        "slug": room.slug,
        "title": room.shown_title,
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
