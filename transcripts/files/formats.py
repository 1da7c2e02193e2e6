"""File formats of a transcript: WebVTT, SRT, plain text, JSON. Pure: lines in, text out.

Names and words are untrusted input: characters that would end a cue, start a tag or a command, or change the direction
of text are removed or escaped here, whatever the account's form accepted. Names are not unique: speakers whose names
look alike are labelled with their handles (`people.labels`), in every format.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

from core.text import flat
from people.labels import printable
from transcripts.lines.cues import CUE_LINES, break_into_lines, readable_until

# SubRip has no escapes: brackets that begin tags and commands ({\\an8}, \\N) are replaced.
SRT_SIGNS = str.maketrans({"<": "[", ">": "]", "{": "(", "}": ")", "\\": "/"})
# A colon ends the name in plain text and SubRip, so a name itself must not contain one.
DIVIDER = str.maketrans({":": "\u2236"})


@dataclass(frozen=True, slots=True)
class FormatLine:
    """One cue as it is shown, in ms of room time.

    `gap` is why it has no words: `failed` (not transcribed), `unclear`, or `off` (captions off). `doubtful`: the model
    may have invented them. `handle` and `speaker` are the handle and name of the person; `label` is the name made
    unique (`people.labels`).
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
class FileHeader:
    """Heading of a file; `model` and `version` name the engine."""

    title: str
    started_at: str
    language: str
    model: str
    version: str


GAPS = {"failed": "[not transcribed]", "unclear": "[unclear]", "off": "[captions off]"}
DOUBTFUL = "[doubtful]"


def shown_text(line: FormatLine) -> str:
    """Format the words of a line, marked where doubtful; for a gap the reason in brackets."""
    if line.gap:
        return GAPS[line.gap]
    return f"{DOUBTFUL} {flat(line.text)}" if line.doubtful else flat(line.text)


def label(line: FormatLine) -> str:
    """Return the name to show for the speaker of a line."""
    return line.label or printable(line.speaker)


def timestamp(ms: int, separator: str) -> str:
    """Format as `hh:mm:ss.mmm` with this separator; hours may exceed 99, negative times become 0."""
    seconds, thousandths = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{thousandths:03}"


def escape(text: str) -> str:
    """Escape WebVTT's three special characters; without `>` there is no `-->` either."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def timed(lines: Iterable[FormatLine], separator: str) -> Iterator[tuple[str, FormatLine]]:
    """Number the lines and add the times at which players show them: until they can be read, if none follows."""
    for number, (line, following) in enumerate(pairwise(chain(lines, [None])), 1):
        if line is not None:
            next_ms = None if following is None else following.start_ms
            until = readable_until(line.start_ms, line.end_ms, len(line.text), next_ms)
            yield f"{number}\n{timestamp(line.start_ms, separator)} --> {timestamp(until, separator)}", line


def webvtt(header: FileHeader, lines: Iterable[FormatLine]) -> Iterator[str]:
    """Render WebVTT, with the speaker in a voice tag."""
    yield f"WEBVTT - {escape(flat(header.title))}\nLanguage: {header.language}\n\n"
    for head, line in timed(lines, "."):
        text = "\n".join(break_into_lines(shown_text(line), header.language))
        yield f"{head}\n<v {escape(label(line))}>{escape(text)}</v>\n\n"


def srt(header: FileHeader, lines: Iterable[FormatLine]) -> Iterator[str]:
    """Render SubRip. It has no escapes: characters of tags, commands and arrows are replaced.

    The name before the words takes room in the first line, unless that would need a third.
    """
    for head, line in timed(lines, ","):
        name = f"{label(line).translate(DIVIDER)}: "
        rows = break_into_lines(shown_text(line), header.language, taken=len(name))
        if len(rows) > CUE_LINES:
            rows = break_into_lines(shown_text(line), header.language)
        text = (name + "\n".join(rows)).translate(SRT_SIGNS)
        yield f"{head}\n{text}\n\n"


def plain_text(header: FileHeader, lines: Iterable[FormatLine]) -> Iterator[str]:
    """Render plain text: one paragraph per turn, with the time it began."""
    yield f"{flat(header.title)}\n{header.started_at}\n"
    speaker: tuple[str, str] | None = None
    for line in lines:
        # By handle: two people may have the same name.
        if (line.handle, line.speaker) != speaker:
            speaker = (line.handle, line.speaker)
            began = timestamp(line.start_ms, ".").partition(".")[0]
            yield f"\n\n[{began}] {label(line).translate(DIVIDER)}: {shown_text(line)}"
        else:
            yield f" {shown_text(line)}"
    yield "\n"


def as_json(header: FileHeader, lines: Iterable[FormatLine]) -> Iterator[str]:
    """Render JSON with all fields; times are milliseconds of room time."""
    head = {
        "title": header.title,
        "started_at": header.started_at,
        "language": header.language,
        "model": header.model,
        "version": header.version,
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
    "txt": (plain_text, "text/plain; charset=utf-8"),
    "json": (as_json, "application/json"),
}
