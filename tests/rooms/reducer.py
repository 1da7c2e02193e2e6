"""Reducer of snapshots by every kind of event: the rule of clients (`static/js/room/features/` has its twins).

Pure. Events set a state, they never add to one, so replaying one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rooms.wire.events import Event

State = dict[str, Any]


def apply(state: State, event: Event) -> State:
    """The snapshot after one sequenced event; what it has seen already changes nothing. The old one stays as it is.

    Raises ValueError for an event that leaves a gap: then a client asks for a fresh snapshot.
    """
    if event["seq"] <= state["seq"]:
        return state
    if event["seq"] != state["seq"] + 1:
        raise ValueError(f"event {event['seq']} after {state['seq']}: something is missing")
    change = _CHANGES[event["type"]](state, event["data"])
    return {**state, **change, "seq": event["seq"]}


def replay(state: State, events: Iterable[Event]) -> State:
    """The snapshot after many events."""
    for event in events:
        state = apply(state, event)
    return state


def _in_order(seats: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(seats, key=lambda seat: seat["place"])


def _nothing(state: State, data: dict[str, Any]) -> State:
    return {}


def _seat_taken(state: State, data: dict[str, Any]) -> State:
    others = (seat for seat in state["seats"] if seat["user"] != data["seat"]["user"])
    return _with_rights({**state, "seats": _in_order([*others, data["seat"]])})


def _seat_left(state: State, data: dict[str, Any]) -> State:
    return _with_rights({**state, "seats": [seat for seat in state["seats"] if seat["user"] != data["user"]]})


def _seat_muted(state: State, data: dict[str, Any]) -> State:
    change = {"muted": data["muted"], "held": data["held"]}
    return {"seats": [{**seat, **change} if seat["user"] == data["user"] else seat for seat in state["seats"]]}


def _seats_changed(state: State, data: dict[str, Any]) -> State:
    room = {**state["room"], "host_name": data["host_name"]}
    return _with_rights({**state, "room": room, "seats": _in_order(data["seats"])})


def _host_changed(state: State, data: dict[str, Any]) -> State:
    name = next(seat["name"] for seat in data["seats"] if seat["user"] == data["host"])
    there = {"host": data["host"], "host_name": name}
    there |= dict.fromkeys(("host_lost_at", "host_ends_at", "host_hands_over_at"))
    seats = [{**seat, "connected": True} if seat["user"] == data["host"] else seat for seat in data["seats"]]
    return _with_rights({**state, "room": {**state["room"], **there}, "seats": _in_order(seats)})


def _with_rights(state: State) -> State:
    """The parts of the state that follow from the reader's seat, the policy and who is host."""
    room, you = state["room"], state["you"]
    if you["user"] is None or room["status"] != "live":
        return state
    seat = next((seat for seat in state["seats"] if seat["user"] == you["user"]), None)
    is_host = room["host"] == you["user"]
    helps = is_host or (seat is not None and seat["role"] == "cohost")
    policy = room["speak_policy"]
    admitted = seat is not None or helps or policy in you["may"]["speak_under"]
    refused = "no_invitation" if policy == "invited" else "not_allowed_to_speak"
    why_not = you["may"]["never_speak"] or (None if admitted else refused)
    may = {**you["may"], "take_seat": why_not is None, "why_not": why_not, "manage": helps, "end": is_host}
    return {**state, "you": {**you, "may": may}}


def _host_lost(state: State, data: dict[str, Any]) -> State:
    return _host(state, data["lost_at"], data["ends_at"], data["hands_over_at"])


def _host_back(state: State, data: dict[str, Any]) -> State:
    return _host(state, None, None, None)


def _host(state: State, lost_at: str | None, ends_at: str | None, hands_over_at: str | None) -> State:
    times = {"host_lost_at": lost_at, "host_ends_at": ends_at, "host_hands_over_at": hands_over_at}
    room = {**state["room"], **times}
    there = {"connected": lost_at is None}
    return {
        "room": room,
        "seats": [{**seat, **there} if seat["user"] == room["host"] else seat for seat in state["seats"]],
    }


def _recording_paused(state: State, data: dict[str, Any]) -> State:
    return {"room": {**state["room"], "recording_paused_at": data["paused_at"]}}


def _recording_resumed(state: State, data: dict[str, Any]) -> State:
    return {"room": {**state["room"], "recording_paused_at": None}}


def _entry_policy_set(state: State, data: dict[str, Any]) -> State:
    return {"room": {**state["room"], "entry_policy": data["policy"]}}


def _speak_policy_set(state: State, data: dict[str, Any]) -> State:
    return _with_rights({**state, "room": {**state["room"], "speak_policy": data["policy"]}})


def _hands_locked(state: State, data: dict[str, Any]) -> State:
    return {"room": {**state["room"], "hands_locked": data["locked"]}}


def _captions_set(state: State, data: dict[str, Any]) -> State:
    return {"room": {**state["room"], "transcription": data["on"]}}


def _seat_captioned(state: State, data: dict[str, Any]) -> State:
    seats = [{**seat, "captions_off": data["off"]} if seat["user"] == data["user"] else seat for seat in state["seats"]]
    own = {"captions_off": data["off"]} if data["user"] == state["you"]["user"] else {}
    return {"seats": seats, "you": {**state["you"], **own}}


def _language_set(state: State, data: dict[str, Any]) -> State:
    return {"room": {**state["room"], "language": data["language"]}}


def _title_changed(state: State, data: dict[str, Any]) -> State:
    texts = {"title": data["title"], "topic": data["topic"], "title_removed": data["removed"]}
    return {"room": {**state["room"], **texts}}


def _room_ended(state: State, data: dict[str, Any]) -> State:
    room = {
        **state["room"],
        "status": "ended",
        "end_reason": data["reason"],
        "ended_at": data["ended_at"],
        "host_lost_at": None,
        "host_ends_at": None,
        "host_hands_over_at": None,
        "recording_paused_at": None,
    }
    nothing = {"take_seat": False, "why_not": "room_ended", "manage": False, "end": False}
    may = {**state["you"]["may"], **nothing}
    return {"room": room, "seats": [], "you": {**state["you"], "may": may}}


_CHANGES = {
    "room_opened": _nothing,
    "seat_taken": _seat_taken,
    "seat_left": _seat_left,
    "seat_muted": _seat_muted,
    "seats_changed": _seats_changed,
    "host_changed": _host_changed,
    "host_lost": _host_lost,
    "host_back": _host_back,
    "recording_paused": _recording_paused,
    "recording_resumed": _recording_resumed,
    "entry_policy_set": _entry_policy_set,
    "speak_policy_set": _speak_policy_set,
    "hands_locked": _hands_locked,
    "captions_set": _captions_set,
    "seat_captioned": _seat_captioned,
    "language_set": _language_set,
    "title_changed": _title_changed,
    "room_ended": _room_ended,
}
