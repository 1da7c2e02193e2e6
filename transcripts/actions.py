"""Actions on transcripts: request one, correct a line, retry failures."""

import logging

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core.text import Text
from ledger.actions import record
from people.models import User
from rooms.models import Recording, RecordingFile, Room
from rooms.rules.roles import role_in
from transcripts.jobs.results import refresh_transcript
from transcripts.models import Cue, LiveLine, TrackPlan, Transcript, TranscriptionWindow, WorkItem
from transcripts.permissions import may_correct
from transcripts.refusals import TranscriptRefused

log = logging.getLogger(__name__)
CUE_TEXT = Text(1000)


@transaction.atomic
def request_transcript(recording: Recording) -> Transcript:
    """Get or create the transcript of a recording and plan its tracks. Safe to repeat.

    Its state is `off` where transcription was switched off for the room: then nothing takes the place of live captions,
    which go at once.
    """
    room = recording.room
    state = Transcript.State.WAITING if room.transcription else Transcript.State.OFF
    transcript, new = Transcript.objects.get_or_create(room=room, defaults={"language": room.language, "state": state})
    transcript = Transcript.objects.select_for_update().get(pk=transcript.pk)
    if transcript.state == Transcript.State.OFF:
        LiveLine.objects.filter(room=room).delete()
        return transcript
    known = set(transcript.plans.values_list("file_id", flat=True))
    tracks = recording.files.filter(kind=RecordingFile.Kind.TRACK).exclude(pk__in=known).order_by("start_ms", "pk")
    added = TrackPlan.objects.bulk_create(TrackPlan(transcript=transcript, file=file) for file in tracks)
    if added:
        _reopen(transcript)
        _wake_on_commit()
    elif new:
        refresh_transcript(transcript.pk)  # no track at all: ready, and empty
    return transcript


def _reopen(transcript: Transcript) -> None:
    transcript.state, transcript.finished_at, transcript.told_at = Transcript.State.WAITING, None, None
    transcript.save(update_fields=["state", "finished_at", "told_at"])


def _wake_on_commit() -> None:
    """Wake a worker after the commit; if the queue is down, the next `requeue` does it."""
    from transcripts.tasks import work

    transaction.on_commit(lambda: work.delay(), robust=True)


@transaction.atomic
def correct_cue(room: Room, cue_pk: int, by: User, text: str | None) -> Cue:
    """Store a host's or co-host's correction beside the machine's text; None removes it.

    Refuses with not_host, unknown_cue, captions_off, empty_text, text_too_long, or bad_text with the reasons in
    `fields`.
    """
    if code := may_correct(role_in(by, room)):
        raise TranscriptRefused(code)
    cue = (
        Cue.objects.select_for_update(of=("self",))
        .select_related("seat__user")
        .filter(pk=cue_pk, transcript__room=room)
        .first()
    )
    if cue is None:
        raise TranscriptRefused("unknown_cue")
    if cue.kind == Cue.Kind.OFF:
        raise TranscriptRefused("captions_off")
    corrected = None if text is None else _corrected(text)
    cue.corrected_text = corrected
    cue.corrected_by, cue.corrected_at = (None, None) if corrected is None else (by, timezone.now())
    cue.save(update_fields=["corrected_text", "corrected_by", "corrected_at"])
    return cue


def _corrected(text: str) -> str:
    if not text.strip():
        raise TranscriptRefused("empty_text")
    try:
        return CUE_TEXT.clean(text)
    except ValidationError as error:
        code = {"too_long": "text_too_long", "nothing": "empty_text"}.get(str(error.code), "bad_text")
        raise TranscriptRefused(code, {"text": " ".join(error.messages)}) from error


@transaction.atomic
def retry_transcript(room: Room, by: User | None, *, as_staff: bool = False) -> Transcript:
    """Reset everything that failed, so that it is transcribed again.

    `by` is the host or a co-host; with `as_staff` a member of staff, or None for a management command. Refuses with
    not_host, no_transcript, nothing_failed.
    """
    if as_staff:
        if by is not None and not by.has_perm("transcripts.retry_transcript"):
            raise TranscriptRefused("not_host")
    elif code := "not_host" if by is None else may_correct(role_in(by, room)):
        raise TranscriptRefused(code)
    transcript = Transcript.objects.select_for_update().filter(room=room).first()
    if transcript is None:
        raise TranscriptRefused("no_transcript")
    afresh = {"state": WorkItem.State.WAITING, "attempts": 0, "next_at": None, "error": "", "spent_ms": 0}
    plans = transcript.plans.filter(state=WorkItem.State.FAILED)
    windows = TranscriptionWindow.objects.filter(plan__transcript=transcript, state=WorkItem.State.FAILED)
    windows = windows.exclude(plan__in=plans)
    changed = windows.update(**afresh)
    del afresh["spent_ms"]
    TranscriptionWindow.objects.filter(plan__in=plans).delete()
    changed += plans.update(**afresh)
    if not changed:
        raise TranscriptRefused("nothing_failed")
    _reopen(transcript)
    refresh_transcript(transcript.pk)
    _wake_on_commit()
    if as_staff:
        record("transcript_retried", f"room:{room.pk}", None if by is None else by.pk, {"pieces": changed})
    return transcript
