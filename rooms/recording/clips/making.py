"""The worker's side of clips: cut one, draw it, and tell whose voice is in it.

One is made at a time, so that the other workers of the queue go on with recordings and purges. An attempt holds a lease
for longer than it may take, and works in a folder of its own; the file gets its name in the transaction that says that
it is ready. So nobody is given half of one, and a worker that was only slow finds another name in the row and stops.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import ngettext

from core.after_commit import after_commit
from core.batches import run_each
from ledger.actions import record
from people.models import User
from rooms.hooks import ClipText, clip_texts
from rooms.models import Clip, ClipVoice, Room
from rooms.recording import marker, store
from rooms.recording.clips import render
from rooms.recording.clips.picture import MOST_SPEAKERS, Picture, Speaker, ass
from rooms.recording.clips.voices import refused_by, voices_between
from rooms.recording.finishing import space
from rooms.rules.refusals import RoomRefused
from rooms.rules.restrictions import is_restricted, standing_restrictions
from rooms.wire.official_texts import CLIP
from social.actions.messages import send_official

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=4)  # longer than the task may take
TRIES = 3
PAUSE = timedelta(minutes=1)  # after a failed attempt, and while the disk is full
ONE_AT_A_TIME = 0x5354_434C  # "STCL": the advisory lock of workers that take up a clip
MOST_BYTES = 20_000_000  # of one clip: 90 seconds of still picture and sound have about two million
SUFFIXES = {Clip.Kind.VIDEO: ".mp4", Clip.Kind.SOUND: ".m4a"}
State = Clip.State


class Superseded(RuntimeError):
    """The attempt is not this worker's any more: the clip was taken back, or its room is purged."""


class Renamed(RuntimeError):
    """Somebody has another name than the one that was drawn."""


