"""Pieces of work for tests: an engine that does as it is told, and time that goes by."""

from collections.abc import Callable
from datetime import timedelta

from django.db.models.functions import Now

from transcripts.jobs.run import work_off
from transcripts.models import Piece, TrackPlan, Transcript, TranscriptionWindow
from transcripts.speech.audio import Sound
from transcripts.speech.engine import Beat
from transcripts.speech.stitch import Heard, Word


class Told:
    """An engine that says one word a second of sound, or raises what it is told to."""

    model = "told"
    version = "1"

    def __init__(self, *outcomes: BaseException | Callable[[], None] | None) -> None:
        self.outcomes = list(outcomes)
        self.calls = 0

    def hear(self, sound: Sound, language: str, beat: Beat) -> list[Heard]:
        outcome = self.outcomes.pop(0) if self.outcomes else None
        self.calls += 1
        beat()
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome is not None:
            outcome()
        seconds = len(sound) // 16_000
        return [
            Heard(tuple(Word(f" w{at}", at * 1000 + 100, at * 1000 + 900, 0.8) for at in range(seconds)), 0.0, -0.1)
        ]


def never() -> bool:
    return False


def transcript() -> Transcript:
    return Transcript.objects.get()


def let_leases_run_out() -> None:
    past = Now() - timedelta(seconds=1)
    TranscriptionWindow.objects.filter(state=Piece.State.RUNNING).update(lease_until=past)


def work_through(engine: Callable[[], Told]) -> None:
    """Work until nothing is left, as if the waits after failures were over each time."""
    while work_off("me", never, engine):
        for kind in (TrackPlan, TranscriptionWindow):
            kind._default_manager.update(next_at=None)
