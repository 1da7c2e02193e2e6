"""One view an operation: parse, call one action, answer. No rule lives here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from core.api.errors import ErrorSerializer
from core.throttle import Limit
from people.models import User
from rooms import actions
from rooms.api import shapes
from rooms.live.verbs.table import person, servers_for
from rooms.models import Room
from rooms.queries.live_now import live_rooms
from rooms.queries.recording_state import recording_state, replay_state
from rooms.rules import limits
from rooms.rules.facts import enter
from rooms.rules.identity import Who, who_of_request
from rooms.rules.refusals import RoomRefused
from rooms.wire.snapshot import room_state, snapshot

F = TypeVar("F", bound=Callable[..., Any])
REFUSED = {
    status: OpenApiResponse(ErrorSerializer, description="Refused; the code says why.")
    for status in (400, 401, 403, 404, 409, 410, 429)
}


def described(operation: str, answer: Any, request: Any = None, status: int = 200) -> Callable[[F], F]:
    """The schema of an operation: its name, what goes in, what comes out, and how it refuses."""
    responses = {status: answer, **REFUSED}
    decorate: Callable[[F], F] = extend_schema(
        operation_id=operation, request=request, responses=responses, tags=["rooms"]
    )
    return decorate


class RoomView(APIView):
    """What views of one room share."""

    def room(self, slug: str) -> Room:
        """The room at this address, if the reader may come in."""
        room = Room.objects.select_related("host").filter(slug=slug).first()
        if room is None:
            raise RoomRefused("unknown_room")
        enter(room, self.who)
        return room

    @property
    def who(self) -> Who:
        return who_of_request(self.request)

    @property
    def me(self) -> User:
        return cast(User, self.request.user)

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """Who is not signed in is told so; the framework would answer a bare 403."""
        raise RoomRefused("not_allowed" if request.user.is_authenticated else "not_signed_in")

    def paced(self, limit: Limit = limits.ACTIONS) -> None:
        limit.check(self.who.key)

    def values(self, shape: type[Serializer[Any]]) -> dict[str, Any]:
        """The request's body, checked for form."""
        parsed = shape(data=self.request.data)
        parsed.is_valid(raise_exception=True)
        return cast(dict[str, Any], parsed.validated_data)

    def see(self, room: Room, status: int = 200) -> Response:
        """The room as the reader sees it after what was done."""
        return Response(snapshot(room.pk, self.who), status=status)


class Rooms(RoomView):
    """`/rooms/`."""

    def get_permissions(self) -> list[Any]:
        """Everybody reads; to open a room one signs in."""
        return [AllowAny()] if self.request.method in SAFE_METHODS else [IsAuthenticated()]

    @described("rooms_list", shapes.LiveRooms)
    def get(self, request: Request) -> Response:
        """Rooms that are live now, hosts you follow first."""
        found = live_rooms(self.me if self.me.is_authenticated else None)
        cards = [
            {
                "room": room_state(card.room),
                "host_followed": card.host_followed,
                "speakers": card.speakers,
                "listening": card.listening,
            }
            for card in found
        ]
        return Response({"rooms": cards})

    @described("rooms_open", shapes.SnapshotShape, shapes.OpenRoom, status=201)
    def post(self, request: Request) -> Response:
        """Open a room now, as its host."""
        self.paced(limits.OPENING)
        return self.see(actions.open_room(self.me, **self.values(shapes.OpenRoom)), status=201)


class OneRoom(RoomView):
    """`/rooms/<slug>/`."""

    permission_classes = [AllowAny]

    @described("rooms_see", shapes.SnapshotShape)
    def get(self, request: Request, slug: str) -> Response:
        """A room as you see it now."""
        return self.see(self.room(slug))


class End(RoomView):
    """`/rooms/<slug>/end/`."""

    @described("rooms_end", shapes.SnapshotShape)
    def post(self, request: Request, slug: str) -> Response:
        """End the room for everybody; only its host does."""
        self.paced()
        room = self.room(slug)
        actions.end_room(room.pk, self.me)
        return self.see(room)


class Entry(RoomView):
    """`/rooms/<slug>/entry/`."""

    @described("rooms_set_entry_policy", shapes.SnapshotShape, shapes.SetEntryPolicy)
    def put(self, request: Request, slug: str) -> Response:
        """Change who may come in, as host or co-host. Those who are no longer admitted are put out."""
        self.paced()
        room = self.room(slug)
        actions.set_entry_policy(room.pk, self.me, self.values(shapes.SetEntryPolicy)["policy"])
        return self.see(room)


