"""Queries for a host: their live room, and the rooms they hosted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef

from people.models import User
from rooms.models import Recording, ReplayObjection, Room
from rooms.rules.publishing import publication_state
from rooms.rules.restrictions import standing_restrictions

MOST = 200  # past rooms on a dashboard
MOST_KEPT = 20  # past rooms to choose from


def live_room_of(user: User) -> Room | None:
    """The room that this person hosts now, or None."""
    return Room.objects.filter(host=user, status=Room.Status.LIVE).first()


@dataclass(frozen=True)
class HostedRoom:
    """A room on its host's dashboard."""

    room: Room
    recording: Recording | None
    speakers: int
    objected: bool
    restricted: bool

    @property
    def publication(self) -> str:
        """How far the publication of its replay is: "", "announced", "objected" or "public"."""
        if self.recording is None or self.room.purged_at is not None:
            return ""
        return publication_state(self.recording, objected=self.objected, restricted=self.restricted)

    @property
    def moving(self) -> bool:
        """Whether its recording will be ready in a minute or two."""
        return self.recording is not None and self.recording.state in (
            Recording.State.RUNNING,
            Recording.State.FINISHING,
        )

    @property
    def lasted_ms(self) -> int:
        """Length of the room in milliseconds."""
        return self.room.room_time(self.room.ended_at)


def hosted_rooms(host: User) -> list[HostedRoom]:
    """Rooms that a person hosts or hosted, the newest first, at most MOST; one query."""
    rooms = (
        Room.objects.filter(host=host, status__in=[Room.Status.LIVE, Room.Status.ENDED])
        .select_related("recording")
        .annotate(
            speakers=Count("seats__user", distinct=True),
            objected=Exists(ReplayObjection.objects.filter(recording__room=OuterRef("pk"))),
            restricted=Exists(standing_restrictions().filter(room=OuterRef("pk"))),
        )
        .order_by("-started_at")[:MOST]
    )
    return [
        HostedRoom(room, getattr(room, "recording", None), room.speakers, room.objected, room.restricted)
        for room in rooms
    ]


def kept_rooms(hosts: Collection[int]) -> list[Room]:
    """Rooms of these hosts, by primary key, that are over and whose copy is kept: the newest, at most MOST_KEPT."""
    rooms = Room.objects.filter(host__in=hosts, status=Room.Status.ENDED, purged_at=None)
    return list(rooms.order_by("-ended_at")[:MOST_KEPT])
