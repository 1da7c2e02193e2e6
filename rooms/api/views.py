"""One view an operation: parse, call one action, answer. No rule lives here."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.api.views import described as _described
from core.throttle import Limit
from rooms import actions
from rooms.api import shapes
from rooms.live.verbs.sound import servers_for
from rooms.models import Room
from rooms.queries.audience import audience
from rooms.queries.live_now import live_rooms
from rooms.queries.prepared import prepared_state
from rooms.queries.recording_state import recording_state, replay_state
from rooms.rules import limits
from rooms.rules.identity import Who, who_of_request
from rooms.rules.refusals import RoomRefused
from rooms.wire.snapshot import room_state, snapshot

described = partial(_described, tag="rooms")


class RoomView(ApiView):
    """Base of the views of one room."""

    refused = RoomRefused

    def room(self, slug: str) -> Room:
        """The room at this address. Raises unknown_room, or why the reader may not come in."""
        room = Room.objects.by_slug(slug)
        if room is None:
            raise RoomRefused("unknown_room")
        actions.admit(room, self.who)
        return room

    @property
    def who(self) -> Who:
        """The account or listener that asks."""
        return who_of_request(self.request)

    def check_pace(self, limit: Limit = limits.ACTIONS) -> None:
        """Raise too_fast where this person does it too often."""
        limit.check(self.who.key)

    def see(self, room: Room, status: int = 200) -> Response:
        """The room as the reader sees it now."""
        return Response(snapshot(room.pk, self.who), status=status)

    def see_recording(self, room: Room) -> Response:
        """The retained copy as its host sees it, with addresses of its files, which stand in the ledger."""
        return Response(recording_state(room, self.me, actions.hand_out_files(room.pk, self.me)))


class Rooms(RoomView):
    """`/rooms/`."""

    def get_permissions(self) -> list[Any]:
        """Everybody reads; to open a room one signs in."""
        return [AllowAny()] if self.request.method in SAFE_METHODS else [IsAuthenticated()]

    @described("rooms_list", shapes.LiveRooms)
    def get(self, request: Request) -> Response:
        """Rooms that are live now, hosts you follow first."""
        found = live_rooms(self.who)
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
        """Open a room now or, with `starts`, prepare one for later; as its host."""
        self.check_pace(limits.OPENING)
        values = self.values(shapes.OpenRoom)
        starts = values.pop("starts", None)
        room = (
            actions.open_room(self.me, **values)
            if starts is None
            else actions.prepare_room(self.me, **values, **starts)
        )
        return self.see(room, status=201)


class OneRoom(RoomView):
    """`/rooms/<slug>/`."""

    permission_classes = [AllowAny]

    @described("rooms_see", shapes.SnapshotShape)
    def get(self, request: Request, slug: str) -> Response:
        """A room as you see it now."""
        return self.see(self.room(slug))


class Prepared(RoomView):
    """`/rooms/<slug>/prepared/`: a room before it opens. Pages that wait for it ask here."""

    def get_permissions(self) -> list[Any]:
        """Everybody whom the room admits reads; its host changes and cancels."""
        return [AllowAny()] if self.request.method in SAFE_METHODS else [IsAuthenticated()]

    @described("rooms_prepared", shapes.PreparedShape)
    def get(self, request: Request, slug: str) -> Response:
        """A room before it opens, and whether it is open by now."""
        return Response(prepared_state(self.room(slug)))

    @described("rooms_change_prepared", shapes.PreparedShape, shapes.ChangePrepared)
    def put(self, request: Request, slug: str) -> Response:
        """Change a prepared room, as its host."""
        self.check_pace(limits.OPENING)
        values = self.values(shapes.ChangePrepared)
        room = self.room(slug)
        return Response(prepared_state(actions.change_prepared(room.pk, self.me, **values.pop("starts"), **values)))

    @described("rooms_cancel", shapes.PreparedShape)
    def delete(self, request: Request, slug: str) -> Response:
        """Cancel a prepared room, as its host."""
        self.check_pace()
        return Response(prepared_state(actions.cancel_room(self.room(slug).pk, self.me)))


class OpenPrepared(RoomView):
    """`/rooms/<slug>/open/`."""

    @described("rooms_open_prepared", shapes.SnapshotShape, status=201)
    def post(self, request: Request, slug: str) -> Response:
        """Open a prepared room now, as its host."""
        self.check_pace(limits.OPENING)
        return self.see(actions.open_prepared(self.room(slug).pk, self.me), status=201)


class Audience(RoomView):
    """`/rooms/<slug>/audience/`."""

    permission_classes = [AllowAny]

    @described("rooms_audience", shapes.AudienceShape, parameters=[shapes.AudienceQuery])
    def get(self, request: Request, slug: str) -> Response:
        """List who listens, as far as you may see it: as host or co-host names, else people whom you follow."""
        self.check_pace(limits.AUDIENCE)
        asked = self.values(shapes.AudienceQuery, request.query_params)
        seen = audience(self.room(slug), self.who, asked.get("q", ""), asked.get("after", ""))
        return Response(asdict(seen))


class RecordingState(RoomView):
    """`/rooms/<slug>/recording/`."""

    @described("rooms_recording", shapes.RecordingShape)
    def get(self, request: Request, slug: str) -> Response:
        """The retained copy: how far it is, what is in it, how long it is kept. For its host."""
        return self.see_recording(self.room(slug))


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
        """Announce that people may hear the replay in a day, or take that back; as its host."""
        if not request.user.is_authenticated:
            self.permission_denied(request)
        values = self.values(shapes.Publish)
        self.check_pace(limits.PUBLISHING if values["published"] else limits.ACTIONS)
        room = self.room(slug)
        actions.set_published(room.pk, self.me, values["published"], values.get("entry_policy"))
        return self.see_recording(room)


class Objection(RoomView):
    """`/rooms/<slug>/replay/objection/`."""

    @described("rooms_object", shapes.Objection, shapes.Objection)
    def put(self, request: Request, slug: str) -> Response:
        """Object to the publication of a replay you speak in, or take that back. Nobody is told that it was you."""
        self.check_pace()
        values = self.values(shapes.Objection)
        room = Room.objects.by_slug(slug)  # who spoke may, whomever the room admits now
        if room is None:
            raise RoomRefused("not_found")
        actions.set_objection(room.pk, self.me, values["objected"])
        return Response(values)


class Download(RoomView):
    """`/rooms/<slug>/download/`."""

    @described("rooms_download", shapes.DownloadShape, status=201)
    def post(self, request: Request, slug: str) -> Response:
        """A link to everything as one zip, as its host. Each one is an entry in the ledger."""
        self.check_pace(limits.DOWNLOADS)
        made = actions.download_everything(self.room(slug).pk, self.me)
        return Response({"address": made.address, "size": made.size, "digest": made.digest}, status=201)


class Ice(RoomView):
    """`/ice/`."""

    @described("ice_servers", shapes.IceServers)
    def get(self, request: Request) -> Response:
        """Servers that help a browser to reach us."""
        self.check_pace()
        return Response({"servers": servers_for(self.who)})
