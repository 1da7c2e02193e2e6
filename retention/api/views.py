"""One view per operation: parse the request, run one query, answer. Rules live in `retention.policy`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from people.models import User
from retention.state import TEXTS, retention_state
from rooms.api.views import RoomView, described
from rooms.models import Room
from rooms.rules.refusals import RoomRefused
from rooms.rules.roles import role_in

SEES_CLOCKS = "moderation.view_roomclock"


class ReceiptShape(serializers.Serializer[Any]):
    """Receipt of a purge: number of files, total bytes, and the receipt's SHA-256 (`digest`, also in the ledger)."""

    digest = serializers.CharField()
    files = serializers.IntegerField(source="file_count")
    bytes = serializers.IntegerField(source="total_bytes")


class RetentionShape(serializers.Serializer[Any]):
    """Time of the purge in UTC, null while unknown. `reason` and `text` are for the host, as far as a decision was
    told, and for reviewers; else null."""

    at = serializers.DateTimeField(allow_null=True)
    day = serializers.DateField(allow_null=True)
    reason = serializers.ChoiceField(choices=sorted(TEXTS), allow_null=True)
    text = serializers.CharField(allow_null=True)
    purged = serializers.BooleanField()
    receipt = ReceiptShape(allow_null=True)


class Retention(RoomView):
    """`/rooms/<slug>/retention/`."""

    @described("rooms_retention", RetentionShape)
    def get(self, request: Request, slug: str) -> Response:
        """Get how long the copy is kept: for the host, those who spoke, and staff who may see the clocks.

        All others get 404, as for a room that does not exist.
        """
        room = Room.objects.filter(slug=slug).first()
        if room is None or not (self.me.has_perm(SEES_CLOCKS) or may_see_retention(room, self.me)):
            raise RoomRefused("unknown_room")
        # Staff who took part are told what everybody is told who did.
        took_part = may_see_retention(room, self.me)
        state = retention_state(room, full=not took_part, reader=self.me.pk)
        if took_part and room.host_id != self.me.pk:
            state = state.without_reason()
        return Response(RetentionShape(state).data)


def may_see_retention(room: Room, user: User) -> bool:
    """Return whether `user` is the host or spoke in the room."""
    return role_in(user, room) != "listener"