class Refuses(RuntimeError):
    """The clip cannot be made, by the code of a refusal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def make(pk: int) -> bool:
    """Make a clip that waits, or whose worker was killed. Returns whether it is ready now."""
    if why := marker.trouble():  # before `_claim` makes a folder on another disk
        log.warning("clip %d waits: %s", pk, why)
        return False
    clip = _claim(pk)
    if clip is None:
        return False
    scratch = scratch_of(clip)
    try:
        marker.check()
        space.check_reserve(MOST_BYTES)
        scratch.mkdir(mode=0o750)
        said = text_of(clip.room, clip.from_ms, clip.to_ms)
        voices = voices_between(clip.room, clip.from_ms, clip.to_ms, said)
        _check_voices(clip, voices)
        said = text_of(clip.room, clip.from_ms, clip.to_ms)  # again: no name in it is older than those of the voices
        _finish(clip, render_file(clip, said, voices, scratch), voices)
    except Superseded:
        log.info("clip %d goes on in another attempt, or is over", pk)
        return False
    except Exception as error:
        _failed(clip, error)
        if isinstance(error, SoftTimeLimitExceeded):
            raise
        return False
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        queue_next()
    return True


def text_of(room: Room, from_ms: int, to_ms: int) -> ClipText | None:
    """The words that are known to be said in a range; None where there are none."""
    found = (text_in(room, from_ms, to_ms) for text_in in clip_texts.values())
    return next((text for text in found if text is not None), None)


def queue_next() -> None:
    """Queue the clip that waits longest, if one is due and can be made now."""
    closed = Exists(standing_restrictions().filter(room=OuterRef("room")))
    can_be = _due().filter(room__purged_at=None).exclude(closed, ready_at__isnull=False)
    pk = can_be.order_by("next_at", "pk").values_list("pk", flat=True).first()
    if pk is not None:
        run_each([pk], queue, "queueing a clip")


def _due() -> QuerySet[Clip]:
    """Select clips whose next attempt is due, or whose worker was killed."""
    now = timezone.now()
    return Clip.objects.filter(Q(state=State.WAITING, next_at__lte=now) | Q(state=State.MAKING, lease_until__lte=now))


def queue(pk: int, seconds: float = 0) -> None:
    """Have a worker make a clip. One whose message is lost is queued again by the sweep."""
    from rooms.recording.tasks import make_clip

    make_clip.apply_async([pk], countdown=seconds)


def path_of(clip: Clip) -> Path:
    """Path of the file of a clip that is ready."""
    return store.clips_folder(clip.room_id) / clip.file


def scratch_of(clip: Clip) -> Path:
    """Folder in which an attempt works."""
    return store.clips_folder(clip.room_id) / f".{clip.file}"


def remove_file(room_pk: int, file: str) -> None:
    """Delete the file of a clip, or what an attempt at it left. Ignores what is not there; raises OSError."""
    if file:
        folder = store.clips_folder(room_pk)
        (folder / file).unlink(missing_ok=True)
        if (scratch := folder / f".{file}").exists():
            store.remove_folder(scratch)


def make_again(room_pk: int, voice: int | None = None) -> None:
    """Have the videos of a room made anew, or those with one person's voice, whose picture shows what has changed; in
    the caller's transaction, with the room locked. Until then nobody has them.

    Does not wait for a clip that is locked: as the room is, only the deletion of an account can hold it, which takes it
    back, and which may wait for an entry of the ledger that the caller has written.
    """
    clips = Clip.objects.select_for_update(no_key=True, skip_locked=True).filter(room=room_pk, kind=Clip.Kind.VIDEO)
    if voice is not None:
        clips = clips.filter(pk__in=ClipVoice.objects.filter(user=voice).values("clip"))
    for clip in clips.filter(state__in=[State.MAKING, State.READY]).order_by("pk"):
        after_commit(remove_file, room_pk, clip.file)
        _put_back(clip, attempts=0)
        after_commit(queue, clip.pk)


@transaction.atomic
def _claim(pk: int) -> Clip | None:
    """Take up a clip; None where it is over or not due yet, while a worker makes one, and once the room is purged. Puts
    one back that is made anew while its room is restricted, and any whose folder cannot be used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
    now = timezone.now()
    if Clip.objects.filter(state=State.MAKING, lease_until__gt=now).exists():
        return None
    room_pk = _due().filter(pk=pk).values_list("room", flat=True).first()
    room = None if room_pk is None else Room.objects.select_for_update(no_key=True).get(pk=room_pk)
    clip = _due().select_for_update(no_key=True).filter(pk=pk).first()
    if room is None or clip is None or room.purged_at is not None:
        return None
    try:
        remove_file(room.pk, clip.file)  # of a worker that was killed
        # While the room is locked no purge can have removed its folder: nothing makes it again later.
        store.clips_folder(room.pk).mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        log.warning("clip %d waits: %s", pk, error)
        _put_back(clip, clip.attempts, PAUSE)
        return None
    if clip.ready_at is not None and is_restricted(room):
        _put_back(clip, clip.attempts, PAUSE)
        return None
    if clip.attempts >= TRIES:
        refuse_clip(clip, "clip_failed")
        return None
    clip.room, clip.state, clip.attempts = room, State.MAKING, clip.attempts + 1
    clip.file, clip.lease_until = secrets.token_hex(16) + SUFFIXES[Clip.Kind(clip.kind)], now + LEASE
    clip.save()
    return clip


def render_file(clip: Clip, said: ClipText | None, voices: Sequence[User], scratch: Path) -> Path:
    """Make the file of a clip in a folder. Raises Refuses, RenderFailed, RoomRefused (unavailable)."""
    try:
        sound = render.cut_sound(clip.room, clip.from_ms, clip.to_ms, scratch)
    except render.NoSound:
        raise Refuses("clip_no_sound") from None
    if clip.kind == Clip.Kind.SOUND:
        return sound
    if lacking := render.missing_ffmpeg_parts():
        log.error("clips have no video: ffmpeg lacks %s", ", ".join(lacking))
        raise Refuses("clip_no_video")
    length_ms = clip.to_ms - clip.from_ms
    with translation.override(clip.room.language):
        more = len(voices) - MOST_SPEAKERS
        others = ngettext("and {number} more", "and {number} more", more).format(number=more) if more > 0 else ""
        picture = Picture(
            site=settings.SITE_NAME,
            title=clip.room.shown_title,
            speakers=[Speaker(user.pk, user.display_name, user.colour) for user in voices],
            others=others,
            lines=said.lines if said is not None else [],
            length_ms=length_ms,
        )
    return render.draw_video(ass(picture), length_ms, scratch)


