"""Reactions: counted in Redis, because the audience is not in the lock, and written to PostgreSQL by the clock."""

from __future__ import annotations

import logging
from collections import Counter

from django.db import connection, transaction
from redis.exceptions import RedisError

from core import bus
from core.batches import run_each
from rooms import channels, reactions
from rooms.models import Recording, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_who
from rooms.rules.identity import Who
from rooms.rules.reactions import has_tone, second_of
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import encode

log = logging.getLogger(__name__)

# A row that this batch was added to already stays as it is: the process was killed before it could say so.
_ADD = """
INSERT INTO rooms_reactioncount AS kept (room_id, second, kind, count, batch)
SELECT %s, added.second, added.kind, added.count, %s
FROM unnest(%s::integer[], %s::text[], %s::integer[]) AS added (second, kind, count)
ON CONFLICT (room_id, second, kind) DO UPDATE SET count = kept.count + excluded.count, batch = excluded.batch
WHERE kept.batch <> excluded.batch
"""


def react(room: Room, who: Who, kind: str, tone: int = 0, behind: int = 0) -> None:
    """React with an emoji; `behind` is by how many seconds this person hears the room late.

    Everybody in the room sees it with the next tick. Raises bad_value for a tone that the kind has not, room_ended,
    unavailable, and the codes of entry.
    """
    check_tone(kind, tone)
    refuse(permissions.may_react(facts_of_who(room, who)))
    try:
        reactions.count(room.pk, second_of(room.room_time(), behind), kind, tone)
    except RedisError as error:
        log.warning("a reaction is lost, Redis is away: %s", error)
        raise RoomRefused("unavailable") from error


def check_tone(kind: str, tone: int) -> None:
    """Raise bad_value for a tone that a kind has not."""
    if not has_tone(kind, tone):
        raise RoomRefused("bad_value", {"tone": "0"})


def keep_reactions() -> int:
    """Write the reactions that wait in Redis; returns of how many rooms. Safe to run concurrently.

    Also takes, and publishes, what no web process took: it was killed, or everybody has left.
    """
    try:
        run_each(reactions.due(), _publish, "the last reactions of a room")
        return run_each(reactions.waiting(), _keep, "the reactions of a room")
    except RedisError as error:
        log.warning("no reactions are written, Redis is away: %s", error)
        return 0


def _publish(room_pk: int) -> None:
    if counts := reactions.take(room_pk):
        bus.publish(channels.room_channel(room_pk), encode({"type": "reactions", "counts": counts}))


def _keep(room_pk: int) -> None:
    """Write one batch of a room, exactly once.

    The recording's row is locked before the batch is read: no two processes have one at the same time, and a purge
    either waits or has said before that nothing may be written any more.
    """
    with transaction.atomic():
        recordings = Recording.objects.select_for_update(no_key=True, of=("self",)).select_related("room")
        recording = recordings.filter(room=room_pk).exclude(state=Recording.State.PURGED).first()
        if recording is None:
            reactions.erase([room_pk])
            return
        batch = reactions.batch(room_pk)
        if batch is not None:
            _add(recording.room, batch)
    if batch is not None:
        reactions.finish_batch(room_pk, batch.id)


def _add(room: Room, batch: reactions.Batch) -> None:
    """Add a batch to the room's counts; what came after the end counts in the last second."""
    last = None if room.ended_at is None else room.room_time(room.ended_at) // 1000
    counts: Counter[tuple[int, str]] = Counter()
    for (second, kind), number in batch.counts.items():
        counts[second if last is None else min(second, last), kind] += number
    seconds, kinds = [second for second, _kind in counts], [kind for _second, kind in counts]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [room.pk, batch.id, seconds, kinds, list(counts.values())])
