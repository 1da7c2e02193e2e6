"""Processing of work items: find the speech in a track, transcribe a window. Independent of Celery."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from rooms.recording.tasks import is_our_folder
from transcripts.captions.state import is_busy
from transcripts.jobs import claims, results
from transcripts.jobs.ranges import transcribe_range
from transcripts.jobs.times import without_captions
from transcripts.models import RangeTranscript, TrackPlan, TranscriptionWindow
from transcripts.speech import audio, vad
from transcripts.speech.audio import Sound
from transcripts.speech.engine import Engine, EngineUnavailable, engine
from transcripts.speech.stitch import stitch
from transcripts.speech.windows import cut_out, pack, spans

log = logging.getLogger(__name__)

YIELDS = timedelta(hours=6)  # for which recordings wait for live captions


def run_items(worker: str, until: Callable[[], bool], get_engine: Callable[[], Engine] = engine) -> int:
    """Process items until none is free or `until()` is true; returns the number of attempts.

    Ranges of cases come first: a moderator waits for them. While somebody talks in a captioned room, recordings wait,
    but not longer than YIELDS. Claims nothing where RECORDINGS_DIR is another disk: files missing there must not count
    as failed attempts.
    """
    tried = 0
    if not is_our_folder():
        return tried
    while not until():
        before = timezone.now() - YIELDS if is_busy() else None
        by = ready(get_engine, claims.claimable(RangeTranscript).exists())
        if by and (asked := claims.claim(RangeTranscript, worker)):
            attempt(asked, lambda asked=asked, by=by: transcribe_range(asked, by))  # type: ignore[misc]
        elif plan := claims.claim(TrackPlan, worker, before):
            attempt(plan, lambda plan=plan: plan_track(plan))  # type: ignore[misc]
        elif (by := ready(get_engine, claims.claimable(TranscriptionWindow).exists())) and (
            window := claims.claim(TranscriptionWindow, worker, before)
        ):
            attempt(window, lambda window=window, by=by: transcribe_window(window, by))  # type: ignore[misc]
        else:
            break
        tried += 1
    return tried


def ready(get_engine: Callable[[], Engine], waited_for: bool) -> Engine | None:
    """Get the engine if an item waits for it, else None. Loading may outlast a lease, so this precedes the claim."""
    if not waited_for:
        return None
    try:
        return get_engine()
    except EngineUnavailable as trouble:
        log.error("Transcription waits: %s", trouble)
        results.record_trouble(str(trouble))
        return None


def attempt(item: claims.Item, work: Callable[[], None]) -> None:
    """Process a claimed item once, and record a failure.

    Raises only where the database is away (OperationalError, InterfaceError): no failed item stops the others.
    """
    try:
        try:
            work()
        except (claims.LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("%s %s, attempt %s", item._meta.verbose_name, item, item.attempts)
            results.record_failure(item, f"{type(error).__name__}: {error}")
    except claims.LeaseLost as lost:
        log.warning("Another worker has it now: %s", lost)


def track_path(plan: TrackPlan) -> Path:
    """Return the absolute path of a track; paths in the database are relative to RECORDINGS_DIR."""
    return Path(settings.RECORDINGS_DIR) / plan.file.path


def plan_track(plan: TrackPlan) -> None:
    """Find the speech in one track, block by block, and store its windows. Speech in times without captions gets none:
    for its words nobody listens but for a case. Raises LeaseLost, SoundUnreadable."""
    beat = claims.Heartbeat(plan)

    def beating(blocks: Iterator[Sound]) -> Iterator[Sound]:
        for block in blocks:
            beat()
            yield block

    probabilities = vad.probabilities(beating(audio.blocks(track_path(plan))))
    written, off = cut_out(spans(probabilities), without_captions(plan))
    results.save_plan(plan, list(pack(written)), off)


def transcribe_window(window: TranscriptionWindow, by: Engine) -> None:
    """Transcribe one window and store its cues. Raises LeaseLost, SoundUnreadable and the engine's errors."""
    started = time.monotonic()
    stretches = results.spans_of(window)
    beat = claims.Heartbeat(window)
    sound = audio.read_window(track_path(window.plan), stretches, beat)
    heard = by.transcribe(sound, window.plan.transcript.language, beat)
    lines = stitch(heard, stretches, window.plan.file.start_ms, window.plan.transcript.language)
    spent_ms = round((time.monotonic() - started) * 1000)
    results.save_window(window, lines, results.EngineVersion(by.model, by.version), spent_ms)
