"""Live captions: how late words are shown and confirmed, how many are wrong, and what they cost.

    python bench/captions.py [--talkers 1 2 4] [--languages en nl] [--clips report] [--seconds 40]

A site of ours (web, media, captions, with PostgreSQL, Redis and Janus of its own). People talk by WebRTC (aiortc), clip
after clip, each at a known time; a page at a WebSocket notes when each caption comes. Draft: from the end of a word to
the first caption that has it; confirmed: to the first that has it for certain. Where a clip's words end is what Whisper
finds in the clean clip, as for a transcript (the offline pass); what is wrong is counted against the words in it, and
against the offline pass. Processor time is that of the captions process, for each second in which somebody talks.

`report` are the clips of tests/speech (English and Dutch); `tuning` are those of LibriVox (English alone), on which
policies are tried. Figures are made with `report`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
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
        return [(sounds.with_pauses([path], 0), said) for path, said in sounds.DUTCH_SENTENCES.items()]
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


async def talk(web: Any, room: Any, programmes: dict[str, Programme]) -> tuple[dict[str, Any], dict[str, float], float]:
    """Let people say their programmes; returns what a page saw of each, when each began, processor seconds used."""
    from tests.support.captions import CaptionedPage, began_at, shown, talking
    from tests.support.waiting import until
    from transcripts.captions import state

    await until(lambda: state.room_state(room.pk)[0] != "off", what="a process with a model has the room")
    pid = web.running["captions"].pid
    async with CaptionedPage(room) as page, talking(web, room, {h: p.sound for h, p in programmes.items()}) as talkers:
        before = processor_seconds(pid)
        await until(lambda: all(talker.clip.started for talker in talkers.values()), what="all talk")
        await asyncio.sleep(max(one.length for one in programmes.values()) + SETTLES)
        began = {handle: began_at(talker) for handle, talker in talkers.items()}
        return shown(page), began, processor_seconds(pid) - before


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


def measure(web: Any, language: str, talkers: int, which: str, seconds: float, passes: list[Any]) -> str:
    """Measure one number of talkers and return a line of figures."""
    from rooms import actions
    from tests.support.people import person
    from tests.support.rooms import open_room

    found = clips(which, language)
    names = [f"{language}{talkers}x{number}" for number in range(talkers)]
    programmes = {name: Programme(number, found, passes, seconds) for number, name in enumerate(names)}
    room = open_room(f"host{language}{talkers}", language=language)
    for name in names:
        person(name)
    began_load = load()
    shown, began, used = asyncio.run(talk(web, room, programmes))
    actions.end_room(room.pk, room.host)
    every = [compare(shown[name], programmes[name], began[name]) for name in names if name in shown]
    total: dict[str, Any] = {key: sum((one[key] for one in every[1:]), every[0][key]) for key in every[0]}
    talked = sum(one.talks_ms for one in programmes.values()) / 1000
    return (
        f"{language}, {talkers} at once ({total['words']} words, load {began_load}): "
        f"draft {quantiles(total['drafts'])}, confirmed {quantiles(total['confirmed'])} s; "
        f"wrong {total['wrong'] / total['words']:.1%} (offline pass {total['offline_wrong'] / total['words']:.1%}), "
        f"differs from it {total['differs'] / total['offline_words']:.1%}; "
        f"rewritten {total['rewritten']}, drafts {total['redrafted'] / total['words']:.2f} a word; "
        f"processor {used / talked:.2f} s a talking second"
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
    given = parser.parse_args()
    with site("media", "captions", limits={"STATIC_FILES": "source"}) as (web, _parts):
        for language in given.languages:
            passes = offline(clips(given.clips, language), language)
            time.sleep(2)
            for talkers in given.talkers:
                print(measure(web, language, talkers, given.clips, given.seconds, passes), flush=True)


if __name__ == "__main__":
    main()
