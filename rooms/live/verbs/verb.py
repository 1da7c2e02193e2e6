"""A verb: one thing that a client can ask of a room, by WebSocket or over the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, Literal

from rest_framework import serializers

from core.throttle import Limit
from rooms.live.verbs.arguments import Argument
from rooms.live.verbs.call import Call, in_turn
from rooms.rules import limits

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rest:
    """Where the API has a verb: `method` and `path` below /api/v1/rooms/<slug>/.

    `answer` describes the verb's own answer; without it the API answers with the room as the reader then sees it.
    Without `takes_arguments` no body is read.
    """

    method: Literal["post", "put", "delete"]
    path: str
    answer: Mapping[str, Callable[[], serializers.Field[Any, Any, Any, Any]]] | None = None
    status: int = 200
    takes_arguments: bool = True


@dataclass(frozen=True, slots=True)
class Verb:
    """`run` takes the call and its arguments by name, and returns the answer's fields.

    A plain function is database work: it gets the account that asks, too, and runs beside the event loop, in its
    client's turn. A coroutine function runs on the loop. Verbs of one `lane` of a socket keep their order; sound has a
    lane of its own, so that waiting for it holds up nothing else. `limit` is how often one client may ask. The first
    line of `run`'s docstring describes the verb in the API. Where `run` is a coroutine function the API needs
    `blocking`, the plain function that does the same. Staff who listen in may ask `for_staff` verbs alone.
    """

    run: Callable[..., Any]
    lane: Literal["room", "sound"] = "room"
    args: Mapping[str, Argument] = field(default_factory=dict)
    limit: Limit | None = limits.ACTIONS
    rest: Rest | None = None
    blocking: Callable[..., Any] | None = None
    for_staff: bool = False

    def perform(self, call: Call) -> Answer:
        """Do database work here and now. Somebody who was signed out reads that, whatever the arguments are.

        Raises RoomRefused.
        """
        me = call.account()
        answer: Answer = (self.blocking or self.run)(call, me, **self._read(call))
        return answer

    async def aperform(self, call: Call) -> Answer:
        """Answer a socket. Raises RoomRefused."""
        if iscoroutinefunction(self.run):
            answer: Answer = await self.run(call, **self._read(call))
            return answer
        return await in_turn(self.perform, call)

    def _read(self, call: Call) -> dict[str, Any]:
        return {name: argument.read(call.args.get(name)) for name, argument in self.args.items()}
