"""Actions on the copy of an ended room: the host publishes it, withdraws it, downloads everything; people whose voice
is in it object to its publication."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger.actions import record
from people import notify
from people.models import User
from people.zones import is_zone
from rooms.actions.locking import locked
from rooms.models import NOTICE, Recording, ReplayObjection, Room
from rooms.recording import marker
from rooms.recording.delivery import exports, links
from rooms.recording.tasks import prepare_recording
from rooms.rules import permissions
from rooms.rules.publishing import is_published, objects, wider, widest_publication
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.restrictions import is_restricted
from rooms.rules.roles import role_in
from rooms.rules.voice import has_voice, voices_in
from rooms.wire.official_texts import PUBLICATION
from rooms.wording import ENTRY_WORDS
from social.actions.messages import send_official

log = logging.getLogger(__name__)


def set_published(room_id: int, by: User, published: bool, policy: str | None = None) -> Recording:
    """Announce that people whom `policy` admits may hear the replay, or let only host, co-hosts and speakers hear it.

    `policy` is an entry policy (default: the room's) and becomes the room's. The replay is public NOTICE after the
    announcement; everybody whose voice is in it gets a mail. Of an announced or public replay a narrower policy holds
    at once, a wider one is a new announcement, and the same one changes nothing. Raises bad_value, not_host,
    no_recording, recording_unavailable, publication_not_agreed, too_wide.
    """
    if policy is not None and policy not in Room.EntryPolicy.values:
        raise RoomRefused("bad_value", {"entry_policy": ", ".join(Room.EntryPolicy.values)})
    with locked(room_id) as room:
        recording = unpurged_recording(room)
        if published:
            return _publish(room, recording, by, policy or room.entry_policy)
        refuse(permissions.may_withdraw(role=role_in(by, room)))
        if recording is None:
            raise RoomRefused("no_recording")
        if recording.published_at is not None:
            recording.announced_at = recording.published_at = recording.published_by = None
            recording.save(update_fields=["announced_at", "published_at", "published_by"])
            record("replay_withdrawn", f"room:{room.pk}", by.pk)
    return recording


def _publish(room: Room, recording: Recording | None, by: User, policy: str) -> Recording:
    """Announce a publication, or admit fewer people to one; in the caller's transaction, with the room locked."""
    ready = recording is not None and recording.state == Recording.State.READY
    limit = widest_publication(room, recording) if recording is not None else None
    too_wide = limit is not None and wider(policy, limit)
    refuse(
        permissions.may_publish(
            role=role_in(by, room),
            ready=ready,
            agreed=limit is not None,
            too_wide=too_wide,
            restricted=is_restricted(room),
        )
    )
    assert recording is not None
    announce = recording.published_at is None or wider(policy, room.entry_policy)
    if not announce and policy == room.entry_policy:
        return recording
    room.entry_policy = policy
    room.save(update_fields=["entry_policy"])
    if announce:
        recording.announced_at = timezone.now()
        recording.published_at = recording.announced_at + NOTICE
        recording.published_by = by
        recording.save(update_fields=["announced_at", "published_at", "published_by"])
        _tell_voices(room, recording, by)
    record("replay_announced" if announce else "replay_narrowed", f"room:{room.pk}", by.pk, {"policy": policy})
    return recording


def _tell_voices(room: Room, recording: Recording, by: User) -> None:
    """Send an announcement to everybody whose voice is in the recording, but for the host who makes it: an official
    message, and a mail."""
    assert recording.published_at is not None
    voices = [user for user in voices_in(room.pk) if user.pk != by.pk]
    send_official(voices, PUBLICATION, {"room": room.pk, "by": by.pk, "at": recording.published_at.isoformat()})
    for user in voices:
        zone = user.time_zone if is_zone(user.time_zone) else settings.TIME_ZONE
        notify.send(
            user,
            "rooms/email/replay_announced.txt",
            room=room,
            by=by,
            at=timezone.localtime(recording.published_at, ZoneInfo(zone)),
            zone=zone,
            admitted=ENTRY_WORDS[Room.EntryPolicy(room.entry_policy)],
            path=f"{room.get_absolute_url()}replay/",
        )


def set_objection(room_id: int, by: User, objected: bool) -> Recording:
    """Object to the publication of a replay with one's own voice in it, or take that back. Idempotent.

    While an objection stands the replay is not public. Raises not_found, not_allowed, no_objection_now, no_recording.
    """
    with locked(room_id) as room:
        recording = unpurged_recording(room)
        if recording is None:
            raise RoomRefused("no_recording")
        code = permissions.may_object(
            role=role_in(by, room),
            voice=has_voice(room.pk, by.pk),
            announced=recording.announced_at is not None,
            public=is_published(room),
            objected=objects(recording, by),
        )
        refuse(code)
        if objected:
            ReplayObjection.objects.get_or_create(recording=recording, user=by)
        else:
            ReplayObjection.objects.filter(recording=recording, user=by).delete()
    return recording


@dataclass(frozen=True)
class DownloadLink:
    """Address of the zip of a room, good for about a day, and its size in bytes."""

    address: str
    size: int
    digest: str


def download_everything(room_id: int, by: User) -> DownloadLink:
    """Build the zip of everything and return a link to it. Each link is one ledger entry; resumed downloads add none.

    The room is not locked while texts are written, and no sound is read: a worker computes checksums that are missing.
    Raises not_host, no_recording, recording_unavailable, being_prepared, unavailable (a file is missing or was changed
    on the disk).
    """
    room, recording = _downloadable(room_id, by)
    if recording.files.filter(crc32=None).exists():
        transaction.on_commit(lambda: prepare_recording.delay(recording.pk), robust=True)
        raise RoomRefused("being_prepared")
    try:
        marker.check()
        export = exports.build(recording)
    except marker.OtherFolder as error:
        marker.report(error)
        raise RoomRefused("unavailable") from error
    except OSError as error:
        log.error("room %s: its files cannot be put together: %s", room.pk, error)
        raise RoomRefused("unavailable") from error
    size = export.layout.size
    try:
        with locked(room_id):
            _downloadable(room_id, by)  # a purge may have begun meanwhile, or a right ended
            record("host_download", f"room:{room_id}", by.pk, {"export": export.digest, "bytes": size})
    except RoomRefused:
        exports.discard(room_id, export.digest)
        raise
    name = f"{room.slug}.zip"
    address = links.address(room_id, f"all-{export.digest}", by, name, links.DOWNLOAD_FOR)
    return DownloadLink(address, size, export.digest)


def _downloadable(room_id: int, by: User) -> tuple[Room, Recording]:
    """Load the room and its recording, if this person may download everything now. Raises the refusals otherwise."""
    room = Room.objects.select_related("host").filter(pk=room_id).first()
    if room is None:
        raise RoomRefused("unknown_room")
    recording = unpurged_recording(room)
    ready = recording is not None and recording.state == Recording.State.READY
    refuse(permissions.may_download(role=role_in(by, room), ready=ready, restricted=is_restricted(room)))
    assert recording is not None
    return room, recording


def unpurged_recording(room: Room) -> Recording | None:
    """The room's recording; None once it is purged."""
    if room.purged_at is not None:
        return None
    return Recording.objects.select_related("room__host").filter(room=room).first()
