"""Captions that a page shows over time, and when it plays the same words; people who speak when they are asked to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.sync_api import Page

from rooms.guests import peers
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.models import Room
from tests.e2e.hearing import PageEar
from tests.flows.live import beside
from tests.support.people import PASSWORD, person
from tests.support.processes import Site
from tests.support.sounds import RATE, clip, plain_words
from tests.support.waiting import wait_until
from transcripts.models import LiveLine
from transcripts.speech.audio import Sound

# Keeps what stands on the table, each time that it changed: the moment, in ms, and the words of everybody.
READ = """() => {
  const place = document.querySelector('[data-captions="table"]');
  const read = (window.read = []);
  let before = "{}";
  setInterval(() => {
    const blocks = [...place.querySelectorAll(".caption")];
    const now = JSON.stringify(Object.fromEntries(
      blocks.map((block) => [block.dataset.person, block.querySelector(".caption-text").innerText])));
    if (now !== before) read.push([Date.now(), JSON.parse(now)]);
    before = now;
  }, 20);
}"""
# Of each piece that the page played: the moment, in ms, at which it ended, its rate, and how many samples it has.
PIECES = "() => window.heard.map(({ at, rate, samples }) => [at, rate, samples.length])"
GRAIN = 100  # values of loudness a second, by which a clip is found again
FOUND = 0.7  # of 1: how alike they are where it is


@contextmanager
def on_stage(site: Site, room: Room, *handles: str) -> Iterator[dict[str, Talker]]:
    """Seat people, with open microphones in which there is nothing so far."""
    talkers: dict[str, Talker] = {}
    for handle in handles:
        if handle != room.host.handle:
            person(handle)
        browser = Browser(site.url)
        browser.sign_in(handle, PASSWORD)
        talkers[handle] = Talker(browser, room.slug, peers.Clip(np.zeros(peers.FRAME, np.int16)))
    with beside(*(talker.run() for talker in talkers.values())):
        wait_until(lambda: all(talker.clip.started for talker in talkers.values()), 60, "all sit")
        yield talkers


def speak(talker: Talker, sound: Sound) -> float:
    """Have somebody say this, from now on; returns the moment."""
    talker.clip.playing = False
    talker.clip.samples = np.repeat((np.clip(sound, -1, 1) * 32767).astype(np.int16), peers.RATE // RATE)
    talker.clip.position = 0
    talker.clip.playing = True
    return time.time()


def kept_words(room: Room) -> list[str]:
    """Return the words of the lines that a snapshot has."""
    rows = LiveLine.objects.filter(room=room).order_by("-line")[:12]
    return [word for row in list(rows)[::-1] for each, _start, _end in row.words for word in plain_words(each)]


def alone_words(page: Page) -> list[str]:
    """Return the words that the page of captions alone shows, but for drafts."""
    parts: list[str] = page.locator("[data-alone] [data-words]").all_text_contents()
    return plain_words(" ".join(parts))


@dataclass
class Reading:
    """Captions on the table of a page, by the moment (seconds since 1970) from which they stood there."""

    texts: list[tuple[float, dict[str, list[str]]]]

    @classmethod
    def of(cls, page: Page) -> Reading:
        found: list[Any] = page.evaluate("() => window.read")
        return cls([(at / 1000, {who: plain_words(text) for who, text in now.items()}) for at, now in found])

    def phrases(self, until: float) -> set[tuple[str, ...]]:
        """Return every three words that stood there one after another before a moment."""
        return {phrase for at, now in self.texts if at < until for text in now.values() for phrase in in_threes(text)}

    def first_new(self, since: float) -> float | None:
        """Return when words stood there for the first time that did not before a moment."""
        known = self.phrases(since)
        return next(
            (
                at
                for at, now in self.texts
                if at >= since and any(set(in_threes(text)) - known for text in now.values())
            ),
            None,
        )

    def first(self, who: str, words: Sequence[str], since: float = 0.0) -> float | None:
        """Return when these words first stood there one after another."""
        wanted = list(words)
        for at, now in self.texts:
            text = now.get(who, [])
            there = any(text[place : place + len(wanted)] == wanted for place in range(len(text)))
            if at >= since and there:
                return at
        return None

    def said_by(self, who: str) -> set[str]:
        """Return every word that ever stood under a name."""
        return {word for _at, now in self.texts for word in now.get(who, [])}


def in_threes(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + 3]) for at in range(len(words) - 2)]


def loudness(sound: np.ndarray[Any, Any], rate: float) -> np.ndarray[Any, Any]:
    size = round(rate / GRAIN)
    whole = np.asarray(sound[: len(sound) // size * size], np.float64).reshape(-1, size)
    levels: np.ndarray[Any, Any] = np.sqrt((whole**2).mean(axis=1))
    return levels


@dataclass
class Playing:
    """Sound that a page played, and when."""

    levels: np.ndarray[Any, Any]  # GRAIN of them a second
    moments: np.ndarray[Any, Any]  # seconds since 1970 of each

    @classmethod
    def by(cls, ear: PageEar) -> Playing:
        pieces = np.array(ear.page.evaluate(PIECES))
        ends, rate, sizes = pieces[:, 0] / 1000, pieces[0, 1], np.cumsum(pieces[:, 2])
        samples = ear.sound(0.0, time.time() + 1)
        levels = loudness(samples, peers.RATE)
        places = np.arange(len(levels)) / GRAIN
        # Pieces arrive in bursts: of a second around, the middle of what each says of when the sound began.
        begins = ends - sizes / rate
        near = np.array([np.median(begins[np.abs(sizes / rate - place) < 0.5]) for place in places])
        return cls(levels, near + places)

    def of(self, name: str, since: float) -> np.ndarray[Any, Any] | None:
        """Return when each hundredth of a second of a clip was heard that was said after a moment: a player may pause
        in the middle of it. None where it left some of it out, as it does on a machine that is busy."""
        wanted = loudness(clip(name), RATE)
        wanted = (wanted - wanted.mean()) / (wanted.std() * len(wanted))
        start = int(np.searchsorted(self.moments, since))
        parts = np.lib.stride_tricks.sliding_window_view(self.levels[start:], len(wanted))
        alike = parts @ wanted / (parts.std(axis=1) + 1e-9)
        best = int(alike.argmax())
        return self.moments[start + best :][: len(wanted)] if alike[best] > FOUND else None
