"""Live captions of one room: tracks that grow become streams of sound, words that were heard become lines."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from people.models import User
from rooms.models import Room, Seat
from rooms.recording import store, track_memory
from transcripts.captions import actions
from transcripts.captions.actions import Claim, Line, NotShown
from transcripts.captions.consent import LAST_WORDS, is_heard, may_caption, off_until
from transcripts.captions.engine import Heard
from transcripts.captions.leaks import LOUDER_DB, is_leak
from transcripts.captions.snapshot import words_of
from transcripts.captions.stream import Stream
from transcripts.captions.stretch import Stretch
from transcripts.captions.track_sound import TrackSound
from transcripts.captions.track_tail import TrackTail
from transcripts.captions.words import into_lines, text_of
from transcripts.models import LiveLine
from transcripts.speech.stitch import Word, believable, normalized

log = logging.getLogger(__name__)

_NAME = re.compile(r"audiobridge-.+-user-seat-(\d+)-(\d+)-audio\.mjr")
FRESH_SECONDS = 30  # a track nobody wrote to for longer is not followed
LISTEN = 0.05  # seconds between two looks at the tracks
BACK_MS = 30_000  # older sound is not made up for
QUIET_SECONDS = 1.5  # without a packet, after which a microphone counts as closed; a buffered track comes in bursts
AGAIN_MS = 300  # within which a word that was kept already is the same one
COMPARE_MS = 1500  # on both sides, in which another person says the same
SHORT_MS, SHORT_P = 800, 0.5  # speech that is shorter than this needs words with this mean probability
LANGUAGE_MS = 1200  # of speech that tell a language
LANGUAGE_SURE = 0.7
NOTICE_MS = 5000  # of speech in another language, after which the host's side is told
LEAK_WAIT_MS = 2000  # for which somebody louder is heard first
DRAFT_MS = 1000  # of sound that makes a draft


def is_plausible(heard: Heard, speech_ms: int) -> bool:
    """Whether to believe what was heard: of a sound that is hardly longer than a breath only what is likely."""
    if not heard.words or not believable(heard.segment):
        return False
    return speech_ms >= SHORT_MS or sum(word.p for word in heard.words) / len(heard.words) >= SHORT_P


def _is_fresh(path: Path) -> bool:
    """Whether a track was written to lately; not where it has been moved to the disk just now."""
    try:
        return path.stat().st_mtime > time.time() - FRESH_SECONDS
    except FileNotFoundError:
        return False


@dataclass
class Speaker:
    """A person on the stage of a room, and the line that is being written of what they say."""

    user: User
    stream: Stream
    number: int | None = None  # of the line that goes on
    words: tuple[Word, ...] = ()
    shown: bool = False  # whether anything of it was shown
    kept: tuple[Word, ...] = ()  # the last words that were kept before this process took the room

    def begin_line(self) -> None:
        self.number, self.words, self.shown = None, (), False


@dataclass
class _Track:
    tail: TrackTail
    sound: TrackSound
    seat_pk: int


@dataclass
class RoomCaptions:
    """A room that this process writes the captions of."""

    claim: Claim
    room: Room
    speakers: dict[int, Speaker] = field(default_factory=dict)  # by account
    _tracks: dict[str, _Track] = field(default_factory=dict)  # by name
    _seats: dict[int, User] = field(default_factory=dict)  # who may be captioned, by seat
    hearing_ms: float = 0.0  # how long the last hearing took
    _off_until: dict[int | None, int] = field(default_factory=dict)  # as `consent.off_until` said last
    _looked: float = 0.0
    _listened: float = 0.0
    _votes: dict[str, int] = field(default_factory=dict)  # ms of speech in another language
    _told: set[str] = field(default_factory=set)

    @classmethod
    def take(cls, claim: Claim) -> RoomCaptions:
        """Begin where the last process ended: its lines are complete, and what was kept is not heard again."""
        room = Room.objects.get(pk=claim.room_pk)
        found = cls(claim, room)
        rows = LiveLine.objects.select_related("speaker").filter(room=room).order_by("line")
        now_ms = room.room_time()
        for row in rows:
            if not row.final:
                found._complete(row)
            stream = Stream(max(row.ended_ms, now_ms - BACK_MS))
            found.speakers[row.speaker_id] = Speaker(row.speaker, stream, kept=words_of(row)[-3:])
        return found

    def _complete(self, row: LiveLine) -> None:
        line = Line(row.line, words_of(row), "", row.started_ms, True)
        try:
            actions.keep_line(self.claim, row.speaker, line)
        except NotShown:
            log.info("room %s: line %s stays as it is", row.room_id, row.line)

    # --- sound -------------------------------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Read again whether the room is live, and who may be captioned; false where it is over."""
        room = Room.objects.filter(pk=self.room.pk, status=Room.Status.LIVE, transcription=True).first()
        if room is None:
            return False
        self.room = room
        lately = Q(left_at=None) | Q(left_at__gt=timezone.now() - LAST_WORDS)
        here = Seat.objects.select_related("user", "room").filter(lately, room=room)
        self._seats = {seat.pk: seat.user for seat in here if is_heard(seat) and may_caption(room, seat.user)}
        allowed = {user.pk for user in self._seats.values()}
        for pk, speaker in self.speakers.items():
            if pk not in allowed:
                speaker.stream.clear()
        self._skip_what_was_off()
        return True

    def _skip_what_was_off(self) -> None:
        """Give up sound that may have come while captions were off, of the room or of who speaks."""
        self._off_until = off_until(self.room)
        for pk, speaker in self.speakers.items():
            if speaker.stream.skip_to(self._from_ms(pk)):
                speaker.begin_line()

    def _from_ms(self, user_pk: int) -> int:
        """From when on what this person says may be written down."""
        return max(self._off_until.get(None, 0), self._off_until.get(user_pk, 0))

    def listen(self, beat: Callable[[], None] = lambda: None) -> None:
        """Take in all sound that has come; not more often than every LISTEN seconds. `beat` is called between tracks:
        those of a room that was taken lately have half a minute each."""
        now = time.monotonic()
        if now - self._listened < LISTEN:
            return
        self._listened = now
        if now - self._looked >= 0.25:
            self._looked = now
            self._look_for_tracks()
        assert self.room.started_at is not None
        started_ms = self.room.started_at.timestamp() * 1000
        for name, track in list(self._tracks.items()):
            user = self._seats.get(track.seat_pk)
            beat()
            try:
                packets = track.tail.read()
            except OSError as error:
                log.warning("room %s: %s is not followed: %s", self.room.pk, name, error)
                del self._tracks[name]
                continue
            if user is None or track.tail.first_us is None:
                continue
            speaker = self.speaker(user)
            begins_ms = track.tail.first_us / 1000 - started_ms
            for at_ms, sound in track.sound.decode(packets):
                speaker.stream.feed(begins_ms + at_ms, sound, now)
        for speaker in self.speakers.values():
            if now - speaker.stream.came_at > QUIET_SECONDS:
                speaker.stream.pause()

    def speaker(self, user: User) -> Speaker:
        """Return the speaker with this account, made where there is none."""
        if user.pk not in self.speakers:
            from_ms = max(0, self.room.room_time() - BACK_MS, self._from_ms(user.pk))
            self.speakers[user.pk] = Speaker(user, Stream(from_ms))
        self.speakers[user.pk].user = user  # as the row is now: a handle may change
        return self.speakers[user.pk]

    def _look_for_tracks(self) -> None:
        folder = track_memory.folder(self.room.pk)
        if not folder.is_dir():
            return
        for path in folder.glob("*.mjr"):
            name = _NAME.fullmatch(path.name)
            if name and path.name not in self._tracks and _is_fresh(path):
                self._tracks[path.name] = _Track(self._tail(path), TrackSound(), int(name[1]))

    def _tail(self, path: Path) -> TrackTail:
        since = max(0.0, (time.time() - BACK_MS / 1000) * 1e6)
        return TrackTail(path, store.tracks_folder(self.room.pk) / path.name, since_us=since)

    # --- whom to hear ------------------------------------------------------------------------------------------------

    def waiting(self, step_ms: int, *, drafts: bool, left_out: frozenset[int]) -> Iterator[tuple[Speaker, Stretch]]:
        """Yield the stretches that are worth hearing now."""
        for pk, speaker in self.speakers.items():
            stretch = speaker.stream.next
            if stretch is None or not stretch.is_speech:
                continue
            if pk in left_out:
                speaker.stream.clear()
                continue
            is_due = stretch.closed or (drafts and stretch.end_ms - stretch.heard_ms >= step_ms)
            if is_due and not self._somebody_louder_first(speaker, stretch):
                yield speaker, stretch

    def _somebody_louder_first(self, speaker: Speaker, stretch: Stretch) -> bool:
        """Whether what this person seems to say may be somebody louder, who was not heard so far; for a while only, as
        a hearing lasts longer than its sound on a machine that is busy."""
        from_ms, to_ms = stretch.heard_ms, stretch.end_ms
        waited = speaker.stream.end_ms - (to_ms if stretch.closed else from_ms + DRAFT_MS)
        behind_ms = DRAFT_MS + self.hearing_ms
        return waited < LEAK_WAIT_MS and any(
            other.stream.heard_until() < min(to_ms, other.stream.end_ms) - behind_ms
            and other.stream.level(from_ms, to_ms) - speaker.stream.level(from_ms, to_ms) >= LOUDER_DB
            for other in self.speakers.values()
            if other is not speaker
        )

    def talkers(self, within_ms: int) -> dict[int, float]:
        """Return when those who spoke lately did last, in ms since 1970, by account."""
        since = self.room.room_time() - within_ms
        assert self.room.started_at is not None
        started_ms = self.room.started_at.timestamp() * 1000
        spoke = {pk: speaker.stream.last_spoke_ms for pk, speaker in self.speakers.items()}
        return {pk: started_ms + at for pk, at in spoke.items() if at > since}

    # --- what was heard ----------------------------------------------------------------------------------------------

    def take_heard(self, speaker: Speaker, stretch: Stretch, heard: Heard, until_ms: int, *, final: bool) -> None:
        """Show what was heard of a stretch up to a time, which was its end if it is `final`, and keep what is certain.
        Raises LeaseLost."""
        self._skip_what_was_off()  # which it may have been, and on again, while this was heard
        if stretch not in (*speaker.stream.closed, speaker.stream.open):
            return
        self._note_language(heard, stretch)
        words = self._without_kept(speaker, stretch, heard.words if is_plausible(heard, stretch.speech_ms) else ())
        if self._is_others(speaker, stretch, words):
            stretch.forget(until_ms)
            certain: tuple[Word, ...] = ()
        else:
            certain = stretch.take(words, until_ms, final=final)
        self._show(speaker, certain, stretch.agreement.draft, final=final)
        if final:
            self._drop(speaker, stretch)

    def finish(self, speaker: Speaker, stretch: Stretch) -> None:
        """Show a stretch that was heard to its end already as certain. Raises LeaseLost."""
        self._skip_what_was_off()
        if stretch in speaker.stream.closed:
            self._show(speaker, stretch.finish(), (), final=True)
            self._drop(speaker, stretch)

    def leave_out(self, user_pk: int) -> None:
        """End the line of somebody whose words are left out from now on. Raises LeaseLost."""
        if speaker := self.speakers.get(user_pk):
            speaker.stream.clear()
            self._show(speaker, (), (), final=True)

    def _drop(self, speaker: Speaker, stretch: Stretch) -> None:
        if stretch in speaker.stream.closed:
            speaker.stream.closed.remove(stretch)

    def _without_kept(self, speaker: Speaker, stretch: Stretch, words: Sequence[Word]) -> tuple[Word, ...]:
        """Leave out first words that another process kept just before it died."""
        kept = speaker.kept
        if not kept or stretch.agreement.confirmed:
            return tuple(words)
        last = kept[-1]
        left = list(words)
        while left and stretch.start_ms + left[0].start_ms < last.end_ms + AGAIN_MS:
            if normalized(left[0].text) not in {normalized(word.text) for word in kept}:
                break
            left.pop(0)
        return tuple(left)

    def _is_others(self, speaker: Speaker, stretch: Stretch, words: Sequence[Word]) -> bool:
        """Whether these words are somebody else's, who is louder at the time."""
        if not words:
            return False
        from_ms, to_ms = stretch.start_ms + words[0].start_ms, stretch.start_ms + words[-1].end_ms
        own_db = speaker.stream.level(from_ms, to_ms)
        return any(
            is_leak(
                words,
                own_db,
                other.stream.words_between(from_ms - COMPARE_MS, to_ms + COMPARE_MS),
                other.stream.level(from_ms, to_ms),
            )
            for other in self.speakers.values()
            if other is not speaker
        )

    def _show(self, speaker: Speaker, certain: Sequence[Word], draft: Sequence[Word], *, final: bool) -> None:
        speaker.stream.remember(tuple(certain))
        lines = into_lines(speaker.words, certain, self.room.language)
        try:
            while len(lines) > 1:
                self._show_line(speaker, lines[0], (), final=True, changed=True)
                speaker.begin_line()
                lines = lines[1:]
            changed = lines[0] != speaker.words or final
            self._show_line(speaker, lines[0], draft, final=final, changed=changed)
        except NotShown as why:
            log.info("room %s: %s", self.room.pk, why)
            speaker.stream.clear()
            speaker.begin_line()
        except DatabaseError:  # they are shown with what comes next
            speaker.words = tuple(word for line in lines for word in line)
            raise
        if final:
            speaker.begin_line()

    def _show_line(
        self, speaker: Speaker, words: tuple[Word, ...], draft: Sequence[Word], *, final: bool, changed: bool
    ) -> None:
        if not words and not draft and not speaker.shown:
            return
        if speaker.number is None:
            speaker.number = actions.next_number(self.claim)
        at = words[0].start_ms if words else draft[0].start_ms if draft else speaker.stream.end_ms
        line = Line(speaker.number, words, text_of(draft), max(0, at), final)
        speaker.words, speaker.shown = words, True
        if words and changed:
            actions.keep_line(self.claim, speaker.user, line)
        else:
            actions.show_draft(self.claim, speaker.user, line)

    # --- language ----------------------------------------------------------------------------------------------------

    def asks_language(self, stretch: Stretch) -> bool:
        """Whether a hearing of this stretch should say which language it is."""
        return stretch.speech_ms - stretch.language_ms >= LANGUAGE_MS

    def _note_language(self, heard: Heard, stretch: Stretch) -> None:
        """Count speech in another language than the room's, and tell the host's side once."""
        if not heard.language or heard.sure < LANGUAGE_SURE:
            return
        new_ms, stretch.language_ms = stretch.speech_ms - stretch.language_ms, stretch.speech_ms
        if heard.language == self.room.language:
            self._votes.clear()
        elif heard.language in dict(settings.LANGUAGES) and heard.language not in self._told:
            self._votes[heard.language] = self._votes.get(heard.language, 0) + new_ms
            if self._votes[heard.language] >= NOTICE_MS:
                self._told.add(heard.language)
                actions.tell_language(self.room, heard.language)
