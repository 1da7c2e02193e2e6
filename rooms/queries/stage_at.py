"""The stage of a room at a moment, replayed from its log."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.models import Room
from rooms.wire.stage_log import CHANGES, Stage, stage_log


@dataclass(frozen=True)
class SeatAt:
    """A person on stage at a moment; `name` is as the room saw it then."""

    user_pk: int
    name: str
    role: str
    muted: bool


def stage_at(room: Room, ms: int) -> list[SeatAt]:
    """List who sat on stage at a room time in ms, by place: the host first, co-hosts last. One query; nobody before the
    start and after the end."""
    changes, accounts = stage_log(room, ms)
    stage: Stage = {}
    for _at_ms, kind, data in changes:
        stage = CHANGES[kind](stage, data)
    seats = sorted(stage.items(), key=lambda item: item[1]["place"])
    return [
        SeatAt(accounts[handle], seat["name"], seat["role"], seat["muted"])
        for handle, seat in seats
        if handle in accounts
    ]
