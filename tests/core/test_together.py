"""Questions that are asked in the same moment are answered together, each with its own answer."""

from __future__ import annotations

import asyncio

import pytest

from core.together import MOST, Together
from tests.support.waiting import until


class Answers:
    """Twice each number, once it may go on; an odd one is an error of its own."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self.fails = False
        self.together: Together[int, int] = Together(self._answer, "test")

    async def _answer(self, numbers: list[int]) -> list[int | Exception]:
        self.turns.append(numbers)
        await self.may_go_on.wait()
        if self.fails:
            raise OSError("away")
        return [ValueError(str(number)) if number % 2 else 2 * number for number in numbers]

    def ask(self, number: int) -> asyncio.Task[int]:
        return asyncio.create_task(self.together.ask(number))


async def test_what_is_asked_during_a_turn_goes_with_the_next() -> None:
    answers = Answers()
    first = [answers.ask(number) for number in (0, 2, 3)]
    await until(lambda: answers.turns)
    later = [answers.ask(number) for number in range(4, 6 + 2 * MOST, 2)]
    await asyncio.sleep(0)
    later[0].cancel()
    assert answers.turns == [[0, 2, 3]], "nothing is answered with what was found out before it was asked"
    answers.may_go_on.set()
    done = await asyncio.gather(*first, *later, return_exceptions=True)
    assert done[:2] == [0, 4] and isinstance(done[2], ValueError)
    assert isinstance(done[3], asyncio.CancelledError) and done[4:] == list(range(12, 12 + 4 * MOST, 4))
    assert [len(turn) for turn in answers.turns] == [3, MOST, 1]
    assert await answers.ask(8) == 16


async def test_nobody_waits_for_ever() -> None:
    """Where the turn itself is cancelled, or its answers are not as many as its questions."""
    answers = Answers()
    waiting = [answers.ask(2), answers.ask(4)]
    await until(lambda: answers.turns)
    turn = answers.together._answering
    assert turn is not None
    turn.cancel()
    assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [RuntimeError] * 2

    async def one_answer(_numbers: list[int]) -> list[int]:
        return [1]

    few: Together[int, int] = Together(one_answer, "test")
    assert [type(one) for one in await asyncio.gather(few.ask(1), few.ask(2), return_exceptions=True)] == [
        RuntimeError,
        RuntimeError,
    ]


async def test_what_fails_for_all_is_raised_for_each_and_the_next_are_answered() -> None:
    answers = Answers()
    answers.fails = True
    answers.may_go_on.set()
    assert [type(one) for one in await asyncio.gather(answers.ask(2), answers.ask(4), return_exceptions=True)] == [
        OSError,
        OSError,
    ]
    answers.fails = False
    assert await answers.ask(2) == 4
    with pytest.raises(ValueError, match="3"):
        await answers.ask(3)
