"""Transcription of a range for a case: each speaker's sound is cut from the tracks, also while the room is live, and
goes through the same steps as an ended room's. Independent of Celery."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rooms.recording import store
from rooms.recording.range_tracks import TrackPart, track_parts
from transcripts.jobs.claims import MAX_ATTEMPTS, Heartbeat, LeaseLost
from transcripts.jobs.range_results import SpeakerDraft, save_range
from transcripts.models import RangeTranscript
from transcripts.speech import audio, vad
from transcripts.speech.audio import Sound, SoundUnreadable
from transcripts.speech.engine import Engine
from transcripts.speech.stitch import CueDraft, stitch
from transcripts.speech.windows import Span, Window, pack, spans

MARGIN_MS = 1000  # heard on both sides of a range, so that its first and its last word are whole
_PER_MS = audio.RATE // 1000  # samples


def transcribe_range(item: RangeTranscript, by: Engine) -> None:
    """Transcribe a range, speaker by speaker, and store its lines. A track that stays unreadable is left out and named.

    Raises LeaseLost, SoundUnreadable and the engine's errors.
    """
    room = item.room
    if room.purged_at is not None:
        raise LeaseLost(f"the copy of room {room.pk} is purged")
    beat = Heartbeat(item)
    start_ms, end_ms = max(0, item.from_ms - MARGIN_MS), item.to_ms + MARGIN_MS
    drafts: list[SpeakerDraft] = []
    unreadable: list[str] = []
    with _scratch_folder(item) as scratch:
        parts: dict[int, list[TrackPart]] = defaultdict(list)
        for part in track_parts(room, start_ms, end_ms, scratch):
            beat()
            parts[part.user_pk].append(part)
        for speaker_pk, own in parts.items():
            try:
                sound = speaker_sound(own, start_ms, end_ms, beat)
            except SoundUnreadable as error:
                unreadable.append(str(error))
                continue
            lines = spoken_lines(sound, start_ms, room.language, by, beat)
            inside = (line for line in lines if line.end_ms > item.from_ms and line.start_ms < item.to_ms)
            drafts += [SpeakerDraft(speaker_pk, line) for line in inside]
    missing = "; ".join(unreadable)
    if missing and (item.attempts < MAX_ATTEMPTS or not drafts):
        raise SoundUnreadable(missing)
    save_range(item, drafts, missing)


@contextmanager
def _scratch_folder(item: RangeTranscript) -> Iterator[Path]:
    """Make a folder for cut tracks in the room's, which a purge removes as a whole; it makes no room's folder again.

    A worker that was killed leaves its own; the next attempt begins with an empty one."""
    folder = store.folder(item.room_id) / f".range-{item.pk}-{item.token}"
    for left in folder.parent.glob(f".range-{item.pk}-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(mode=0o750)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def speaker_sound(parts: Sequence[TrackPart], start_ms: int, end_ms: int, beat: Callable[[], None]) -> Sound:
    """Decode one speaker's parts between two room times; silence where there is none. Raises SoundUnreadable."""
    sound = np.zeros((end_ms - start_ms) * _PER_MS, np.float32)
    for part in parts:
        skipped_ms = max(0, round(start_ms - part.start_ms))
        at = max(0, round((part.start_ms - start_ms) * _PER_MS))
        for block in audio.blocks(part.path, skipped_ms, end_ms - start_ms):
            beat()
            kept = block[: max(0, len(sound) - at)]
            sound[at : at + len(kept)] = kept
            at += len(kept)
    return sound


def spoken_lines(
    sound: Sound, start_ms: int, language: str, by: Engine, beat: Callable[[], None]
) -> Iterator[CueDraft]:
    """Yield the lines in a speaker's sound, which begins at `start_ms` of room time."""

    def blocks() -> Iterator[Sound]:
        for at in range(0, len(sound), audio.BLOCK):
            beat()
            yield sound[at : at + audio.BLOCK]

    for window in pack(spans(vad.probabilities(blocks()))):
        heard = by.transcribe(_window_sound(sound, window), language, beat)
        yield from stitch(heard, window, start_ms, language)


def _window_sound(sound: Sound, window: Window) -> Sound:
    """Lay the spans of a window end to end, each padded to its exact length."""

    def piece(span: Span) -> Sound:
        found = sound[span.start_ms * _PER_MS : span.end_ms * _PER_MS]
        return np.pad(found, (0, span.length_ms * _PER_MS - len(found)))

    return np.concatenate([piece(span) for span in window])
