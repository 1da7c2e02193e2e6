"""Queries for pages, API and files: readable transcripts, cues in order, search, lines of a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from core.text import Text
from people.labels import labels
from people.models import User
from rooms.models import Room
from rooms.rules.facts import facts_of
from rooms.rules.restrictions import is_restricted
from rooms.rules.roles import role_in
from transcripts.doubt import doubtful
from transcripts.files.formats import FileHeader, FormatLine
from transcripts.jobs.progress import TranscriptProgress, progress_of
from transcripts.models import DICTIONARIES, OTHER_DICTIONARY, Cue, RangeCue, RangeState, RangeTranscript, Transcript
from transcripts.permissions import may_read, may_read_own
from transcripts.refusals import TranscriptRefused

SEARCH = Text(200)


def has_lines(room_pk: int, user_pk: int) -> bool:
    """Return whether the transcript of a room has a line of this person. Registered with `rooms.rules.voice`."""
    return Cue.objects.filter(transcript__room=room_pk, seat__user=user_pk).exists()


def readable_transcript(slug: str, user: User, mine: bool = False) -> Transcript:
    """Get the transcript of a room if the user may read it, or with `mine` if the user may read their own lines.

    Own lines stay readable while moderators have closed the recording. Refuses with unknown_room, not_found (not
    allowed), recording_unavailable, no_transcript.
    """
    room = Room.objects.select_related("host").filter(slug=slug).first()
    if room is None:
        raise TranscriptRefused("unknown_room")
    role = role_in(user, room)
    code = may_read(role)
    if code and mine and facts_of(room, user).kept_out is None:
        code = may_read_own(role, has_lines=has_lines(room.pk, user.pk))
    if code is None and not mine and is_restricted(room):
        code = "recording_unavailable"
    if code:
        raise TranscriptRefused(code)
    transcript = Transcript.objects.select_related("room").filter(room=room).first()
    if transcript is None or room.purged_at is not None:
        raise TranscriptRefused("no_transcript")
    return transcript


@dataclass(frozen=True, slots=True)
class TranscriptState:
    """State of a transcript in a list of rooms."""

    state: str
    trouble: str
    progress: TranscriptProgress

    @property
    def in_progress(self) -> bool:
        return self.state in Transcript.OPEN


def transcript_states(rooms: Iterable[Room]) -> dict[int, TranscriptState]:
    """Get the states of these rooms' transcripts, by the room's key. The number of queries is constant."""
    keys = [room.pk for room in rooms if room.purged_at is None]
    transcripts = list(Transcript.objects.filter(room__in=keys))
    progress = progress_of(transcripts)
    return {each.room_id: TranscriptState(each.state, each.trouble, progress[each.pk]) for each in transcripts}


def cues_in_order(transcript: Transcript) -> "QuerySet[Cue]":
    """Select all cues in order of their start, with their speakers, in one query."""
    cues = Cue.objects.filter(transcript=transcript).select_related("seat__user").defer("search")
    return cues.order_by("start_ms", "id")


def search(cues: "QuerySet[Cue]", language: str, words: str) -> "QuerySet[Cue]":
    """Filter cues by all the words, stemmed in this language ("room" finds "rooms"); supports quotes and minus."""
    dictionary = DICTIONARIES.get(language, OTHER_DICTIONARY)
    query = SearchQuery(SEARCH.clean_leniently(words), config=dictionary, search_type="websearch")
    return cues.filter(search=query)


@dataclass(frozen=True, slots=True)
class CueFilter:
    """Filter of cues by words (`q`), speaker's handle and room time in ms; `after` is the previous page's cursor."""

    q: str = ""
    speaker: str = ""
    from_ms: int = 0
    to_ms: int | None = None
    after: str = ""
    limit: int = 200


def page(transcript: Transcript, cue_filter: CueFilter) -> tuple[list[Cue], str | None]:
    """Get a page of cues, and the cursor of the next or None. Cues that overlap the time range are included."""
    cues = cues_in_order(transcript).filter(end_ms__gt=cue_filter.from_ms)
    if cue_filter.to_ms is not None:
        cues = cues.filter(start_ms__lt=cue_filter.to_ms)
    if cue_filter.speaker:
        cues = cues.filter(seat__user__in=User.objects.with_handle(cue_filter.speaker))
    if cue_filter.q.strip():
        cues = search(cues, transcript.language, cue_filter.q)
    if cue_filter.after:
        start_ms, pk = map(int, cue_filter.after.split("-"))
        cues = cues.filter(Q(start_ms__gt=start_ms) | Q(start_ms=start_ms, pk__gt=pk))
    rows = list(cues[: cue_filter.limit + 1])
    if len(rows) <= cue_filter.limit:
        return rows, None
    last = rows[cue_filter.limit - 1]
    return rows[: cue_filter.limit], f"{last.start_ms}-{last.pk}"


def file_header(transcript: Transcript) -> FileHeader:
    """Build the heading of a file."""
    room = transcript.room
    started = room.started_at.strftime("%Y-%m-%d %H:%M UTC") if room.started_at else ""
    return FileHeader(room.title, started, transcript.language, transcript.model, transcript.version)


def format_lines(transcript: Transcript, speaker: User | None = None) -> Iterator[FormatLine]:
    """Yield the lines of a transcript, or of one speaker, for `formats`; 500 rows in memory at a time."""
    called = speaker_labels(transcript)
    cues = cues_in_order(transcript)
    if speaker is not None:
        cues = cues.filter(seat__user=speaker)
    for cue in cues.iterator(chunk_size=500):
        yield format_line(cue, called)


def speaker_labels(transcript: Transcript) -> dict[str, str]:
    """Return the names shown for the speakers of a transcript in its files, by handle."""
    spoke = Cue.objects.filter(transcript=transcript).order_by("seat__user").distinct("seat__user")
    return labels(dict(spoke.values_list("seat__user__handle", "seat__user__display_name")))


def format_line(cue: Cue, called: Mapping[str, str]) -> FormatLine:
    """Convert a cue to a line of a file; `called` has the speakers' labels by handle."""
    corrected = cue.corrected_text is not None
    return FormatLine(
        start_ms=cue.start_ms,
        end_ms=cue.end_ms,
        speaker=cue.seat.user.display_name,
        handle=cue.seat.user.handle,
        label=called.get(cue.seat.user.handle, ""),
        text=cue.shown_text,
        gap="" if cue.kind == Cue.Kind.SPEECH or corrected else cue.kind,
        doubtful=cue.is_doubtful,
        corrected=corrected,
        machine_text=cue.text if corrected else "",
        confidence=cue.confidence,
        words=cue.words,
    )


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line as case material. `reference` is "cue:<pk>" (of the transcript) or "range:<pk>" (of a range); times are ms
    of room time. `is_doubtful`: the model may have invented it."""

    reference: str
    speaker_pk: int
    name: str
    start_ms: int
    end_ms: int
    text: str
    is_doubtful: bool = False


def cues_between(room: Room, from_ms: int, to_ms: int) -> list[SpokenLine]:
    """List the lines that overlap a range, in order: those of the transcript if it is ready, and where it has none (it
    is not ready, or captions were off) those of ranges that were transcribed for a case. For staff who may see the
    case; the caller checks that."""
    transcript = Transcript.objects.filter(room=room, state=Transcript.State.READY).first()
    if transcript is None:
        return _lines_of_ranges(room, from_ms, to_ms)
    cues = cues_in_order(transcript).filter(end_ms__gt=from_ms, start_ms__lt=to_ms)
    off = list(off_cues(room, from_ms, to_ms).values_list("seat__user", "start_ms", "end_ms"))
    lines = [
        SpokenLine(
            f"cue:{cue.pk}",
            cue.seat.user_id,
            cue.seat.user.display_name,
            cue.start_ms,
            cue.end_ms,
            cue.shown_text,
            cue.is_doubtful,
        )
        for cue in cues
        if cue.shown_text
    ]
    if off:
        lines += [line for line in _lines_of_ranges(room, from_ms, to_ms) if _is_within(line, off)]
    return sorted(lines, key=lambda line: line.start_ms)


def off_cues(room: Room, from_ms: int, to_ms: int) -> "QuerySet[Cue]":
    """Select the places of a range that the transcript leaves out because captions were off."""
    return Cue.objects.filter(transcript__room=room, kind=Cue.Kind.OFF, start_ms__lt=to_ms, end_ms__gt=from_ms)


def _is_within(line: SpokenLine, times: Iterable[tuple[int, int, int]]) -> bool:
    middle = (line.start_ms + line.end_ms) / 2
    return any(line.speaker_pk == user and start <= middle < end for user, start, end in times)


def _lines_of_ranges(room: Room, from_ms: int, to_ms: int) -> list[SpokenLine]:
    """List lines of ready ranges; where ranges overlap, those of the one that was asked for first."""
    ready = RangeTranscript.objects.filter(room=room, state=RangeState.READY).order_by("pk")
    ranges = list(ready.values_list("pk", "from_ms", "to_ms"))

    def belongs(cue: RangeCue) -> bool:
        middle = (cue.start_ms + cue.end_ms) / 2
        return next((pk for pk, start, end in ranges if start <= middle < end), cue.range_id) == cue.range_id

    cues = RangeCue.objects.filter(range__in=ready, end_ms__gt=from_ms, start_ms__lt=to_ms).select_related("speaker")
    return [
        SpokenLine(
            f"range:{cue.pk}",
            cue.speaker_id,
            cue.speaker.display_name,
            cue.start_ms,
            cue.end_ms,
            cue.text,
            doubtful(cue.confidence),
        )
        for cue in cues.order_by("start_ms", "pk")
        if belongs(cue)
    ]