@transaction.atomic
def _finish(clip: Clip, made: Path, voices: Sequence[User]) -> None:
    """Give the file its name and make the clip ready; tell each voice the first time, but for its maker. Raises
    Refuses, Renamed, Superseded."""
    content_sum, size = hashlib.sha256(made.read_bytes()).hexdigest(), made.stat().st_size
    row = _locked(clip)
    first, now = row.ready_at is None, timezone.now()
    if is_restricted(row.room):
        raise Refuses("recording_unavailable")
    if first and row.room.clips_off:  # one that was there stays with host and co-hosts
        raise Refuses("clips_off")
    if first and row.room.host.deleted_at is not None:
        raise Refuses("not_found")
    _check_voices(row, voices)
    row.state, row.why, row.lease_until, row.attempts = State.READY, "", None, 0
    row.size, row.sha256, row.ready_at = size, content_sum, row.ready_at or now
    row.save()
    told = set(row.voices.values_list("user_id", flat=True))
    new = [user for user in voices if user.pk not in told]
    ClipVoice.objects.bulk_create(ClipVoice(clip=row, user=user) for user in new)
    # Now none of these accounts is deleted before the commit, and a deletion after it finds the clip.
    named = dict(User.objects.filter(pk__in=[user.pk for user in voices]).values_list("pk", "display_name"))
    if any(named[user.pk] != user.display_name for user in voices):
        raise Renamed(f"a name in clip {row.pk} changed while it was made")
    reached = [user for user in new if user.pk != row.maker_id and user.deleted_at is None]
    send_official(reached, CLIP, {"clip": row.pk})
    made.rename(path_of(row))
    if first:
        values = {"clip": row.pk, "kind": row.kind, "from": row.from_ms, "to": row.to_ms, "sha256": content_sum}
        record("clip_made", f"room:{row.room_id}", row.maker_id, {**values, "voices": len(voices)})


def _check_voices(clip: Clip, voices: Sequence[User]) -> None:
    """Raise Refuses where a voice does not want the clip. One that is made anew is not asked about again: whoever was
    told of it takes it back where they do not want it."""
    told = set(clip.voices.values_list("user_id", flat=True))
    if refused_by(clip.room, clip.from_ms, clip.to_ms, [user for user in voices if user.pk not in told]):
        raise Refuses("clip_voice")


@transaction.atomic
def _failed(clip: Clip, error: Exception) -> None:
    """Say why it cannot be made, or try again later; after TRIES attempts, which a full disk is none of, it failed."""
    try:
        row = _locked(clip)
    except Superseded:
        return
    after_commit(remove_file, row.room_id, row.file)
    closed = isinstance(error, Refuses) and error.code == "recording_unavailable" and row.ready_at is not None
    if closed or space.is_full(error) or isinstance(error, (marker.OtherFolder, RoomRefused, Renamed)):
        log.warning("clip %d waits: %s", row.pk, error)
        _put_back(row, attempts=row.attempts - 1, pause=PAUSE)
    elif isinstance(error, Refuses):
        refuse_clip(row, error.code)
    else:
        log.error("clip %d failed", row.pk, exc_info=error)
        refuse_clip(row, "clip_failed") if row.attempts >= TRIES else _put_back(row, row.attempts, PAUSE)


def _locked(clip: Clip) -> Clip:
    """Lock and return the room and the row of an attempt. Raises Superseded."""
    room = Room.objects.select_for_update(no_key=True).get(pk=clip.room_id)
    rows = Clip.objects.select_for_update(no_key=True).filter(pk=clip.pk, state=State.MAKING, file=clip.file)
    row = rows.first()
    if row is None or room.purged_at is not None:
        raise Superseded
    row.room = room
    return row


def _put_back(clip: Clip, attempts: int, pause: timedelta = timedelta(0)) -> None:
    """Let a clip wait for a worker, without what an attempt left in its row."""
    clip.state, clip.attempts, clip.next_at = State.WAITING, attempts, timezone.now() + pause
    clip.file, clip.lease_until = "", None
    clip.save()


def refuse_clip(clip: Clip, code: str) -> None:
    """Say that a clip cannot be made, and why."""
    clip.state, clip.why, clip.file, clip.lease_until = State.REFUSED, code, "", None
    clip.save()
