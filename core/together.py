"""Questions that many tasks of one event loop ask in the same moment, answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 200  # questions answered at once


class Together(Generic[Q, A]):
    """Questions with an answer each. Those that are asked while others are answered go together after them: what is
    answered was found out after it was asked, and a thousand questions cost a few dozen turns."""

    def __init__(self, answers: Callable[[list[Q]], Awaitable[Sequence[A | Exception]]], name: str) -> None:
        """`answers` returns one for each question, in their order; an exception is raised where it was asked for. What
        `answers` raises itself is raised for all of them. `name` is that of the task."""
        self._answers = answers
        self._name = name
        self._waiting: list[tuple[asyncio.Future[A], Q]] = []
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Ask, and wait for the answer."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((answer, question))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer(), name=self._name)
        return await answer

    async def _answer(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever the last answers woke, and has another question, comes along
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            answers: Sequence[Any] = ()
            try:
                answers = await self._answers([question for _answer, question in batch])
            except Exception as error:
                answers = [error] * len(batch)
            finally:  # also where this task is cancelled: nobody waits for ever
                _give([waiting for waiting, _question in batch], answers)


def _give(waiting: list[asyncio.Future[A]], answers: Sequence[Any]) -> None:
    if len(answers) != len(waiting):
        answers = [RuntimeError(f"{len(answers)} answers to {len(waiting)} questions")] * len(waiting)
    for one, answer in zip(waiting, answers, strict=True):
        if one.done():  # its task was cancelled
            continue
        if isinstance(answer, Exception):
            one.set_exception(answer)
        else:
            one.set_result(answer)
