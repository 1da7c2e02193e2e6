"""Rules for text that people type: names, titles, topics, reasons, corrections, searches.

Every form, API field, admin page, command and action cleans it with a `Text` of this module, so all refuse the same.
Stored text is in NFC, without white space around it. Lengths are counted as people count: in grapheme clusters, a line
break as one.

Character properties come from the tables of the `regex` package (Unicode 17 or later, pinned in requirements.txt),
never from those of the running Python, so that two servers with different Pythons agree.
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

# Invisible where it stands, and often pasted or dictated by accident: removed without an error.
_ALPHABETS = (
    r"\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Georgian}\p{Hebrew}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
)
_UNSHOWN = _compiled(
    r"[\xad\u034f\u2060\ufeff\ufffc]"
    # A joiner, except between letters of joining scripts, behind a virama, or in an emoji.
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
# Unassigned code points reserved for emoji are allowed: phones have new ones before servers do.
_NOTHING_YET = _compiled(r"\p{Co}|[\p{Cn}--\p{ExtPict}]|\p{NChar}")
_TURNING = _compiled(r"[\u202a-\u202e]")
_UNSPACED = r"\p{Khmer}\p{Thai}\p{Lao}\p{Myanmar}"
# A zero-width space is allowed only in scripts without spaces, where it ends words.
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
        """The most code points that are stored: how wide a column must be."""
        return self.most * LONGEST_CLUSTER

    def clean(self, typed: str, *, required: bool = True) -> str:
        """Return the text as it is stored; text that is stored already comes back unchanged.

        Raises ValidationError with a sentence that says which character is wrong and why; with `required` also for
        text of which nothing is left.
        """
        text = self._trimmed(typed)
        # Before anything slow: a text that is far too long is not examined.
        if len(text) > 4 * self.longest:
            raise _too_long(self.most, len(text))
        text = self._settled(text)
        _refuse_unfit(text)
        if not text and not required:
            return ""
        if not is_visible(text):
            raise ValidationError(NOTHING_SHOWN, "nothing")
        length = count(text)
        if length > self.most or len(text) > self.longest:
            raise _too_long(self.most, max(length, -(-len(text) // LONGEST_CLUSTER)))
        return text

    def clean_leniently(self, typed: str) -> str:
        """Clean a search text or a name given by a device: remove or cut off what `clean` would refuse."""
        text = self._settled(flat(typed[: 4 * self.longest]))
        return "".join(clusters(text)[: self.most])[: self.longest].strip()

    def _trimmed(self, typed: str) -> str:
        text = _BREAK.sub("\n" if self.lines else " ", typed)
        return str(_AROUND.sub("", text))

    def _settled(self, text: str) -> str:
        """Normalise, and remove invisible characters. Repeated, because removing one can free another."""
        before = None
        while text != before:
            before = text
            text = _SPACES.sub(" ", _UNSHOWN.sub("", nfc(text)))
            if self.lines:
                text = _EMPTY_LINES.sub("\n\n", _AROUND_LINE.sub("", text))
            text = _AROUND.sub("", text)
        return text


def nfc(text: str) -> str:
    """Return the text in normalisation form C, the same with every Python."""
    return "".join(part if at % 2 else unicodedata.normalize("NFC", part) for at, part in enumerate(_NEWER.split(text)))


def clusters(text: str) -> list[str]:
    """Split a text into characters as people see them: grapheme clusters (UAX 29)."""
    return [str(cluster) for cluster in _CLUSTER.findall(text)]


def count(text: str) -> int:
    """Return the length of a text in grapheme clusters."""
    return len(clusters(text))


def flat(text: str) -> str:
    """Return any text as one line for files and subjects, also one stored before these rules.

    Line breaks and control characters become spaces; characters that turn the direction of other text are removed.
    """
    return " ".join(_BLANK.sub(" ", _STRAY.sub("", text)).split(" ")).strip()


def isolated(text: str) -> str:
    """Wrap right-to-left text in directional isolates for the middle of a plain sentence; other text is unchanged."""
    return f"{FSI}{flat(text)}{PDI}" if _RIGHT_TO_LEFT.search(text) else text


def is_visible(text: str) -> bool:
    """Whether a text has a visible character."""
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
    """Return the place of a direction mark that is not closed on its line, or closes nothing; None where all match."""
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
