"""Live captions: how late words are shown and confirmed, how many are wrong, and what they cost.

    python bench/captions.py [--talkers 1 2 4] [--languages en nl] [--clips report] [--seconds 40] [--beside] [--load 0]

A site of ours (web, media, captions, with PostgreSQL, Redis and Janus of its own). People talk by WebRTC (aiortc), clip
after clip, each at a known time; a page at a WebSocket notes when each caption comes. Draft: from the end of a word to
the first caption that has it; confirmed: to the first that has it for certain. Where a clip's words end is what Whisper
finds in the clean clip, as for a transcript (the offline pass); what is wrong is counted against the words in it, and
against the offline pass. Processor time is that of the captions process, for each second in which somebody talks.

`--beside`: another room is live meanwhile, with listeners near and by HLS (bench/sounding.py), and what they get is
told as well. `--load`: so many processes at normal priority want a core all the time.

`report` are clips of tests/speech; `tuning`, on which policies are tried, are those of LibriVox and, in Dutch, other
sentences by the same voice (tests/speech/dutch/tuning). Figures are made with `report`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import load, site

PAUSE_MS = 900
SETTLES = 8.0  # seconds after the last word


def clips(which: str, language: str) -> list[tuple[Any, str]]:
    """Return the clips of a language as (sound, words in it)."""
    from tests.support import sounds

    if language == "nl":
        dutch = sounds.DUTCH_TUNING if which == "tuning" else sounds.DUTCH_SENTENCES
        return [(sounds.with_pauses([path], 0), said) for path, said in dutch.items()]
    names = sounds.CLIPS if which == "tuning" else tuple(sounds.OTHERS)
    return [(sounds.clip(name), sounds.WORDS[name]) for name in names]


def offline(found: Sequence[tuple[Any, str]], language: str) -> list[list[tuple[str, int]]]:
    """Return the words that the offline pass finds in each clip, with the end of each in ms of the clip."""
    import torch
    from django.conf import settings

    from tests.support.sounds import plain_words
    from transcripts.speech import vad
    from transcripts.speech.stitch import stitch
    from transcripts.speech.whisper_engine import WhisperEngine
    from transcripts.speech.windows import pack, spans

    torch.set_num_threads(1)
    engine = WhisperEngine(settings.WHISPER_MODEL, settings.WHISPER_MODEL_DIR, 600)
    passes = []
    for sound, _said in found:
        words: list[tuple[str, int]] = []
        for window in pack(spans(vad.probabilities([sound]))):
            pieces = [sound[span.start_ms * 16 : span.end_ms * 16] for span in window]
            heard = engine.transcribe(np.concatenate(pieces), language, lambda: None)
            for line in stitch(heard, window, 0, language):
                words += [(plain, word.end_ms) for word in line.words for plain in plain_words(word.text)]
        passes.append(words)
    return passes


class Programme:
    """Speech of one person: clips one after another, beginning with another one for each person."""

    def __init__(self, number: int, found: Sequence[tuple[Any, str]], passes: list[Any], seconds: float) -> None:
        from tests.support.sounds import RATE, plain_words

        parts, at_ms, turn = [], 700 + 1300 * number, number
        parts.append(np.zeros(at_ms * RATE // 1000, np.float32))
        self.said: list[str] = []
        self.offline: list[str] = []
        self.ends: list[int] = []  # ms, of each word of the offline pass
        self.talks_ms = 0
        while at_ms < seconds * 1000:
            sound, said = found[turn % len(found)]
            for plain, end_ms in passes[turn % len(found)]:
                self.offline.append(plain)
                self.ends.append(at_ms + end_ms)
            self.said += plain_words(said)
            pause = np.zeros(PAUSE_MS * RATE // 1000, np.float32)
            parts += [sound, pause]
            self.talks_ms += len(sound) * 1000 // RATE
            at_ms += (len(sound) + len(pause)) * 1000 // RATE
            turn += 1
        self.sound = np.concatenate(parts)
        self.length = at_ms / 1000


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def busy(number: int, folder: Path) -> Iterator[None]:
    """Keep so many processes busy, at normal priority."""
    from deploy.local.process import bound, start, stop

    running: list[subprocess.Popen[bytes]] = []
    try:
        for _number in range(number):
            running.append(start(bound([sys.executable, "-c", "while True: pass"]), folder / "busy.log"))
        yield
    finally:
        for process in running:
            stop(process)


@asynccontextmanager
async def another_room(web: Any, name: str, seconds: float) -> AsyncGenerator[asyncio.Task[Any]]:
    """Let another room sound; the task returns what was heard of it in that time."""
    from django.conf import settings

    from bench.sounding import sounding

    async with sounding(web.url, settings.PORT, name) as there:
        yield asyncio.create_task(there.measure(seconds))


@dataclass
class Talked:
    """Captions of each speaker as a page saw them, when each began, processor seconds used, and of the room beside."""

    shown: dict[str, Any]
    began: dict[str, float]
    used: float
    beside: str = ""


async def talk(web: Any, room: Any, programmes: dict[str, Programme], beside: str = "") -> Talked:
    """Let people say their programmes, beside another room where its host is named."""
    from tests.support.captions import CaptionedPage, began_at, shown, talking
    from tests.support.waiting import until
    from transcripts.captions import state

    await until(lambda: state.room_state(room.pk)[0] != "off", what="a process with a model has the room")
    pid, length = web.running["captions"].pid, max(one.length for one in programmes.values())
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(CaptionedPage(room))
        task = await stack.enter_async_context(another_room(web, beside, length)) if beside else None
        sounds = {handle: one.sound for handle, one in programmes.items()}
        talkers = await stack.enter_async_context(talking(web, room, sounds))
        before = processor_seconds(pid)
        await until(lambda: all(talker.clip.started for talker in talkers.values()), what="all talk")
        await asyncio.sleep(length + SETTLES)
        began = {handle: began_at(talker) for handle, talker in talkers.items()}
        heard = (await task).line() if task else ""
        return Talked(shown(page), began, processor_seconds(pid) - before, heard)


def compare(shown: Any, programme: Programme, began: float) -> dict[str, Any]:
    """Compare what was shown of one person with what they said."""
    from tests.support.captions import matched
    from tests.support.sounds import word_error_rate

    drafts: list[float] = []
    confirmed: list[float] = []
    for place, there in matched(programme.offline, shown.words).items():
        end = began + programme.ends[place] / 1000
        for found, draft in ((drafts, True), (confirmed, False)):
            at = shown.first_shown(there, draft=draft)
            if at is not None:
                found.append(at - end)
    return {
        "drafts": drafts,
        "confirmed": confirmed,
        "wrong": word_error_rate(programme.said, shown.words) * len(programme.said),
        "offline_wrong": word_error_rate(programme.said, programme.offline) * len(programme.said),
        "differs": word_error_rate(programme.offline, shown.words) * len(programme.offline),
        "words": len(programme.said),
        "offline_words": len(programme.offline),
        "rewritten": shown.rewritten,
        "redrafted": shown.redrafted,
    }


def measure(web: Any, language: str, talkers: int, given: argparse.Namespace, passes: list[Any]) -> str:
    """Measure one number of talkers and return a line of figures."""
    from rooms import actions
    from tests.support.people import person
    from tests.support.rooms import open_room

    found = clips(given.clips, language)
    names = [f"{language}{talkers}x{number}" for number in range(talkers)]
    programmes = {name: Programme(number, found, passes, given.seconds) for number, name in enumerate(names)}
    room = open_room(f"host{language}{talkers}", language=language)
    for name in names:
        person(name)
    beside = f"beside{language}{talkers}" if given.beside else ""
    if beside:
        person(beside, creator=True)
    began_load = load()
    with busy(given.load, web.logs):
        talked = asyncio.run(talk(web, room, programmes, beside))
    actions.end_room(room.pk, room.host)
    shown = talked.shown
    every = [compare(shown[name], programmes[name], talked.began[name]) for name in names if name in shown]
    if not every:
        return f"{language}, {talkers} at once ({began_load}{given.how}): nobody was captioned"
    total: dict[str, Any] = {key: sum((one[key] for one in every[1:]), every[0][key]) for key in every[0]}
    talks = sum(one.talks_ms for one in programmes.values()) / 1000
    return (
        f"{language}, {talkers} at once ({total['words']} words, {began_load}{given.how}): "
        f"draft {quantiles(total['drafts'])}, confirmed {quantiles(total['confirmed'])} s; "
        f"wrong {total['wrong'] / total['words']:.1%} (offline pass {total['offline_wrong'] / total['words']:.1%}), "
        f"differs from it {total['differs'] / total['offline_words']:.1%}; "
        f"rewritten {total['rewritten']}, drafts {total['redrafted'] / total['words']:.2f} a word; "
        f"processor {talked.used / talks:.2f} s a talking second" + (f"\n    beside: {talked.beside}" if beside else "")
    )


def quantiles(found: Sequence[float]) -> str:
    if not found:
        return "none"
    return f"p50 {np.percentile(found, 50):.2f}, p95 {np.percentile(found, 95):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talkers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--languages", nargs="+", default=["en", "nl"], choices=["en", "nl"])
    parser.add_argument("--clips", default="report", choices=["report", "tuning"])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--beside", action="store_true")
    parser.add_argument("--load", type=int, default=0)
    given = parser.parse_args()
    given.how = f" and {given.load} busy processes" if given.load else ""
    with site("media", "captions", limits={"STATIC_FILES": "source"}) as (web, _parts):
        for language in given.languages:
            passes = offline(clips(given.clips, language), language)
            time.sleep(2)
            for talkers in given.talkers:
                print(measure(web, language, talkers, given, passes), flush=True)


if __name__ == "__main__":
    main()
