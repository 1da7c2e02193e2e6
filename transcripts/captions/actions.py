"""Actions of live captions: lease a room, show a line and keep what is confirmed of it, tell how captions are written.

A process writes a room's lines under the token of its lease. One that was taken for dead changes and shows nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from core import bus
from core.text import nfc
from people.models import User
from rooms import channels
from rooms.models import CaptionsOff, Room, Seat
from rooms.wire.events import CaptionsLevel, encode
from rooms.wire.sides import tell_host_side
from transcripts.captions import state, wire
from transcripts.captions.consent import is_heard, may_caption
from transcripts.hooks import line_confirmed
from transcripts.models import CaptionedRoom, LiveLine
from transcripts.speech.stitch import SHORTEST_MS, Word

LEASE = timedelta(seconds=6)


class LeaseLost(Exception):
    """Another process writes the captions of this room."""


class NotShown(Exception):
    """A person's words may not be shown, or not any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on a room under its fencing token."""

    room_pk: int
    token: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line by one person: words that are confirmed, and what may come next. `at` is its beginning in room time."""

    number: int
    words: tuple[Word, ...]
    draft: str
    at: int
    final: bool


def workers() -> list[str]:
    """Return the processes that have leases now."""
    return list(CaptionedRoom.objects.filter(lease_until__gte=Now()).order_by().values_list("worker", flat=True))


def held_rooms(dead: Collection[str] = ()) -> int:
    """Count the leases that processes have now. `dead` as in free_rooms."""
    return CaptionedRoom.objects.filter(lease_until__gte=Now()).exclude(worker__in=dead).count()


def free_rooms(dead: Collection[str] = ()) -> list[int]:
    """Return the keys of live rooms with transcription that no process writes captions of, the oldest first. `dead` are
    processes that are known to have ended: their leases count for nothing."""
    held = CaptionedRoom.objects.filter(lease_until__gte=Now()).exclude(worker__in=dead).values("room")
    live = Room.objects.filter(status=Room.Status.LIVE, transcription=True, purged_at=None).exclude(pk__in=held)
    return list(live.order_by("started_at", "pk").values_list("pk", flat=True))


@transaction.atomic
def claim_room(room_pk: int, worker: str, dead: Collection[str] = ()) -> Claim | None:
    """Take the lease on a room; None where another process has it or the room is not live. `dead` as in free_rooms."""
    if not Room.objects.filter(pk=room_pk, status=Room.Status.LIVE, transcription=True).exists():
        return None
    CaptionedRoom.objects.get_or_create(room_id=room_pk, defaults={"lease_until": timezone.now() - LEASE})
    free = CaptionedRoom.objects.filter(Q(lease_until__lt=Now()) | Q(worker__in=dead), room=room_pk)
    if not free.update(token=F("token") + 1, worker=worker[:80], lease_until=Now() + LEASE):
        return None
    return Claim(room_pk, CaptionedRoom.objects.values_list("token", flat=True).get(room=room_pk))


def renew(claim: Claim) -> bool:
    """Renew a lease; false where another process has the room now. One that ran out unnoticed is renewed too."""
    held = CaptionedRoom.objects.filter(room=claim.room_pk, token=claim.token)
    return bool(held.update(lease_until=Now() + LEASE))


def release(claim: Claim) -> None:
    """Give a room back, so that another process can take it at once."""
    CaptionedRoom.objects.filter(room=claim.room_pk, token=claim.token).update(lease_until=Now() - LEASE)


@transaction.atomic
def next_number(claim: Claim) -> int:
    """Return the number of a new line; none is given twice, whether or not anything of the line is kept. Raises
    LeaseLost."""
    held = _held(claim)
    held.next_line += 1
    held.save(update_fields=["next_line"])
    return held.next_line - 1


def keep_line(claim: Claim, speaker: User, line: Line) -> None:
    """Keep the confirmed words of a line, and show it in the room. Raises LeaseLost, NotShown, and ValueError where
    words that were confirmed would change."""
    with transaction.atomic():
        _held(claim)
        handle = _shown_handle(claim.room_pk, speaker)
        words = [[nfc(word.text.strip()), word.start_ms, word.end_ms] for word in line.words]
        row = LiveLine.objects.filter(room=claim.room_pk, line=line.number).first()
        row = row or LiveLine(room_id=claim.room_pk, line=line.number, speaker=speaker, words=[])
        if row.speaker_id != speaker.pk or row.words != words[: len(row.words)] or (row.final and row.words != words):
            raise ValueError(f"line {line.number} of room {claim.room_pk} was confirmed otherwise")
        grown = len(words) > len(row.words)
        row.words, row.final = words, line.final
        row.started_ms = max(0, line.at)
        row.ended_ms = max(row.started_ms + SHORTEST_MS, *(word.end_ms for word in line.words))
        row.save()
        message = wire.caption(handle, line.number, line.words, line.draft, at=line.at, final=line.final)
        _publish_later(claim.room_pk, message)
        if grown:
            transaction.on_commit(lambda: _tell_of(row), robust=True)


def show_draft(claim: Claim, speaker: User, line: Line) -> None:
    """Show a line with a new draft; nothing of it is kept. Raises LeaseLost, NotShown."""
    _check(claim)
    handle = _shown_handle(claim.room_pk, speaker)
    message = wire.caption(handle, line.number, line.words, line.draft, at=line.at, final=line.final)
    _publish_later(claim.room_pk, message)


def _held(claim: Claim) -> CaptionedRoom:
    """Lock the lease of a claim; nobody takes the room until the transaction ends. Raises LeaseLost."""
    held = CaptionedRoom.objects.select_for_update().filter(room=claim.room_pk, token=claim.token).first()
    if held is None:
        raise LeaseLost(f"room {claim.room_pk}, claim {claim.token}")
    return held


def _check(claim: Claim) -> None:
    """Raise LeaseLost where another process has the room."""
    if not CaptionedRoom.objects.filter(room=claim.room_pk, token=claim.token).exists():
        raise LeaseLost(f"room {claim.room_pk}, claim {claim.token}")


def _shown_handle(room_pk: int, speaker: User) -> str:
    """Return the handle that this person has now. Raises NotShown unless the room is live and they speak in it, or left
    the stage just now by themselves (`consent.is_heard`)."""
    seats = Seat.objects.select_related("room", "user").filter(room=room_pk, user=speaker)
    seat = seats.order_by("-taken_at", "-pk").first()
    if seat is None or seat.room.status != Room.Status.LIVE or seat.room.purged_at is not None:
        raise NotShown(f"room {room_pk} is over, or this person never spoke in it")
    if not is_heard(seat):
        raise NotShown(f"account {speaker.pk} is not on the stage of room {room_pk}")
    if not may_caption(seat.room, speaker):
        raise NotShown(f"account {speaker.pk} does not want captions in room {room_pk}")
    return seat.user.handle


def tell_state(claim: Claim, level: CaptionsLevel, without: Sequence[str], *, changed: Sequence[str | None]) -> None:
    """Say how the captions of a room are written. `changed` are whose state is new: handles, None for the room. Raises
    LeaseLost."""
    _check(claim)
    state.set_room_state(claim.room_pk, level, without)
    for person in changed:
        now: CaptionsLevel = level if person is None else "off" if person in without else "on"
        _publish_later(claim.room_pk, wire.captions_state(now, person))


def tell_language(room: Room, heard: str) -> None:
    """Tell the host's side that another language is heard than the room's."""
    tell_host_side(room, wire.caption_language(room.slug, heard, room.language))


def last_lines(room_pk: int) -> list[LiveLine]:
    """Return the last lines of a room, oldest first; none of people who want no captions now."""
    off = CaptionsOff.objects.filter(room=room_pk, user__isnull=False, until=None).values("user")
    rows = LiveLine.objects.select_related("speaker").filter(room=room_pk).exclude(speaker__in=off).order_by("-line")
    return list(rows[: wire.SHOWN_LINES])[::-1]


def _tell_of(row: LiveLine) -> None:
    """Let apps above see words that were confirmed; captions go on whatever comes of it."""
    for take in line_confirmed.values():
        take(row)


def _publish_later(room_pk: int, message: object) -> None:
    text = encode(message)
    transaction.on_commit(lambda: bus.publish(channels.room_channel(room_pk), text), robust=True)
