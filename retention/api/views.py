"""One view an operation: parse, ask, answer. No rule lives here."""

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
    """What was deleted: how many files of how many bytes, and the checksum under which the house keeps the receipt."""

    digest = serializers.CharField()
    files = serializers.IntegerField(source="file_count")
    bytes = serializers.IntegerField(source="total_bytes")


class RetentionShape(serializers.Serializer[Any]):
    """When the copy goes, or went, in UTC; null while that is not known. Why: for the host and reviewers, else null."""

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
        """How long the copy is kept: for host, those who spoke, and who may see the clocks. Nobody else learns of
        the room."""
        room = Room.objects.filter(slug=slug).first()
        sees_clocks = self.me.has_perm(SEES_CLOCKS)
        if room is None or not (sees_clocks or may_know(room, self.me)):
            raise RoomRefused("unknown_room")
        state = retention_state(room)
        if not (sees_clocks or room.host_id == self.me.pk):
            state = state.without_reason()
        return Response(RetentionShape(state).data)


def may_know(room: Room, user: User) -> bool:
    """Whose voice is in the copy, and who answers for it."""
    return role_in(user, room) != "listener"
