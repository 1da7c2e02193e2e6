"""What room pages read: a room by its address, one's own live room, the rooms one hosted."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from people.models import User
from rooms.models import Recording, Room

MOST = 200  # past rooms on a dashboard


def live_room_of(user: User) -> Room | None:
    return Room.objects.filter(host=user, status=Room.Status.LIVE).first()


@dataclass(frozen=True)
class HostedRoom:
    """A room on its host's dashboard."""

    room: Room
    recording: Recording | None
    speakers: int

    @property
    def moving(self) -> bool:
        """Its recording will be ready in a minute or two."""
        return self.recording is not None and self.recording.state in (
            Recording.State.RUNNING,
            Recording.State.FINISHING,
        )

    @property
    def lasted_ms(self) -> int:
        return self.room.room_time(self.room.ended_at)


def hosted_rooms(host: User) -> list[HostedRoom]:
    """Live first, then the newest; one query."""
    rooms = (
        Room.objects.filter(host=host, status__in=[Room.Status.LIVE, Room.Status.ENDED])
        .select_related("recording")
        .annotate(speakers=Count("seats__user", distinct=True))
        .order_by("-started_at")[:MOST]
    )
    return [HostedRoom(room, getattr(room, "recording", None), room.speakers) for room in rooms]
