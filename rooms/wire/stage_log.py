"""Replay of the stage from a room's log: who sat where, and whose microphone was open when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import JSONObject

from rooms.models import Room, RoomEvent, Seat

Stage = dict[str, dict[str, Any]]  # seats as in the log (`rooms.wire.events.SeatState`), by handle
_PERSON = "person"  # kind of the rows that give a handle's account


def stage_log(room: Room, until_ms: int) -> tuple[list[tuple[int, str, Any]], dict[str, int]]:
    """Get the changes of the stage up to a time, in order, as (ms, type, data), and accounts by handle, in one query:
    the log has handles only, seats have both."""
    events = RoomEvent.objects.filter(room=room, at_ms__lte=until_ms, type__in=CHANGES).order_by()
    person = JSONObject(handle=F("user__handle"), pk=F("user_id"))
    people = Seat.objects.filter(room=room).order_by().values_list(Value(0), Value(0), Value(_PERSON), person)
    rows = sorted(events.values_list("seq", "at_ms", "type", "data").union(people), key=lambda row: row[0])
    changes = [(at_ms, kind, data) for _seq, at_ms, kind, data in rows if kind != _PERSON]
    return changes, {data["handle"]: data["pk"] for _seq, _at_ms, kind, data in rows if kind == _PERSON}


def open_microphones(room: Room, until_ms: int) -> dict[int, list[tuple[int, int]]]:
    """Get the intervals in which each person's microphone was open, in ms of room time, by account. One query."""
    changes, accounts = stage_log(room, until_ms)
    stage: Stage = {}
    since: dict[str, int] = {}
    intervals: dict[int, list[tuple[int, int]]] = {}
    for at_ms, kind, data in [*changes, (until_ms, "room_ended", {})]:
        stage = CHANGES[kind](stage, data)
        is_open = {handle for handle, seat in stage.items() if not seat["muted"]}
        for handle in since.keys() - is_open:
            start_ms = since.pop(handle)
            if handle in accounts and at_ms > start_ms:
                intervals.setdefault(accounts[handle], []).append((start_ms, at_ms))
        for handle in is_open - since.keys():
            since[handle] = at_ms
    return intervals


def _seat_taken(stage: Stage, data: Mapping[str, Any]) -> Stage:
    return {**stage, data["seat"]["user"]: data["seat"]}


def _seat_left(stage: Stage, data: Mapping[str, Any]) -> Stage:
    return {handle: seat for handle, seat in stage.items() if handle != data["user"]}


def _seat_muted(stage: Stage, data: Mapping[str, Any]) -> Stage:
    seat = stage.get(data["user"])
    return stage if seat is None else {**stage, data["user"]: {**seat, "muted": data["muted"]}}


def _seats_changed(_stage: Stage, data: Mapping[str, Any]) -> Stage:
    return {seat["user"]: seat for seat in data["seats"]}


def _room_ended(_stage: Stage, _data: Mapping[str, Any]) -> Stage:
    return {}


CHANGES: dict[str, Callable[[Stage, Mapping[str, Any]], Stage]] = {
    "seat_taken": _seat_taken,
    "seat_left": _seat_left,
    "seat_muted": _seat_muted,
    "seats_changed": _seats_changed,
    "host_changed": _seats_changed,
    "room_ended": _room_ended,
}
