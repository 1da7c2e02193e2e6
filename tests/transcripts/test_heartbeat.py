"""A slow worker keeps its piece, a hung one does not: the lease follows the work, not the clock and not one step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as configured
from django.db import connection

from tests.support import recordings, sounds
from tests.support.people import person
from tests.support.waiting import wait_until
from transcripts import actions
from transcripts.jobs import claims, results
from transcripts.jobs.run import attempt, transcribe_window
from transcripts.models import Cue, TrackPlan, TranscriptionWindow, WorkItem
from transcripts.speech.audio import Sound
from transcripts.speech.engine import Beat
from transcripts.speech.stitch import SpeechSegment, Word
from transcripts.speech.windows import Span

if TYPE_CHECKING:
    from transcripts.speech.whisper_engine import WhisperEngine

pytestmark = pytest.mark.django_db(transaction=True)
LEASE = 5  # seconds; a part of Whisper takes a tenth of one, on a busy machine two


class Hanging:
    """An engine with a step that goes on until something happened elsewhere."""

    model, version = "hanging", "1"

    def __init__(self, until: Callable[[], object]) -> None:
        self.until = until

    def transcribe(self, sound: Sound, language: str, beat: Beat) -> list[SpeechSegment]:
        beat()
        wait_until(self.until, 60, "the loss of the lease")
        return [SpeechSegment((Word(" done", 100, 900, 0.9),), 0.0, -0.1)]


@pytest.fixture
def whisper() -> WhisperEngine:
    """Loaded before a window is claimed, as workers do."""
    from transcripts.speech.whisper_engine import WhisperEngine

    return WhisperEngine("tiny.en", configured.WHISPER_MODEL_DIR, 180)


def claimed_window() -> TranscriptionWindow:
    """One window of one clip, claimed by "slow"."""
    host = person("hanna")
    recording = recordings.ended_recording(host)
    sound = sounds.clip(sounds.CLIPS[0])
    recordings.lay_track(recording, recordings.sat_until_the_end(recording, host, 0), sound)
    actions.request_transcript(recording)
    plan = claims.claim(TrackPlan, "planner")
    assert plan is not None
    results.save_plan(plan, [(Span(0, len(sound) // 16),)])
    claimed = claims.claim(TranscriptionWindow, "slow")
    assert claimed is not None
    return claimed


@contextmanager
def rival() -> Generator[list[int]]:
    """Another worker that takes what it can get, thirty times a second: the claims it got."""
    taken: list[int] = []
    over = threading.Event()

    def greedy() -> None:
        try:
            while not over.wait(0.03):
                if window := claims.claim(TranscriptionWindow, "rival"):
                    taken.append(window.token)
        finally:
            connection.close()

    thread = threading.Thread(target=greedy)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def test_a_step_that_hangs_loses_the_lease_and_writes_nothing(settings: Any) -> None:
    settings.SPEECH_LEASE_SECONDS = 2
    window = claimed_window()
    with rival() as taken:
        attempt(window, lambda: transcribe_window(window, Hanging(lambda: taken)))
    assert taken[:1] == [2]  # a rival that gives no sign of life either may lose it to itself
    window.refresh_from_db()
    assert (window.state, window.worker) == (WorkItem.State.RUNNING, "rival") and not Cue.objects.exists()


def test_whisper_on_a_machine_so_slow_that_a_layer_outlasts_the_lease(whisper: WhisperEngine, settings: Any) -> None:
    """Real weights and sound; the parts of a layer are held up, so that the layer takes longer than a lease."""
    settings.SPEECH_LEASE_SECONDS = LEASE
    window = claimed_window()
    parts = [part for part in whisper._whisper.encoder.blocks[0].modules() if not list(part.children())]
    pause = 1.4 * LEASE / len(parts)
    for part in parts:
        part.register_forward_hook(lambda *_given: time.sleep(pause))
    assert pause < LEASE / 4 and len(parts) * pause > LEASE
    with rival() as taken:
        attempt(window, lambda: transcribe_window(window, whisper))
    assert taken == []
    window.refresh_from_db()
    assert (window.state, window.token, window.worker) == (WorkItem.State.DONE, 1, "slow")
    assert window.spent_ms > LEASE * 1000
    said = sounds.plain_words(" ".join(Cue.objects.order_by("start_ms").values_list("text", flat=True)))
    assert sounds.word_error_rate(sounds.WORDS[sounds.CLIPS[0]].split(), said) < 0.2
