"""What a host does with the copy of an ended room: let everybody hear it, or not any more; download everything."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from ledger.actions import record
from people.models import User
from rooms.actions.locking import locked
from rooms.models import Recording, Room
from rooms.recording import marker
from rooms.recording.delivery import exports, links
from rooms.recording.tasks import prepare_recording
from rooms.rules import permissions
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.roles import role_in

log = logging.getLogger(__name__)


def set_published(room_id: int, by: User, published: bool) -> Recording:
    """Let everybody hear the replay, or only host, co-hosts and who spoke. Refuses with not_host, no_recording."""
    with locked(room_id) as room:
        recording = usable(room)
        ready = recording is not None and recording.state == Recording.State.READY
        refuse(permissions.may_publish(role=role_in(by, room), ready=ready or not published))
        if recording is None:
            raise RoomRefused("no_recording")
        if published != (recording.published_at is not None):
            recording.published_at = timezone.now() if published else None
            recording.save(update_fields=["published_at"])
    return recording


@dataclass(frozen=True)
class Download:
    """Where everything of a room can be fetched, for about a day, and how much it is."""

    address: str
    size: int
    digest: str


def download_everything(room_id: int, by: User) -> Download:
    """A link to the zip of everything. The ledger gets an entry for it: once, however often the reader has to resume.

    Nothing is locked while its texts are written, and no sound is read: sums that are not known yet are made by a
    worker. Refuses with not_host, no_recording, being_prepared, unavailable (a file on the disk is not what it was).
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
    return Download(address, size, export.digest)


def _downloadable(room_id: int, by: User) -> tuple[Room, Recording]:
    """The room and its recording as they are now, if this person may have all of it."""
    room = Room.objects.select_related("host").filter(pk=room_id).first()
    if room is None:
        raise RoomRefused("unknown_room")
    recording = usable(room)
    ready = recording is not None and recording.state == Recording.State.READY
    refuse(permissions.may_download(role=role_in(by, room), ready=ready))
    assert recording is not None
    return room, recording


def usable(room: Room) -> Recording | None:
    """The room's recording, unless it is purged."""
    if room.purged_at is not None:
        return None
    return Recording.objects.select_related("room__host").filter(room=room).first()
