"""A stretch of somebody's speech, from a pause to the next one, and what was heard in it so far. Pure.

Times are ms of room time. Sound before words that are certain is given up where the stretch gets long: every hearing
costs as much as the sound it is given, and Whisper takes 30 seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transcripts.captions.words import ENDS, Agreement, shifted
from transcripts.speech.audio import RATE, Sound
from transcripts.speech.stitch import Word

PER_MS = RATE // 1000  # samples
LONG_MS = 12_000  # of sound, beyond which what is certain is given up
LONGEST_MS = 26_000  # of sound that is heard at once; then the stretch ends, in the middle of a word if it must
MIN_SPEECH_MS = 192  # less is a click or a cough
OVERLAP_WORDS = 2  # certain words whose sound is kept, so that the next one does not begin out of nothing
HEARD_OUT_MS = 100  # of silence behind the last word, with which a hearing had all of it
BEHIND_MS = 400  # after the end of speech, beyond which a word is invented


class Stretch:
    """Sound of one stretch, and the words in it."""

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms  # of the sound that is still here
        self.speech_ms = 0
        self.speech_end_ms = start_ms
        self.heard_ms = start_ms  # up to where it was heard
        self.closed = False
        self.language_ms = 0  # of speech whose language is known
        self.due_since: float | None = None  # when it came to be worth hearing, on the caller's clock
        self.agreement = Agreement()
        self._parts: list[Sound] = []
        self._samples = 0
        self._given_up = 0  # certain words whose sound is not here any more

    @property
    def end_ms(self) -> int:
        return self.start_ms + self._samples // PER_MS

    @property
    def length_ms(self) -> int:
        return self._samples // PER_MS

    @property
    def sound(self) -> Sound:
        """The sound that is still here, in one piece."""
        if len(self._parts) != 1:
            self._parts = [np.concatenate(self._parts) if self._parts else np.zeros(0, np.float32)]
        return self._parts[0]

    @property
    def said(self) -> tuple[Word, ...]:
        """Certain words of the sound that is still here; times are ms of that sound."""
        return shifted(self.agreement.confirmed[self._given_up :], -self.start_ms)

    @property
    def is_speech(self) -> bool:
        """Whether it has been speech for long enough to be more than a click."""
        return self.speech_ms >= MIN_SPEECH_MS

    @property
    def heard_out(self) -> bool:
        """Whether the last hearing had everything that was said, or nothing is left of it to be heard."""
        return self.length_ms == 0 or self.heard_ms >= self.speech_end_ms + HEARD_OUT_MS

    def add(self, sound: Sound, *, speech: bool) -> None:
        """Append sound."""
        self._parts.append(sound)
        self._samples += len(sound)
        if speech:
            self.speech_ms += len(sound) // PER_MS
            self.speech_end_ms = self.end_ms

    def take(self, heard: Sequence[Word], until_ms: int, *, final: bool) -> tuple[Word, ...]:
        """Take what was heard after the certain words, in ms of the sound; returns the words that are certain now.

        Words behind the end of speech are left out: nobody said them.
        """
        placed = shifted(heard, self.start_ms)
        spoken = tuple(word for word in placed if word.start_ms < self.speech_end_ms + BEHIND_MS)
        before = len(self.agreement.confirmed)
        self.agreement = self.agreement.finished(spoken) if final else self.agreement.heard(spoken)
        self.heard_ms = until_ms
        self._give_up()
        return self.agreement.confirmed[before:]

    def finish(self) -> tuple[Word, ...]:
        """Take the draft for certain, where the last hearing had everything; returns the words that are certain now."""
        before = len(self.agreement.confirmed)
        self.agreement = self.agreement.finished(self.agreement.draft)
        return self.agreement.confirmed[before:]

    def forget(self, until_ms: int) -> None:
        """Give up the sound until this time, and the words that are not certain: they are of somebody else."""
        self._drop((until_ms - self.start_ms) * PER_MS)
        self._given_up = len(self.agreement.confirmed)
        self.agreement = Agreement(self.agreement.confirmed)
        self.heard_ms = until_ms

    def _give_up(self) -> None:
        """Give up the sound of certain words where the stretch is long: at the end of a sentence if there is one."""
        here = self.agreement.confirmed[self._given_up :]
        if self.length_ms <= LONG_MS or len(here) <= OVERLAP_WORDS:
            return
        ends = [place for place, word in enumerate(here, 1) if word.text.strip().endswith(ENDS)]
        keep_from = ends[-1] if ends and here[ends[-1] - 1].end_ms > self.start_ms + LONG_MS // 3 else 0
        keep_from = keep_from or len(here) - OVERLAP_WORDS
        self._drop((here[keep_from - 1].end_ms - self.start_ms) * PER_MS)
        self._given_up += keep_from

    def _drop(self, samples: int) -> None:
        samples = max(0, min(samples, self._samples)) // PER_MS * PER_MS
        self._parts = [self.sound[samples:]]
        self._samples -= samples
        self.start_ms += samples // PER_MS
