"""Live captions as a page of a room gets them, and speakers whose words have known times."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed

from rooms.guests import peers
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.models import Room
from tests.support.client import Page
from tests.support.people import PASSWORD
from tests.support.processes import Site
from tests.support.sounds import RATE, plain_words
from transcripts.captions.engine import LiveEngine
from transcripts.captions.stream import Stream
from transcripts.speech.audio import Sound
from transcripts.speech.stitch import Word, believable


def microphone(sound: Sound, *, loop: bool = False) -> peers.Clip:
    """A track that plays sound once and then nothing, or again and again."""
    samples = np.repeat((np.clip(sound, -1, 1) * 32767).astype(np.int16), peers.RATE // RATE)
    return peers.Clip(samples, loop=loop)


def began_at(talker: Talker) -> float:
    """The moment (time.time) at which a talker's sound began."""
    clip = talker.clip
    assert clip.started is not None
    return time.time() - time.monotonic() + clip.started


@asynccontextmanager
async def talking(
    site: Site, room: Room, sounds: Mapping[str, Sound], *, loop: bool = False
) -> AsyncGenerator[dict[str, Talker]]:
    """Let people with these handles talk in a room at the same time, by WebRTC."""
    async with AsyncExitStack() as stack:
        talkers = {}
        for handle, sound in sounds.items():
            browser = Browser(site.url)
            await asyncio.to_thread(browser.sign_in, handle, PASSWORD)
            talkers[handle] = Talker(browser, room.slug, microphone(sound, loop=loop))
        tasks = [asyncio.create_task(talker.run()) for talker in talkers.values()]

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        stack.push_async_callback(end)
        yield talkers


class CaptionedPage(Page):
    """A page that notes when each message came."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.came: list[tuple[float, dict[str, Any]]] = []

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                message = json.loads(text)
                self.came.append((time.time(), message))
                self.seen.append(message)
                self.unread.put_nowait(message)
        except ConnectionClosed:
            return


@dataclass
class Shown:
    """Captions of one person over time."""

    person: str
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)  # the latest of each
    texts: list[tuple[float, list[str], list[str]]] = field(default_factory=list)  # moment, confirmed, with the draft
    rewritten: int = 0  # confirmed words that changed, lines that went on after their end
    redrafted: int = 0  # draft words that changed

    def take(self, at: float, message: dict[str, Any]) -> None:
        """Take one caption of this person."""
        number, before = message["line"], self.lines.get(message["line"])
        if before is not None:
            same = message["confirmed"][: len(before["confirmed"])] == before["confirmed"]
            self.rewritten += not same or (before["final"] and message["confirmed"] != before["confirmed"])
        self.lines[number] = message
        confirmed, drafted = self._text(draft=False), self._text(draft=True)
        if self.texts:
            last = self.texts[-1][2]
            self.redrafted += sum(a != b for a, b in zip(last, drafted, strict=False)) + max(
                0, len(last) - len(drafted)
            )
        self.texts.append((at, confirmed, drafted))

    def _text(self, *, draft: bool) -> list[str]:
        words: list[str] = []
        for _number, line in sorted(self.lines.items()):
            words += plain_words(" ".join(word for word, _start, _end in line["confirmed"]))
            if draft:
                words += plain_words(line["draft"])
        return words

    @property
    def words(self) -> list[str]:
        """All that is confirmed in the end."""
        return self._text(draft=False)

    def first_shown(self, place: int, *, draft: bool) -> float | None:
        """The first moment from which the word at this place of the final text was there."""
        word = self.words[place]
        for at, confirmed, drafted in self.texts:
            text = drafted if draft else confirmed
            if len(text) > place and text[place] == word:
                return at
        return None

    def times(self) -> list[tuple[int, int]]:
        """Beginning and end of each confirmed word in room time."""
        return [(start, end) for _number, line in sorted(self.lines.items()) for _word, start, end in line["confirmed"]]


def shown(page: CaptionedPage) -> dict[str, Shown]:
    """Captions that a page got, by the handle of who speaks."""
    found: dict[str, Shown] = {}
    for at, message in page.came:
        if message.get("type") == "caption":
            found.setdefault(message["person"], Shown(message["person"])).take(at, message)
    return found


def matched(reference: list[str], found: list[str]) -> dict[int, int]:
    """Align two texts word by word; returns place in the reference → place in what was found, of equal words."""
    rows, columns = len(reference) + 1, len(found) + 1
    cost = np.zeros((rows, columns), int)
    cost[:, 0], cost[0, :] = range(rows), range(columns)
    for row in range(1, rows):
        for column in range(1, columns):
            change = cost[row - 1, column - 1] + (reference[row - 1] != found[column - 1])
            cost[row, column] = min(change, cost[row - 1, column] + 1, cost[row, column - 1] + 1)
    pairs, row, column = {}, rows - 1, columns - 1
    while row and column:
        same = reference[row - 1] == found[column - 1]
        if cost[row, column] == cost[row - 1, column - 1] + (not same):
            if same:
                pairs[row - 1] = column - 1
            row, column = row - 1, column - 1
        elif cost[row, column] == cost[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return pairs


def live_words(engine: LiveEngine, sound: Sound, language: str, step_ms: int = 1000) -> list[str]:
    """Words that captions make of sound, as fast as it can be computed: each hearing has what was said until then."""
    stream = Stream()
    words: list[Word] = []
    for at in range(0, len(sound) + RATE, 1600):
        stream.feed(at * 1000 / RATE, sound[at : at + 1600] if at < len(sound) else np.zeros(1600, np.float32), 0.0)
        stretch = stream.next
        if stretch is None or not stretch.is_speech:
            continue
        if stretch.closed or stretch.end_ms - stretch.heard_ms >= step_ms:
            if stretch.closed and stretch.heard_out:
                words += stretch.finish()
            else:
                until_ms = stretch.end_ms
                heard = engine.hear(stretch.sound, language, stretch.said)
                new = heard.words if believable(heard.segment) else ()
                words += stretch.take(new, until_ms, final=stretch.closed)
            if stretch.closed:
                stream.closed.remove(stretch)
    return plain_words("".join(word.text for word in words))
