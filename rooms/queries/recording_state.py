"""State of a recording as the API shows it: details for the host, addresses of the replay for its listeners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from people.models import User
from rooms.models import Recording, Room
from rooms.recording.delivery import links
from rooms.rules import permissions
from rooms.rules.identity import Who
from rooms.rules.publishing import is_public, objects, publication_state
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.restrictions import is_restricted
from rooms.rules.roles import check_replay, role_in
from rooms.wire.events import iso


def recording_state(room: Room, user: User, addresses: Mapping[int, str]) -> dict[str, Any]:
    """State, times and files of a recording, for its host; lengths in milliseconds. `addresses` are those that the host
    was given, by the file's key. Raises not_host, not_found."""
    refuse(permissions.may_see_recording(is_host=role_in(user, room) == "host"))
    recording = Recording.objects.filter(room=room).first()
    if recording is None:
        raise RoomRefused("not_found")
    return {
        "state": recording.state,
        "finished_at": iso(recording.finished_at),
        "duration_ms": recording.duration_ms,
        "missing_ms": recording.missing_ms,
        "announced_at": iso(recording.announced_at),
        "published_at": iso(recording.published_at),
        "publication": publication_state(recording, objected=objects(recording, None), restricted=is_restricted(room)),
        "entry_policy": room.entry_policy,
        "files": [
            {
                "kind": file.kind,
                "user": file.seat.user.handle if file.seat else None,
                "start_ms": file.start_ms,
                "duration_ms": file.duration_ms,
                "size": file.size,
                "sha256": file.sha256,
                "address": addresses.get(file.pk),
            }
            for file in recording.files.select_related("seat__user").order_by("kind", "start_ms", "pk")
        ],
    }


def replay_state(room: Room, who: Who) -> dict[str, Any]:
    """Addresses of the mix and the waveform. Raises not_found for people who may not hear it,
    recording_unavailable, no_recording."""
    check_replay(room, who)
    recording = Recording.objects.filter(room=room, state=Recording.State.READY, room__purged_at=None).first()
    if recording is None:
        raise RoomRefused("no_recording")
    drawn = recording.prepared_at is not None
    return {
        "mix": links.address(room.pk, "mix", who.user, "mix.m4a"),
        "peaks": links.address(room.pk, "peaks", who.user, "peaks.json") if drawn else None,
        "duration_ms": recording.duration_ms,
        "published": is_public(room),
    }
