"""Text that people type: names, titles, topics, reasons, corrections, searches. One rule for all of it.

Every form, API field, admin page, command and action asks a `Text` here, so what one refuses all refuse. What is kept
is in NFC, without white space around it. Lengths are counted as people count: grapheme clusters, a line break as one.

What a character is comes from the tables of the `regex` package (Unicode 17 or later, pinned in requirements.txt),
never from those of the running Python: two servers with different Pythons agree.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import regex
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

# The longest emoji that Unicode recommends, a kissing couple with two skin tones, has ten code points.
LONGEST_CLUSTER = 10
MOST_MARKS = 6  # on one letter; pointed Hebrew with its accents has five
FSI, PDI = "\u2068", "\u2069"


def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, regex.V1)


# Characters newer than Unicode 14, the table of the oldest Python we run on, that take part in normalisation. Pythons
# differ on them, so text is normalised between them (tests/core/test_text.py shows that the list is whole).
_NEWER = _compiled(
    "([\u05c8\u05c9\u0897\u1acf-\u1af0\U000105c9\U000105e4\U00010d69-\U00010d6d\U00010ecb-\U00010ecf"
    "\U00010ef0-\U00010eff\U00011383-\U00011391\U000113b8-\U000113d0\U00011f41\U00011f42\U0001611e-\U0001612f"
    "\U00016d67-\U00016d6a\U0001d127\U0001d128\U0001d250-\U0001d281\U0001e08f\U0001e4ec-\U0001e4ef\U0001e5ee\U0001e5ef"
    "\U0001e6e3-\U0001e6f5])"
)
_BREAK = _compiled(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
# A single one of these is typed on purpose: no-break spaces of French, the wide space of Japanese names.
_SPACES = _compiled(r"(?![\xa0\u202f\u3000](?![\t\p{Zs}])(?<![\t\p{Zs}].))[\t\p{Zs}]+")
_AROUND = _compiled(r"\A[\s\p{Zs}\u2800\u200b]+|[\s\p{Zs}\u2800\u200b]+\Z")
_AROUND_LINE = _compiled(r"(?m:^[\p{Zs}\u2800]+$|[\p{Zs}\u2800]+$)")
_EMPTY_LINES = _compiled(r"\n{3,}")

# Pasted or dictated along: it shows nothing where it stands, so it is taken out without a word.
_ALPHABETS = (
    r"\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Georgian}\p{Hebrew}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
)
_UNSHOWN = _compiled(
    r"[\xad\u034f\u2060\ufeff\ufffc]"
    # A joiner, but between letters of scripts whose letters join, behind a sign that kills a vowel, or in an emoji.
    rf"|(?<![[\p{{L}}\p{{M}}]--[{_ALPHABETS}\p{{VS}}]])\u200c|(?<!\p{{ccc=9}})\u200c(?![\p{{L}}\p{{M}}])"
    rf"|(?<![[\p{{L}}\p{{M}}]--[{_ALPHABETS}\p{{VS}}]]|[\p{{ExtPict}}\p{{EMod}}][\ufe0f\u20e3]?|\U000e007f)\u200d"
    r"|(?<!\p{ccc=9})\u200d(?![\p{L}\p{M}\p{ExtPict}])"
    # A variation selector that has nothing to vary.
    r"|(?<=^|[\s\p{Z}\p{C}\p{VS}])\p{VS}"
)

_FLAG = _compiled(r"\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_KEPT_FORMATS = r"\u200c-\u200f\u061c\u2066-\u2069\p{VS}\p{PCM}"
_LONE = _compiled(r"\p{Cs}")
_CONTROL = _compiled(r"[\p{Cc}--\n]")
# Unassigned places that are set aside for emoji are let through: phones have new ones before servers do.
_NOTHING_YET = _compiled(r"\p{Co}|[\p{Cn}--\p{ExtPict}]|\p{NChar}")
_TURNING = _compiled(r"[\u202a-\u202e]")
_UNSPACED = r"\p{Khmer}\p{Thai}\p{Lao}\p{Myanmar}"
# A zero-width space ends words in scripts without spaces, and there alone.
_INVISIBLE = _compiled(
    rf"[[\p{{DI}}\p{{Cf}}]--[{_KEPT_FORMATS}\u200b]]|(?<![{_UNSPACED}])\u200b|\u200b(?![{_UNSPACED}])"
)
_STACKED = _compiled(rf"(?:[[\p{{Mn}}\p{{Me}}]--\p{{VS}}][\u200c\u200d\p{{VS}}]*){{{MOST_MARKS + 1}}}")
_LOOSE_MARK = _compiled(r"(?m)^\p{M}")
_SHOWN = _compiled(r"[[\p{L}\p{N}\p{P}\p{S}\p{ExtPict}]--[\p{DI}\u2800\U0001d159]]")
_ISOLATES = _compiled(r"[\u2066-\u2069\n]")
_CLUSTER = _compiled(r"\X")
_STRAY = _compiled(r"[\u202a-\u202e\u2066-\u2069\p{Cs}]")
_BLANK = _compiled(r"[\p{Cc}\p{Zl}\p{Zp}\p{Zs}]+")
_RIGHT_TO_LEFT = _compiled(r"[\p{bc=R}\p{bc=AL}\p{bc=AN}\u200f\u061c\u202a-\u202e\u2066-\u2069]")

BEFORE_LOOKING = (
    (_LONE, "half", _("Half a character is missing at place %(place)d (%(code)s). Type that place anew.")),
    (_CONTROL, "control", _("A control character stands at place %(place)d (%(code)s). Leave it out.")),
    (
        _TURNING,
        "direction",
        _("A character at place %(place)d (%(code)s) turns the direction of the text. Leave it out."),
    ),
    (
        _NOTHING_YET,
        "unknown",
        _("The character at place %(place)d (%(code)s) means nothing on other devices. Leave it out."),
    ),
    (
        _INVISIBLE,
        "invisible",
        _("A character that nobody sees stands at place %(place)d (%(code)s). Leave it out."),
    ),
    (
        _STACKED,
        "stacked",
        _("Too many marks stand on one letter, at place %(place)d (%(code)s). Leave some of them out."),
    ),
    (
        _LOOSE_MARK,
        "loose",
        _("A line begins with a mark that belongs on a letter, at place %(place)d (%(code)s). Leave it out."),
    ),
)
NOTHING_SHOWN = _("Write something that can be seen.")
UNBALANCED = _("A direction at place %(place)d (%(code)s) begins or ends alone. Leave it out, or type the text anew.")
TOO_LONG = ngettext_lazy(
    "At most %(most)d character; this has %(length)s.", "At most %(most)d characters; this has %(length)s.", "most"
)


@dataclass(frozen=True)
class Text:
    """A kind of text: at most `most` grapheme clusters, on one line or (`lines`) on several."""

    most: int
    lines: bool = False

    @property
    def longest(self) -> int:
        """The most code points that are kept: what a column must hold."""
        return self.most * LONGEST_CLUSTER

    def clean(self, typed: str, *, required: bool = True) -> str:
        """The text as it is kept; what is kept already stays as it is.

        Raises ValidationError with a sentence that says which character is wrong and why; with `required` also for
        text of which nothing is left.
        """
        text = self._trimmed(typed)
        # Before anything slow: what is far too long is not looked at.
        if len(text) > 4 * self.longest:
            raise _too_long(self.most, len(text))
        text = self._settled(text)
        _refuse_unfit(text)
        if not text and not required:
            return ""
        if not shows(text):
            raise ValidationError(NOTHING_SHOWN, "nothing")
        length = count(text)
        if length > self.most or len(text) > self.longest:
            raise _too_long(self.most, max(length, -(-len(text) // LONGEST_CLUSTER)))
        return text

    def loosely(self, typed: str) -> str:
        """Clean a text that is looked for: what does not fit is left out or cut off instead of refused."""
        text = self._settled(flat(typed[: 4 * self.longest]))
        return "".join(clusters(text)[: self.most])[: self.longest].strip()

    def _trimmed(self, typed: str) -> str:
        text = _BREAK.sub("\n" if self.lines else " ", typed)
        return str(_AROUND.sub("", text))

    def _settled(self, text: str) -> str:
        """Normalised, without what shows nothing where it stands. Repeated: taking one thing out can free another."""
        before = None
        while text != before:
            before = text
            text = _SPACES.sub(" ", _UNSHOWN.sub("", nfc(text)))
            if self.lines:
                text = _EMPTY_LINES.sub("\n\n", _AROUND_LINE.sub("", text))
            text = _AROUND.sub("", text)
        return text


def nfc(text: str) -> str:
    """Normalisation form C, the same with every Python."""
    return "".join(part if at % 2 else unicodedata.normalize("NFC", part) for at, part in enumerate(_NEWER.split(text)))


def clusters(text: str) -> list[str]:
    """The characters of a text as people see them: grapheme clusters (UAX 29)."""
    return [str(cluster) for cluster in _CLUSTER.findall(text)]


def count(text: str) -> int:
    """The length of a text as people count it."""
    return len(clusters(text))


def flat(text: str) -> str:
    """Any text as one line for files and subjects, whatever was let in before there was a rule.

    Line breaks and control characters are spaces, what turns the direction beyond its own letters is gone.
    """
    return " ".join(_BLANK.sub(" ", _STRAY.sub("", text)).split(" ")).strip()


def isolated(text: str) -> str:
    """A text for the middle of a plain sentence: what is written right to left does not reorder what is around it."""
    return f"{FSI}{flat(text)}{PDI}" if _RIGHT_TO_LEFT.search(text) else text


def shows(text: str) -> bool:
    """Whether there is anything in a text that can be seen."""
    return _SHOWN.search(text) is not None


def _refuse_unfit(text: str) -> None:
    without_flags = _FLAG.sub(lambda flag: "\U0001f3f4" * len(flag[0]), text)
    for pattern, code, sentence in BEFORE_LOOKING:
        if found := pattern.search(without_flags):
            raise _at(text, found.start(), sentence, code)
    where = _unbalanced(text)
    if where is not None:
        raise _at(text, where, UNBALANCED, "direction")


def _unbalanced(text: str) -> int | None:
    """Where a direction begins that does not end on its line, or ends that did not begin; None where all is whole."""
    begun: list[int] = []
    for found in _ISOLATES.finditer(text):
        if found[0] == "\n":
            if begun:
                break
        elif found[0] != PDI:
            begun.append(found.start())
        elif begun:
            begun.pop()
        else:
            return int(found.start())
    return begun[0] if begun else None


def _at(text: str, where: int, sentence: Any, code: str) -> ValidationError:
    params = {"place": count(text[:where]) + 1, "code": f"U+{ord(text[where]):04X}"}
    return ValidationError(sentence, code, params)


def _too_long(most: int, length: int) -> ValidationError:
    return ValidationError(TOO_LONG, "too_long", {"most": most, "length": length})


# The texts of an account; rooms and transcripts have their own.
NAME = Text(60)
ABOUT = Text(500, lines=True)
PLAN = Text(500, lines=True)
WAVE = Text(60)
REASON = Text(500, lines=True)
LABEL = Text(60)  # of a token or a passkey
