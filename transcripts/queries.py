"""What the edges read: roles, cues in order, searches, lines for files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from core.text import Text
from people.labels import labels
from people.models import User
from rooms.models import Room
from rooms.rules.facts import facts_of
from rooms.rules.roles import role_in
from transcripts.files.formats import About, FormatLine
from transcripts.jobs.progress import TranscriptProgress, progress_of
from transcripts.models import DICTIONARIES, OTHER_DICTIONARY, Cue, Transcript
from transcripts.permissions import may_read, may_read_own
from transcripts.refusals import TranscriptRefused

SEARCH = Text(200)


def has_lines(room_pk: int, user_pk: int) -> bool:
    """Whether the transcript of a room has a line of this person: rooms ask it too (`rooms.rules.voice`)."""
    return Cue.objects.filter(transcript__room=room_pk, seat__user=user_pk).exists()


def readable_transcript(slug: str, user: User, mine: bool = False) -> Transcript:
    """The transcript of a room for who may read it, or with `mine` the reader's own lines of it.

    Refuses with unknown_room, not_found (for who may not), no_transcript.
    """
    room = Room.objects.select_related("host").filter(slug=slug).first()
    if room is None:
        raise TranscriptRefused("unknown_room")
    role = role_in(user, room)
    code = may_read(role)
    if code and mine and facts_of(room, user).kept_out is None:
        code = may_read_own(role, has_lines=has_lines(room.pk, user.pk))
    if code:
        raise TranscriptRefused(code)
    transcript = Transcript.objects.select_related("room").filter(room=room).first()
    if transcript is None or room.purged_at is not None:
        raise TranscriptRefused("no_transcript")
    return transcript


@dataclass(frozen=True, slots=True)
class HowFar:
    """A transcript as a list of rooms tells of it."""

    state: str
    trouble: str
    progress: TranscriptProgress

    @property
    def moving(self) -> bool:
        return self.state in Transcript.OPEN


def how_far(rooms: Iterable[Room]) -> dict[int, HowFar]:
    """How far the transcripts of these rooms are, by the room's key, where there is one. As many queries for all."""
    keys = [room.pk for room in rooms if room.purged_at is None]
    transcripts = list(Transcript.objects.filter(room__in=keys))
    progress = progress_of(transcripts)
    return {each.room_id: HowFar(each.state, each.trouble, progress[each.pk]) for each in transcripts}


def cues_in_order(transcript: Transcript) -> "QuerySet[Cue]":
    """Everything that was said, in the order it was begun, each with its speaker: one query."""
    cues = Cue.objects.filter(transcript=transcript).select_related("seat__user").defer("search")
    return cues.order_by("start_ms", "id")


def search(cues: "QuerySet[Cue]", language: str, words: str) -> "QuerySet[Cue]":
    """Those with all the words, in the room's language ("room" finds "rooms"); quotes and minus work too."""
    dictionary = DICTIONARIES.get(language, OTHER_DICTIONARY)
    query = SearchQuery(SEARCH.loosely(words), config=dictionary, search_type="websearch")
    return cues.filter(search=query)


@dataclass(frozen=True, slots=True)
class Which:
    """Which lines: words, a speaker's handle, a range of room time; from behind `after`, a page's `next`."""

    q: str = ""
    speaker: str = ""
    from_ms: int = 0
    to_ms: int | None = None
    after: str = ""
    limit: int = 200


def page(transcript: Transcript, which: Which) -> tuple[list[Cue], str | None]:
    """One page of lines, and where the next begins. A line belongs to a range that it overlaps."""
    cues = cues_in_order(transcript).filter(end_ms__gt=which.from_ms)
    if which.to_ms is not None:
        cues = cues.filter(start_ms__lt=which.to_ms)
    if which.speaker:
        cues = cues.filter(seat__user__in=User.objects.with_handle(which.speaker))
    if which.q.strip():
        cues = search(cues, transcript.language, which.q)
    if which.after:
        start_ms, pk = map(int, which.after.split("-"))
        cues = cues.filter(Q(start_ms__gt=start_ms) | Q(start_ms=start_ms, pk__gt=pk))
    found = list(cues[: which.limit + 1])
    if len(found) <= which.limit:
        return found, None
    last = found[which.limit - 1]
    return found[: which.limit], f"{last.start_ms}-{last.pk}"


def about(transcript: Transcript) -> About:
    """What stands at the top of a file."""
    room = transcript.room
    started = room.started_at.strftime("%Y-%m-%d %H:%M UTC") if room.started_at else ""
    return About(room.title, started, transcript.language, transcript.model, transcript.version)


def format_lines(transcript: Transcript, speaker: User | None = None) -> Iterator[FormatLine]:
    """The lines of a transcript for `formats`, 500 rows in memory at a time; only `speaker`'s where one is given."""
    called = speaker_labels(transcript)
    cues = cues_in_order(transcript)
    if speaker is not None:
        cues = cues.filter(seat__user=speaker)
    for cue in cues.iterator(chunk_size=500):
        yield format_line(cue, called)


def speaker_labels(transcript: Transcript) -> dict[str, str]:
    """How the speakers of a transcript are called in its files, by handle."""
    spoke = Cue.objects.filter(transcript=transcript).order_by("seat__user").distinct("seat__user")
    return labels(dict(spoke.values_list("seat__user__handle", "seat__user__display_name")))


def format_line(cue: Cue, called: Mapping[str, str]) -> FormatLine:
    """A cue for files; `called` is the speakers' labels by handle."""
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
