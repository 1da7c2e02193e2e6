"""The view of people whom one may think of inviting."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.text import NAME
from rooms.api.shapes import FaceShape
from rooms.api.views import RoomView, described
from rooms.queries.invitable import MOST_PAGES, SOURCES, Asked, invitable
from rooms.rules import limits


class AskedShape(serializers.Serializer[Any]):
    """Query for people to invite."""

    q = serializers.CharField(required=False, allow_blank=True, default="", max_length=NAME.most)
    room = serializers.SlugField(required=False, allow_blank=True, default="", max_length=16)
    page = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MOST_PAGES)


class InvitablePerson(FaceShape):
    """A person; `state` is empty, or what stands between them and this room."""

    state = serializers.CharField()


class InvitableShape(serializers.Serializer[Any]):
    """One page of people."""

    people = InvitablePerson(many=True)
    more = serializers.BooleanField()


PARAMETERS = (
    OpenApiParameter("q", str, description="A beginning of a handle, or of words in a name."),
    OpenApiParameter("from", str, enum=[source for source in SOURCES if source], description="Where to look."),
    OpenApiParameter("room", str, description="The earlier room, from=room."),
    OpenApiParameter("page", int, description="From 0."),
)


class Invitable(RoomView):
    """`/rooms/<slug>/invitable/`."""

    @described("rooms_invitable", InvitableShape, parameters=PARAMETERS)
    def get(self, request: Request, slug: str) -> Response:
        """People to invite: by search (host and co-hosts), among followers and followed, or of an earlier room."""
        self.check_pace(limits.SEARCHING)
        given = self.values(AskedShape, request.query_params)
        source = request.query_params.get("from", "")
        room = self.room(slug)
        people, more = invitable(room, self.me, Asked(given["q"], source, given["room"], given["page"]))
        return Response({"people": people, "more": more})
