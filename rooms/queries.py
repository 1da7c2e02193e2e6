"""What room pages read: a room by its address, one's own live room, the rooms one hosted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from people.models import User
from rooms.models import Recording, Room

MOST = 200  # past rooms on a dashboard


def room_by_slug(slug: str) -> Room | None:
    return Room.objects.select_related("host").filter(slug=slug).first()


def live_room_of(user: User) -> Room | None:
    return Room.objects.filter(host=user, status=Room.Status.LIVE).first()


@dataclass(frozen=True)
class HostedRoom:
    """A room on its host's dashboard. `kept_until` is when its recording goes; None while it is live."""

    room: Room
    recording: Recording | None
    speakers: int
    kept_until: datetime | None

    @property
    def lasted_ms(self) -> int:
        return self.room.room_time(self.room.ended_at)

    @property
    def days_left(self) -> int:
        """Days until the recording is deleted; one that has begun counts."""
        return max(0, -((timezone.now() - self.kept_until) // timedelta(days=1))) if self.kept_until else 0

    @property
    def days_past(self) -> int:
        """How far the clock has run, in days of RECORDING_DAYS."""
        return settings.RECORDING_DAYS - self.days_left


def hosted_rooms(host: User) -> list[HostedRoom]:
    """Live first, then the newest; one query."""
    rooms = (
        Room.objects.filter(host=host, status__in=[Room.Status.LIVE, Room.Status.ENDED])
        .select_related("recording")
        .annotate(speakers=Count("seats__user", distinct=True))
        .order_by("-started_at")[:MOST]
    )
    days = timedelta(days=settings.RECORDING_DAYS)
    return [
        HostedRoom(
            room, getattr(room, "recording", None), room.speakers, room.ended_at + days if room.ended_at else None
        )
        for room in rooms
    ]
