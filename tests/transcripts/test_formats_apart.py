"""Files read back by other programs: each line is under the person who said it, whatever people are called."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import NAME, Text, flat
from people.labels import labels
from transcripts.files.formats import FORMATS, FileHeader, FormatLine

ABOUT = FileHeader("Titel", "2026-11-23 18:00 UTC", "nl", "base", "openai-whisper 1")
HANDLES = ("anna", "anna-2", "bert_3")
LINE = Text(1000)
SIGNS = 'Aa \u00e9<>&:{}[]()\\|/-.,;=@#"\u201c\n0123456789\u05d0\u0645\u0301👍'
ARROWS = (
    "-->",
    "{\\an8}",
    "<v Bert>",
    "</v>",
    "&amp;",
    "Anna",
    "Anna (@anna)",
    "@anna",
    "00:00:01.000 --> 00:00:02.000",
)
typed = st.lists(st.one_of(st.sampled_from(ARROWS), st.sampled_from(SIGNS)), min_size=1, max_size=8).map("".join)
NAMES = st.lists(typed, min_size=3, max_size=3) | typed.map(lambda one: [one] * 3)


def spoken(names: Iterable[str], texts: Iterable[tuple[int, str]]) -> tuple[list[FormatLine], dict[str, str]]:
    """Lines as a transcript hands them to files, a second each, and how the speakers are called."""
    people = dict(zip(HANDLES, names, strict=True))
    called = labels(people)
    lines = []
    for at, (who, text) in enumerate(texts):
        handle = HANDLES[who]
        start, end = at * 1000, at * 1000 + 900
        lines.append(FormatLine(start, end, people[handle], text, handle=handle, label=called[handle]))
    return lines, called


def written(kind: str, lines: Iterable[FormatLine]) -> str:
    return "".join(FORMATS[kind][0](ABOUT, lines))


def of_vtt(text: str) -> Iterator[tuple[str, str]]:
    """(speaker, words) of each cue, by the rules of WebVTT: blocks, a line with an arrow, a voice tag, references."""
    head, *blocks = re.split(r"\n\n+", text.strip("\n"))
    assert head.startswith("WEBVTT") and "-->" not in head
    for block in blocks:
        number, times, *rows = block.split("\n")
        payload = " ".join(rows)
        assert number.isdigit() and re.fullmatch(r"[\d:.]+ --> [\d:.]+", times)
        found = re.fullmatch(r"<v ([^>\n]+)>([^<\n]*)</v>", payload)
        assert found, payload
        yield html.unescape(found[1]), html.unescape(found[2])


def of_srt(text: str) -> Iterator[tuple[str, str]]:
    for block in re.split(r"\n\n+", text.strip("\n")):
        number, times, *rows = block.split("\n")
        payload = " ".join(rows)
        assert number.isdigit() and re.fullmatch(r"[\d:,]+ --> [\d:,]+", times)
        assert not re.search(r"[<>{}\\]", payload), payload
        name, _colon, words = payload.partition(": ")
        yield name, words


def of_txt(text: str) -> Iterator[tuple[str, str]]:
    _head, *turns = re.split(r"\n\n+", text.strip("\n"))
    for turn in turns:
        found = re.fullmatch(r"\[\d\d:\d\d:\d\d\] ([^:\n]+): ([^\n]*)", turn)
        assert found, turn
        yield found[1], found[2]


def plain(text: str) -> str:
    """Replace the characters that SubRip cannot escape by those that stand for them in it."""
    return flat(text).translate(str.maketrans("<>{}\\", "[]()/"))


@given(NAMES, st.lists(st.tuples(st.integers(0, 2), typed), min_size=1, max_size=6))
def test_each_line_is_under_the_right_person_in_every_format(names: list[str], texts: list[tuple[int, str]]) -> None:
    lines, called = spoken(names, texts)
    assert len(set(called.values())) == 3, "no two are called the same"
    asked = [(HANDLES[who], flat(words)) for who, words in texts]
    divided = {handle: name.replace(":", "\u2236") for handle, name in called.items()}
    assert list(of_vtt(written("vtt", lines))) == [(called[handle], words) for handle, words in asked]
    srt = [(name.strip(), words.strip()) for name, words in of_srt(written("srt", lines))]
    assert srt == [(plain(divided[handle]), plain(words)) for handle, words in asked]
    assert len({plain(name) for name in divided.values()}) == 3, "nor in SubRip, with its fewer signs"
    cues = json.loads(written("json", lines))["cues"]
    assert [(cue["handle"], flat(cue["text"])) for cue in cues] == asked
    turns: list[list[str]] = []
    for handle, words in asked:
        if turns and turns[-1][0] == divided[handle]:
            turns[-1][1] += f" {words}"
        else:
            turns.append([divided[handle], words])
    assert [[name, words.strip()] for name, words in of_txt(written("txt", lines))] == [
        [name, words.strip()] for name, words in turns
    ]


@given(NAMES)
def test_names_that_read_alike_are_told_apart(names: list[str]) -> None:
    called = labels(dict(zip(HANDLES, names, strict=True)))
    for handle, name in called.items():
        assert name.endswith(f"(@{handle})") or not any(other.endswith(f"(@{handle})") for other in called.values())


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (["Anna", "Bert", "Cas"], ["Anna", "Bert", "Cas"]),
        (["Anna", "Anna", "Anna"], ["Anna (@anna)", "Anna (@anna-2)", "Anna (@bert_3)"]),
        (["Anna", "ANNA ", "Bert"], ["Anna (@anna)", "ANNA (@anna-2)", "Bert"]),
        (["Anna", "\uff21nna", "An-na"], ["Anna (@anna)", "\uff21nna (@anna-2)", "An-na (@bert_3)"]),
        (["Anna", "Anna", "Anna (@anna)"], ["Anna (@anna)", "Anna (@anna-2)", "Anna (@anna) (@bert_3)"]),
        (["Zoe\u0308", "Zoë", "\u3164"], ["Zoë (@anna)", "Zoë (@anna-2)", "Unknown person"]),
        (["Anna", "An\u200bna\u200f", "..."], ["Anna (@anna)", "An\u200bna\u200f (@anna-2)", "... (@bert_3)"]),
    ],
)
def test_a_handle_stands_where_it_is_needed(names: list[str], called: list[str]) -> None:
    found = labels(dict(zip(HANDLES, names, strict=True)))
    assert [found[handle].replace("e\u0308", "ë") for handle in HANDLES] == called


def test_what_is_kept_today_survives_as_it_is() -> None:
    text = LINE.clean("\u201cTwee < drie\u201d & meer: 100\u00a0% 👍🏾 שלום")
    lines, _called = spoken(["Anna", "Anna", NAME.clean("דני")], [(2, text)])
    assert list(of_vtt(written("vtt", lines))) == [("דני", flat(text))]
    assert json.loads(written("json", lines))["cues"][0]["text"] == text


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_a_player_shows_names_and_words_and_obeys_none(kind: str, tmp_path: Path) -> None:
    """ffmpeg's reader of subtitles, as many players have it, finds all of it and takes none for a command."""
    names = ["{\\an8}Anna", "<b>Bert</b>", "Cas --> \\N"]
    lines, called = spoken(names, [(0, "Eén {\\pos(1,2)} twee"), (1, "<i>drie</i>"), (2, "vier --> vijf")])
    path = tmp_path / f"lines.{kind}"
    path.write_text(written(kind, lines))
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "ass", "-"]
    events = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    shown = [line.split(",", 9)[9] for line in events.splitlines() if line.startswith("Dialogue:")]
    assert len(shown) == 3
    if kind == "srt":
        assert [plain(name) + ": " for name in called.values()] == [one[: one.index(": ") + 2] for one in shown]
        assert "(/an8)Anna: Eén (/pos(1,2)) twee" in shown[0] and "[i]drie[/i]" in shown[1]
    assert not any("{\\an8}" in one or "{\\i1}" in one for one in shown)