class Consent(RoomView):
    """`/rooms/<slug>/consent/`."""

    @described("rooms_consent", shapes.SnapshotShape, shapes.GiveConsent)
    def post(self, request: Request, slug: str) -> Response:
        """Agree to being recorded in this room."""
        self.paced()
        room = self.room(slug)
        actions.record_consent(self.me, room, self.values(shapes.GiveConsent)["version"])
        return self.see(room)


class Seat(RoomView):
    """`/rooms/<slug>/seat/`: one's own place."""

    @described("rooms_take_seat", shapes.Place, status=201)
    def post(self, request: Request, slug: str) -> Response:
        """Sit down at the lowest free place, microphone off."""
        self.paced()
        seat = actions.take_seat(self.room(slug).pk, self.me)
        return Response({"place": seat.place}, status=201)

    @described("rooms_leave_seat", shapes.SnapshotShape)
    def delete(self, request: Request, slug: str) -> Response:
        """Stand up."""
        self.paced()
        room = self.room(slug)
        actions.leave_seat(room.pk, self.me)
        return self.see(room)


class Mute(RoomView):
    """`/rooms/<slug>/mute/`."""

    @described("rooms_mute", shapes.SnapshotShape, shapes.MaybeNamePerson)
    def post(self, request: Request, slug: str) -> Response:
        """Close your microphone, or as host anybody's."""
        self.paced()
        room = self.room(slug)
        named = self.values(shapes.MaybeNamePerson).get("user")
        actions.set_muted(room.pk, person(named) if named else self.me, True, by=self.me)
        return self.see(room)


class Unmute(RoomView):
    """`/rooms/<slug>/unmute/`."""

    @described("rooms_unmute", shapes.SnapshotShape)
    def post(self, request: Request, slug: str) -> Response:
        """Open your own microphone; nobody else can."""
        self.paced()
        room = self.room(slug)
        actions.set_muted(room.pk, self.me, False, by=self.me)
        return self.see(room)


class Unseat(RoomView):
    """`/rooms/<slug>/unseat/`."""

    @described("rooms_unseat", shapes.SnapshotShape, shapes.NamePerson)
    def post(self, request: Request, slug: str) -> Response:
        """Take somebody off the stage, as host."""
        self.paced()
        room = self.room(slug)
        actions.unseat(room.pk, person(self.values(shapes.NamePerson)["user"]), by=self.me)
        return self.see(room)


class RecordingState(RoomView):
    """`/rooms/<slug>/recording/`."""

    @described("rooms_recording", shapes.RecordingShape)
    def get(self, request: Request, slug: str) -> Response:
        """The retained copy: how far it is, what is in it, how long it is kept. For its host."""
        return Response(recording_state(self.room(slug), self.me))


class Replay(RoomView):
    """`/rooms/<slug>/replay/`."""

    permission_classes = [AllowAny]

    @described("rooms_replay", shapes.ReplayShape)
    def get(self, request: Request, slug: str) -> Response:
        """Where to hear an ended room again: for who spoke; once published, for who may come in."""
        room = Room.objects.by_slug(slug)
        if room is None:
            raise RoomRefused("not_found")
        return Response(replay_state(room, self.who))

    @described("rooms_publish", shapes.RecordingShape, shapes.Publish)
    def put(self, request: Request, slug: str) -> Response:
        """Let everybody hear the replay, or not any more; as its host."""
        if not request.user.is_authenticated:
            self.permission_denied(request)
        self.paced()
        room = self.room(slug)
        actions.set_published(room.pk, self.me, self.values(shapes.Publish)["published"])
        return Response(recording_state(room, self.me))


class Download(RoomView):
    """`/rooms/<slug>/download/`."""

    @described("rooms_download", shapes.DownloadShape, status=201)
    def post(self, request: Request, slug: str) -> Response:
        """A link to everything as one zip, as its host. Each one is an entry in the ledger."""
        self.paced(limits.DOWNLOADS)
        made = actions.download_everything(self.room(slug).pk, self.me)
        return Response({"address": made.address, "size": made.size, "digest": made.digest}, status=201)


class Ice(RoomView):
    """`/ice/`."""

    @described("ice_servers", shapes.IceServers)
    def get(self, request: Request) -> Response:
        """Servers that help a browser to reach us."""
        self.paced()
        return Response({"servers": servers_for(self.who)})
