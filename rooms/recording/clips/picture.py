"""The picture of a clip as ASS, which ffmpeg draws with libass: title, who speaks, and captions. Pure.

Names and words are untrusted input: signs that begin an override or a command are replaced before they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.text import flat
from rooms.hooks import ClipLine

WIDTH, HEIGHT = 1280, 720
PAPER = "#fbf7f0"
FONT = "Inter"
MOST_SPEAKERS = 6  # by name; the others as a number
MOST_LETTERS = 110  # of one caption: what is longer is shown in parts, one after the other
LONG_TITLE = 80  # letters from which a title is drawn smaller, so that two lines hold it
_CARD, _SOFT, _INK, _ACCENT, _LINE, _WOOD = "#fffdf9", "#6b5d52", "#2b211b", "#b9481a", "#e8ddcf", "#e9cfa8"
_SIGNS = str.maketrans({"{": "(", "}": ")", "\\": "/"})
_MARGIN = 64
_HEAD = f"""[Script Info]
ScriptType: v4.00+
PlayResX: {WIDTH}
PlayResY: {HEIGHT}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, \
MarginV, Encoding
"""
_EVENTS = """
[Events]
Format: Layer, Start, End, Style, MarginL, MarginR, MarginV, Text
"""


@dataclass(frozen=True)
class Speaker:
    """A person who is heard in a clip, with the colour of their dot and of their captions ("#rrggbb")."""

    user_pk: int
    name: str
    colour: str


@dataclass(frozen=True)
class Picture:
    """Content of the picture of a clip. `others` is how many speakers beyond those are not named."""

    site: str
    title: str
    speakers: Sequence[Speaker]
    others: str
    lines: Sequence[ClipLine]
    length_ms: int


def ass(picture: Picture) -> str:
    """Write a picture as an ASS script, whose every event lies within the clip."""
    styles = (
        _style("Shape", 20, _INK, align=7, left=0, margin=0),
        _style("Site", 28, _SOFT, align=7, left=_MARGIN + 56, margin=58),
        _style("Title", 50, _INK, bold=True, align=7, left=_MARGIN, margin=116),
        _style("Speaker", 30, _INK, align=7, left=0, margin=0),
        _style("Caption", 46, _INK, align=1, left=_MARGIN + 16, margin=66),
    )
    return "".join((_HEAD, *styles, _EVENTS, *_still(picture), *_captions(picture)))


def plain(text: str) -> str:
    """Return a text that holds no command of ASS, on one line."""
    return flat(text).translate(_SIGNS)


def _still(picture: Picture) -> Iterator[str]:
    """Yield what stands there from the first second to the last."""
    whole = (0, picture.length_ms)
    yield _event(0, whole, "Shape", _box(40, 312, WIDTH - 40, HEIGHT - 40, _CARD, edge=_LINE))
    yield _event(1, whole, "Shape", _box(40, HEIGHT - 50, WIDTH - 40, HEIGHT - 40, _WOOD))
    yield _event(1, whole, "Shape", _box(_MARGIN, 54, _MARGIN + 40, 94, _ACCENT))
    yield _event(2, whole, "Shape", _disc(_MARGIN + 20, 74, 13, _WOOD))
    yield _event(1, whole, "Site", plain(picture.site))
    title = plain(picture.title)
    yield _event(1, whole, "Title", (r"{\fs40}" if len(title) > LONG_TITLE else "") + title)
    for number, speaker in enumerate(picture.speakers[:MOST_SPEAKERS]):
        left, top = _MARGIN + 400 * (number % 3), 230 + 36 * (number // 3)
        yield _event(1, whole, "Shape", _disc(left + 10, top + 17, 9, speaker.colour))
        clip = rf"{{\q2\pos({left + 32},{top})\clip({left},{top - 4},{left + 384},{top + 40})}}"
        yield _event(1, whole, "Speaker", clip + plain(speaker.name))
    if picture.others:
        place = rf"{{\pos({WIDTH - _MARGIN},{58})\an9\c{_colour(_SOFT)}\fs26}}"
        yield _event(1, whole, "Speaker", place + plain(picture.others))


def _captions(picture: Picture) -> Iterator[str]:
    """Yield a caption for each line, or for each part of a long one; of lines at one time libass makes a pile."""
    colours = {speaker.user_pk: speaker.colour for speaker in picture.speakers}
    for line in picture.lines:
        head = rf"{{\b1\fs34\c{_colour(colours.get(line.user_pk, _SOFT))}}}{plain(line.name)}{{\r}}\N"
        for start, end, text in in_parts(line):
            yield _event(3, (start, min(end, picture.length_ms)), "Caption", head + text)


def in_parts(line: ClipLine) -> list[tuple[int, int, str]]:
    """Cut a line between words into parts of at most MOST_LETTERS, as (from, to, text); each has its share of the
    line's time by its letters."""
    parts: list[str] = [""]
    for word in plain(line.text).split(" "):
        if parts[-1] and len(parts[-1]) + 1 + len(word) > MOST_LETTERS:
            parts.append("")
        parts[-1] = f"{parts[-1]} {word}".strip()
    letters, at, spans = sum(map(len, parts)) or 1, 0, []
    for part in parts:
        until = at + len(part)
        length = line.end_ms - line.start_ms
        spans.append((line.start_ms + length * at // letters, line.start_ms + length * until // letters, part))
        at = until
    return spans


def _style(name: str, size: int, colour: str, *, align: int, left: int, margin: int, bold: bool = False) -> str:
    weight, right = -1 if bold else 0, left and _MARGIN
    return f"Style: {name},{FONT},{size},{_colour(colour)},{weight},1,0,0,{align},{left},{right},{margin},1\n"


def _event(layer: int, times: tuple[int, int], style: str, text: str) -> str:
    start, end = (_time(ms) for ms in times)
    return f"Dialogue: {layer},{start},{end},{style},0,0,0,{text}\n"


def _time(ms: int) -> str:
    seconds, hundredths = divmod(max(0, ms) // 10, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{hundredths:02}"


def _colour(colour: str) -> str:
    """Write "#rrggbb" as ASS does: blue first."""
    red, green, blue = (colour[place : place + 2] for place in (1, 3, 5))
    return f"&H00{blue}{green}{red}&".upper()


def _box(left: int, top: int, right: int, bottom: int, colour: str, *, edge: str = "") -> str:
    line = rf"\bord2\3c{_colour(edge)}" if edge else ""
    path = f"m {left} {top} l {right} {top} {right} {bottom} {left} {bottom}"
    return rf"{{\p1\pos(0,0)\c{_colour(colour)}{line}}}{path}"


def _disc(x: int, y: int, radius: int, colour: str) -> str:
    far = round(radius * 0.5523)  # of the control points of a quarter of a circle
    curves = (
        f"b {x + radius} {y + far} {x + far} {y + radius} {x} {y + radius}",
        f"b {x - far} {y + radius} {x - radius} {y + far} {x - radius} {y}",
        f"b {x - radius} {y - far} {x - far} {y - radius} {x} {y - radius}",
        f"b {x + far} {y - radius} {x + radius} {y - far} {x + radius} {y}",
    )
    return rf"{{\p1\pos(0,0)\c{_colour(colour)}}}m {x + radius} {y} {' '.join(curves)}"
