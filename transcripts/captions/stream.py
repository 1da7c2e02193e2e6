"""One person's sound in a room as it comes: where speech begins and pauses, and how loud it was."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from transcripts.captions.stretch import LONGEST_MS, PER_MS, Stretch
from transcripts.speech import vad
from transcripts.speech.audio import Sound
from transcripts.speech.stitch import Word
from transcripts.speech.windows import FRAME_MS, MIN_SILENCE_MS, PAD_MS, START, STOP

FRAME = vad.FRAME  # samples
BEFORE = PAD_MS // FRAME_MS + 1  # frames kept from before speech: the detector is late on soft first sounds
JITTER = 5 * PER_MS  # samples; less missing or too much is nothing
FILLED = 400 * PER_MS  # samples; more missing than this is a pause, as where a microphone was closed
AT_ONCE = 5  # frames that the detector is given: one by one they would cost it five times as much …
SOONER = 3  # … and while somebody talks
LEVELS = 40_000 // FRAME_MS  # frames whose loudness is remembered
WORDS_MS = 30_000  # for which words are remembered


class Stream:
    """One person's sound. Times are ms of room time."""

    def __init__(self, from_ms: int = 0) -> None:
        self.from_ms = from_ms  # sound before this was heard already, by this process or another one
        self.closed: deque[Stretch] = deque()  # that are over, and not heard to their end
        self.open: Stretch | None = None
        self.last_spoke_ms = 0
        self.came_at = 0.0  # when sound came last, on the caller's clock
        self._detector = vad.Detector()
        self._end: int | None = None  # samples of room time
        self._rest = np.zeros(0, np.float32)  # less than a frame
        self._before: deque[Sound] = deque(maxlen=BEFORE)
        self._silent_ms = 0
        self._levels: deque[tuple[int, float]] = deque(maxlen=LEVELS)  # beginning and power of frames
        self._words: deque[Word] = deque()  # the last that were certain

    @property
    def end_ms(self) -> int:
        """Up to where sound has come."""
        return (self._end or 0) // PER_MS

    @property
    def next(self) -> Stretch | None:
        """The stretch to be heard next: the oldest that is over, else the one that goes on."""
        return self.closed[0] if self.closed else self.open

    def feed(self, at_ms: float, sound: Sound, now: float) -> None:
        """Take sound that begins at this time."""
        begin = round(at_ms * PER_MS)
        if begin // PER_MS < self.from_ms:
            skipped = min(len(sound), self.from_ms * PER_MS - begin)
            sound, begin = sound[skipped:], begin + skipped
        if not len(sound):
            return
        self.came_at = now
        end = begin if self._end is None else self._end
        if begin - end > FILLED or self._end is None:
            self._jump(begin)
        elif begin - end > JITTER:
            sound = np.concatenate([np.zeros(begin - end, np.float32), sound])
        elif end - begin > JITTER:
            sound = sound[end - begin :]
        if len(sound):
            self._append(sound)

    def pause(self) -> None:
        """End the stretch that goes on: no sound comes any more, as where the microphone was closed."""
        self._detect(self._rest)
        if self.open is not None:
            self._close()

    def clear(self) -> None:
        """Give up everything that was not heard yet."""
        self.closed.clear()
        self.open = None
        self._before.clear()
        self._rest = np.zeros(0, np.float32)

    def skip_to(self, ms: int) -> bool:
        """Give up everything where some of it may be from before this time; returns whether that was so."""
        if self.from_ms >= ms:
            return False
        self.clear()
        self.from_ms = ms
        return True

    def remember(self, words: tuple[Word, ...]) -> None:
        """Remember certain words for a while, to compare others' with them."""
        self._words.extend(words)
        while self._words and self._words[0].end_ms < self.end_ms - WORDS_MS:
            self._words.popleft()

    def words_between(self, from_ms: int, to_ms: int) -> list[Word]:
        """Return certain words and drafts of a time."""
        drafts = [word for stretch in (*self.closed, self.open) if stretch for word in stretch.agreement.draft]
        return [word for word in (*self._words, *drafts) if word.end_ms > from_ms and word.start_ms < to_ms]

    def level(self, from_ms: int, to_ms: int) -> float:
        """Return the mean loudness of a time in dB of full scale; -120 where nothing came."""
        powers = [power for at, power in self._levels if from_ms - FRAME_MS < at < to_ms]
        return 10 * math.log10(max(1e-12, sum(powers) / len(powers))) if powers else -120.0

    def heard_until(self) -> int:
        """Up to where what came was heard, or was no speech."""
        waiting = self.next
        return self.end_ms if waiting is None or not waiting.is_speech else waiting.heard_ms

    def _jump(self, begin: int) -> None:
        self.pause()
        self._detector, self._rest = vad.Detector(), np.zeros(0, np.float32)
        self._before.clear()
        self._end = begin

    def _append(self, sound: Sound) -> None:
        assert self._end is not None
        self._rest = np.concatenate([self._rest, sound])
        self._end += len(sound)
        if len(self._rest) >= (SOONER if self.open else AT_ONCE) * FRAME:
            self._detect(self._rest)

    def _detect(self, sound: Sound) -> None:
        """Look for speech in the whole frames of sound that ends now; keep the rest of it."""
        whole = len(sound) // FRAME * FRAME
        self._rest = sound[whole:]
        if not whole or self._end is None:
            return
        begin_ms = (self._end - len(sound)) // PER_MS
        for place, probability in enumerate(self._detector.feed(sound[:whole])):
            frame, at_ms = sound[place * FRAME : (place + 1) * FRAME], begin_ms + place * FRAME_MS
            self._levels.append((at_ms, float(np.mean(frame**2))))
            self._frame(at_ms, frame, probability)

    def _frame(self, at_ms: int, frame: Sound, probability: float) -> None:
        if self.open is None:
            if probability < START:
                self._before.append(frame)
                return
            self.open = Stretch(at_ms - len(self._before) * FRAME_MS)
            for earlier in self._before:
                self.open.add(earlier, speech=False)
            self._before.clear()
            self._silent_ms = 0
        speech = probability >= STOP
        self.open.add(frame, speech=speech)
        self._silent_ms = 0 if speech else self._silent_ms + FRAME_MS
        if speech and self.open.is_speech:
            self.last_spoke_ms = at_ms
        if self._silent_ms >= MIN_SILENCE_MS or self.open.length_ms >= LONGEST_MS:
            self._close()

    def _close(self) -> None:
        assert self.open is not None
        self.open.closed = True
        if self.open.is_speech:
            self.closed.append(self.open)
        self.open = None
        self._silent_ms = 0
