"""Hand out the addresses of a recording's files to its host, with an entry in the ledger."""

from __future__ import annotations

from ledger.actions import record
from ledger.models import Entry
from people.models import User
from rooms.actions.locking import locked
from rooms.models import Recording
from rooms.recording.delivery import links
from rooms.rules import permissions
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.restrictions import is_restricted
from rooms.rules.roles import role_in

HANDED_OUT = "host_links"


def hand_out_files(room_id: int, by: User) -> dict[int, str]:
    """Addresses at which the host can download each file for about a day, by the file's key; none where the host may
    not. Addresses are the same within an hour, and so one entry in the ledger.

    Raises unknown_room.
    """
    with locked(room_id) as room:
        recording = Recording.objects.filter(room=room, state=Recording.State.READY, room__purged_at=None).first()
        try:
            refuse(
                permissions.may_download(
                    role=role_in(by, room), ready=recording is not None, restricted=is_restricted(room)
                )
            )
        except RoomRefused:
            return {}
        assert recording is not None
        files = list(recording.files.order_by("pk"))
        until = links.until_of(links.DOWNLOAD_FOR)
        known = Entry.objects.filter(subject=f"room:{room.pk}", kind=HANDED_OUT, actor=by.pk, data__until=until)
        if files and not known.exists():
            record(HANDED_OUT, f"room:{room.pk}", by.pk, {"until": until, "files": len(files)})
    return {
        file.pk: links.address(room_id, f"file-{file.pk}", by, file.path.rpartition("/")[2], links.DOWNLOAD_FOR)
        for file in files
    }
