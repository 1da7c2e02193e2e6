"""Doing the pieces of work: look a track through for speech, hear a window. Knows nothing of queues."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError

from rooms.recording.tasks import is_our_folder
from transcripts.jobs import claims, results
from transcripts.models import TrackPlan, TranscriptionWindow
from transcripts.speech import audio, vad
from transcripts.speech.audio import Sound
from transcripts.speech.engine import Engine, EngineUnavailable, engine
from transcripts.speech.stitch import stitch
from transcripts.speech.windows import pack, spans

log = logging.getLogger(__name__)


def work_off(worker: str, until: Callable[[], bool], get_engine: Callable[[], Engine] = engine) -> int:
    """Do one piece after the other until none is free or `until` says so; returns how many were tried.

    On a disk without our recordings nothing is claimed: a file that is missing there is no failure of the piece.
    """
    tried = 0
    if not is_our_folder():
        return tried
    while not until():
        if plan := claims.claim(TrackPlan, worker):
            attempt(plan, lambda plan=plan: plan_track(plan))  # type: ignore[misc]
        elif (by := ready(get_engine)) and (window := claims.claim(TranscriptionWindow, worker)):
            attempt(window, lambda window=window, by=by: hear_window(window, by))  # type: ignore[misc]
        else:
            break
        tried += 1
    return tried


def ready(get_engine: Callable[[], Engine]) -> Engine | None:
    """The engine, if there is anything for it to do. Loaded before a window is claimed: that may outlast a lease."""
    if not claims.free(TranscriptionWindow).exists():
        return None
    try:
        return get_engine()
    except EngineUnavailable as trouble:
        log.error("Transcription waits: %s", trouble)
        results.stuck(str(trouble))
        return None


def attempt(piece: TrackPlan | TranscriptionWindow, work: Callable[[], None]) -> None:
    """Try a claimed piece once. A bad piece never stops the others, also one that the database refuses; a database that
    is away stops everything."""
    try:
        try:
            work()
        except (claims.LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("%s %s, attempt %s", piece._meta.verbose_name, piece, piece.attempts)
            results.failed(piece, f"{type(error).__name__}: {error}")
    except claims.LeaseLost as lost:
        log.warning("Another worker has it now: %s", lost)


def track_path(plan: TrackPlan) -> Path:
    """Where a track lies: the database keeps paths below RECORDINGS_DIR."""
    return Path(settings.RECORDINGS_DIR) / plan.file.path


def plan_track(plan: TrackPlan) -> None:
    """Find who-speaks-when in one track, block by block, and store it as windows."""
    beat = claims.Heartbeat(plan)

    def beating(blocks: Iterator[Sound]) -> Iterator[Sound]:
        for block in blocks:
            beat()
            yield block

    probabilities = vad.probabilities(beating(audio.blocks(track_path(plan))))
    results.save_plan(plan, list(pack(spans(probabilities))))


def hear_window(window: TranscriptionWindow, by: Engine) -> None:
    """Turn one window into cues."""
    started = time.monotonic()
    stretches = results.spans_of(window)
    beat = claims.Heartbeat(window)
    sound = audio.read(track_path(window.plan), stretches, beat)
    heard = by.hear(sound, window.plan.transcript.language, beat)
    lines = stitch(heard, stretches, window.plan.file.start_ms)
    spent_ms = round((time.monotonic() - started) * 1000)
    results.save_window(window, lines, results.EngineVersion(by.model, by.version), spent_ms)
