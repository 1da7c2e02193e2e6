"""Actions on clips: make one of a replay or of the last minute of a live room, take one back, switch them off."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from core.after_commit import after_commit
from ledger.actions import Act, record, record_all
from people.models import User
from rooms.actions.locking import locked
from rooms.models import Clip, ClipVoice, Recording, Room
from rooms.recording.clips import making, render
from rooms.rules.clips import (
    LIVE_MS,
    MOST_A_DAY,
    clip_facts,
    may_clip_live,
    may_make,
    may_switch_clips,
    part_in,
    within_amounts,
    within_limits,
)
from rooms.rules.facts import facts_of, facts_of_many
from rooms.rules.identity import Who
from rooms.rules.permissions import HELPERS
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.restrictions import is_restricted
from rooms.rules.roles import role_in

WRITTEN_SECONDS = 3  # after which the last second of a live room is on the disk
WANTED = (*Clip.UNDER_WAY, Clip.State.READY)


def make_clip(room_id: int, by: User, kind: str, from_ms: int, to_ms: int) -> Clip:
    """Ask for a clip of a replay; a worker makes it. The same range that is there or under way is not made twice.

    Raises not_found, recording_unavailable, clip_not_public, clips_off, no_recording, clip_range, clip_no_video,
    clips_full, clips_yours_full, clips_often, account_closed, bad_value.
    """
    _check_kind(kind)
    with locked(room_id) as room:
        recording = Recording.objects.filter(room=room, state=Recording.State.READY, room__purged_at=None).first()
        facts = clip_facts(room, Who.of_user(by))
        refuse(may_make(facts, signed_in=True, ready=recording is not None))
        assert recording is not None
        refuse(within_limits(from_ms, to_ms, room_ms=recording.duration_ms or 0))
        return _ask(room, by, kind, from_ms, to_ms)


def make_live_clip(room_id: int, by: User, kind: str, last_ms: int = LIVE_MS) -> Clip:
    """Ask for a clip of the last seconds of a live room, as host or co-host.

    Raises what a room that is not live raises, not_host, recording_unavailable, clips_off, and as `make_clip`.
    """
    _check_kind(kind)
    with locked(room_id) as room:
        code = may_clip_live(facts_of(room, by), off=room.clips_off, restricted=is_restricted(room))
        refuse(code)
        if not 0 < last_ms <= LIVE_MS:
            raise RoomRefused("clip_range")
        now_ms = room.room_time()
        from_ms = max(0, now_ms - last_ms)
        refuse(within_limits(from_ms, now_ms, room_ms=now_ms))
        return _ask(room, by, kind, from_ms, now_ms, wait=WRITTEN_SECONDS)


def _check_kind(kind: str) -> None:
    """Raise RoomRefused for a kind that is none, or that this machine cannot make; before the room is locked, since
    ffmpeg may have to be asked."""
    if kind not in Clip.Kind.values:
        raise RoomRefused("bad_value", {"kind": ", ".join(Clip.Kind.values)})
    if kind == Clip.Kind.VIDEO and (lacking := render.missing_ffmpeg_parts()):
        raise RoomRefused("clip_no_video", {"kind": f"ffmpeg: {', '.join(lacking)}"})


def _ask(room: Room, by: User, kind: str, from_ms: int, to_ms: int, wait: int = 0) -> Clip:
    """Add a clip that waits for a worker, with the room locked; within the amounts of room and person."""
    wanted = Clip.objects.filter(room=room, state__in=WANTED)
    same = wanted.filter(kind=kind, from_ms=from_ms, to_ms=to_ms, maker=by).first()
    if same is not None:
        return same
    # One person in two rooms at once: their account is locked, so that no two requests count the same clips. It may
    # have been deleted since the request began, and then nobody would take back the clip with it.
    if User.objects.select_for_update(no_key=True).get(pk=by.pk).deleted_at is not None:
        raise RoomRefused("account_closed")
    _check_amounts(room, by)
    clip = Clip.objects.create(
        room=room, maker=by, kind=kind, from_ms=from_ms, to_ms=to_ms, next_at=timezone.now() + timedelta(seconds=wait)
    )
    after_commit(making.queue, clip.pk, wait)
    return clip


def _check_amounts(room: Room, by: User) -> None:
    """Raise RoomRefused where a room or a person has as many clips as can be. Those of host and co-hosts, by what they
    are now, and those of all others do not count against each other."""
    mine = Clip.objects.filter(maker=by)
    makers = Counter(Clip.objects.filter(room=room, state__in=WANTED).values_list("maker", flat=True))
    facts = facts_of_many([(room, pk) for pk in {*makers, by.pk}])
    helpers = {pk for (_room, pk), one in facts.items() if one.role in HELPERS}
    helps = by.pk in helpers
    refuse(
        within_amounts(
            in_room=sum(number for pk, number in makers.items() if (pk in helpers) == helps),
            of_one=0 if helps else makers[by.pk],
            in_a_day=mine.filter(asked_at__gt=timezone.now() - timedelta(days=1))[:MOST_A_DAY].count(),
            under_way=mine.filter(state__in=Clip.UNDER_WAY).count(),
        )
    )


def take_back_clip(key: str, by: User) -> Clip:
    """Delete a clip for everybody at once: whoever made it, host and co-hosts, whose voice is in it. Idempotent.

    Raises not_found for all others, and for a key that is none.
    """
    found = Clip.objects.filter(key=key).values_list("pk", "room").first()
    if found is None:
        raise RoomRefused("not_found")
    pk, room_pk = found
    with locked(room_pk) as room:
        clip = Clip.objects.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
        if clip is None or room.purged_at is not None:
            raise RoomRefused("not_found")
        part = part_in(clip, by, role_in(by, room), voice=clip.voices.filter(user=by).exists())
        if not part:
            raise RoomRefused("not_found")
        clip.room = room
        if clip.state != Clip.State.TAKEN_BACK:
            record_all([_take_back(clip, by.pk, part)])
    return clip


def _take_back(clip: Clip, by: int, part: str) -> Act:
    """Delete a clip whose row and room are locked; returns what the ledger records of it."""
    after_commit(making.remove_file, clip.room_id, clip.file)
    clip.state, clip.file, clip.lease_until, clip.why = Clip.State.TAKEN_BACK, "", None, ""
    clip.taken_back_at, clip.taken_back_by_id, clip.taken_back_as = timezone.now(), by, part
    clip.save()
    return Act("clip_taken_back", f"room:{clip.room_id}", by, {"clip": clip.pk, "as": str(part)})


def lock_clips_of(user_pk: int) -> list[Clip]:
    """Lock the clips of which an account is part: those with its voice, and those that it made. Clips come before
    accounts: a worker that holds one refers to the accounts whose voices are in it."""
    theirs = Q(maker=user_pk) | Q(pk__in=ClipVoice.objects.filter(user=user_pk).values("clip"))
    clips = Clip.objects.select_for_update(of=("self",), no_key=True).filter(theirs, room__purged_at=None)
    return list(clips.exclude(state=Clip.State.TAKEN_BACK).order_by("pk"))


def take_back_of(user_pk: int) -> list[Act]:
    """Delete the clips of which a deleted account is part: those with its voice, which show its name, and those that it
    made. In the transaction of the deletion, which has locked them; returns what the ledger records of it."""
    acts: list[Act] = []
    for clip in lock_clips_of(user_pk):
        made = clip.maker_id == user_pk
        acts.append(_take_back(clip, user_pk, Clip.TakenBackAs.MAKER if made else Clip.TakenBackAs.VOICE))
    return acts


def set_clips_off(room_id: int, by: User, off: bool) -> Room:
    """Switch the clips of a room off, or on again, as its host. While they are off nobody makes any, and those there
    are stay with host and co-hosts. Idempotent. Raises not_host, account_closed, not_found (purged)."""
    with locked(room_id) as room:
        refuse(may_switch_clips(facts_of(room, by)))
        if room.purged_at is not None:
            raise RoomRefused("not_found")
        if room.clips_off != off:
            room.clips_off = off
            room.save(update_fields=["clips_off"])
            record("clips_switched", f"room:{room.pk}", by.pk, {"off": off})
    return room
