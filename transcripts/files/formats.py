"""A transcript as files people use: WebVTT, SRT, plain text, JSON. Pure: lines in, text out.

Names and words are other people's input: what would end a cue, start a tag or a command, or turn the direction of text
is taken out or escaped here, whatever the account's page let through. A name is nobody's identity: speakers whose names
read alike are told apart by their handles (`people.labels`), in every format.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from core.text import flat
from people.labels import printable

# SubRip has no escapes: brackets that begin tags and commands ({\\an8}, \\N) become others.
SRT_SIGNS = str.maketrans({"<": "[", ">": "]", "{": "(", "}": ")", "\\": "/"})
# What divides a name from words in text and SubRip stands in no name.
DIVIDER = str.maketrans({":": "\u2236"})


@dataclass(frozen=True, slots=True)
class FormatLine:
    """One cue as it is shown. `gap` says why there are no words: `failed` (not transcribed) or `unclear`; `doubtful`
    that the machine may have made them up.

    `handle` says who spoke; `speaker` is their name, `label` that name told apart from others (`people.labels`).
    """

    start_ms: int
    end_ms: int
    speaker: str
    text: str
    handle: str = ""
    label: str = ""
    gap: str = ""
    doubtful: bool = False
    corrected: bool = False
    machine_text: str = ""
    confidence: float | None = None
    words: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class About:
    """What stands at the top of a file."""

    title: str
    started_at: str
    language: str
    model: str
    version: str


GAPS = {"failed": "[not transcribed]", "unclear": "[unclear]"}
DOUBTFUL = "[doubtful]"


def shown(line: FormatLine) -> str:
    """The text of this line as it is read: the words, or in brackets why there are none, or that they are doubtful."""
    if line.gap:
        return GAPS[line.gap]
    return f"{DOUBTFUL} {flat(line.text)}" if line.doubtful else flat(line.text)


def label(line: FormatLine) -> str:
    """The speaker of a line, for reading."""
    return line.label or printable(line.speaker)


def clock(ms: int, separator: str) -> str:
    """`hh:mm:ss.mmm`; hours go on past 99."""
    seconds, thousandths = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{thousandths:03}"


def escape(text: str) -> str:
    """WebVTT's three characters; with `>` gone no `-->` is left."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def webvtt(about: About, lines: Iterable[FormatLine]) -> Iterator[str]:
    """WebVTT with the speaker in a voice tag."""
    yield f"WEBVTT - {escape(flat(about.title))}\nLanguage: {about.language}\n\n"
    for number, line in enumerate(lines, 1):
        times = f"{clock(line.start_ms, '.')} --> {clock(line.end_ms, '.')}"
        yield f"{number}\n{times}\n<v {escape(label(line))}>{escape(shown(line))}</v>\n\n"


def srt(about: About, lines: Iterable[FormatLine]) -> Iterator[str]:
    """SubRip: no escapes in this format, so tags, commands and arrows get harmless brackets."""
    for number, line in enumerate(lines, 1):
        times = f"{clock(line.start_ms, ',')} --> {clock(line.end_ms, ',')}"
        text = f"{label(line).translate(DIVIDER)}: {shown(line)}".translate(SRT_SIGNS)
        yield f"{number}\n{times}\n{text}\n\n"


def plain(about: About, lines: Iterable[FormatLine]) -> Iterator[str]:
    """To read: one paragraph a turn, with the time it began."""
    yield f"{flat(about.title)}\n{about.started_at}\n"
    speaker: tuple[str, str] | None = None
    for line in lines:
        # By handle: two people may have one name.
        if (line.handle, line.speaker) != speaker:
            speaker = (line.handle, line.speaker)
            yield f"\n\n[{clock(line.start_ms, '.').partition('.')[0]}] {label(line).translate(DIVIDER)}: {shown(line)}"
        else:
            yield f" {shown(line)}"
    yield "\n"


def as_json(about: About, lines: Iterable[FormatLine]) -> Iterator[str]:
    """Everything that is known, for programs; times are milliseconds of room time."""
    head = {
        "title": about.title,
        "started_at": about.started_at,
        "language": about.language,
        "model": about.model,
        "version": about.version,
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "cues": ['
    for number, line in enumerate(lines):
        yield (",\n" if number else "\n") + json.dumps(_fields(line), ensure_ascii=False)
    yield "\n]}\n"


def _fields(line: FormatLine) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "start_ms": line.start_ms,
        "end_ms": line.end_ms,
        "speaker": line.speaker,
        "handle": line.handle,
        "text": line.text,
        "gap": line.gap or None,
        "confidence": line.confidence,
        "doubtful": line.doubtful,
        "words": line.words,
    }
    return fields | ({"corrected": True, "machine_text": line.machine_text} if line.corrected else {})


FORMATS = {
    "vtt": (webvtt, "text/vtt; charset=utf-8"),
    "srt": (srt, "application/x-subrip; charset=utf-8"),
    "txt": (plain, "text/plain; charset=utf-8"),
    "json": (as_json, "application/json"),
}
