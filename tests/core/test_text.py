"""The rule for text that people type: what is kept, what is refused and why, and that it is one rule."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.text import _NEWER, ABOUT, LONGEST_CLUSTER, NAME, Text, clusters, count, flat, is_visible, isolated, nfc

COUPLE = "\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3ff"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

# Letters of all kinds, and more often those that make trouble: marks, joiners, directions, fillers, spaces, flags.
TROUBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202e\u2066\u2067\u2069\ufe0f\ufe0e\ufeff\u00ad\u2060\u034f\u3164\u2800"
    "\u115f\uffa0\u0301\u0323\u0308\u05b8\u0e48\u094d\u0915\u0937\u1781\u0627\u0645\u05d0"
    "\u00a0\u3000 \t\r\n\u2028\x00\x07"
    "\U0001f469\U0001f3fd\u2764\U0001f3f4\U000e0067\U000e007f\U0001f1f3\U0001f1f1\u20e31ae\u00e9\u1100\u1161\ue000\ufffc"
)
anything = st.text(st.one_of(st.sampled_from(TROUBLE), st.characters()), max_size=80)


def refused(typed: str, kind: Text = NAME) -> str:
    """The code of the refusal."""
    with pytest.raises(ValidationError) as error:
        kind.clean(typed)
    assert "%(" not in " ".join(error.value.messages)
    return str(error.value.code)


@pytest.mark.parametrize(
    "typed",
    [
        *("Anna", "Jean-Luc O’Brien", "“Zoë” & söns", "C’est à voir\u00a0!", "山田\u3000太郎", "9", "."),
        *(
            COUPLE,
            ENGLAND,
            "1\ufe0f\u20e3",
            "\U0001f1f3\U0001f1f1",
            "\u00a9\ufe0f",
            "\U0001f9d1\u200d\U0001f4bb",
            "👍🏾",
        ),
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a joiner that keeps two letters apart
        "\u0915\u094d\u200d\u0937",  # Hindi, with a joiner that shows half a letter
        "\u0d05\u0d35\u0d28\u0d4d\u200d",  # Malayalam, with a joiner at its end
        "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd\u200f!",  # pointed Hebrew and a mark of direction
        "\u1781\u17d2\u1798\u17c2\u179a\u200b\u1797\u17b6\u179f\u17b6",  # Khmer, with spaces of no width
        "Tr\u1ea7n Th\u1ecb Di\u1ec5m",
        "\u2067\u05d0\u05d1\u2069 & co",  # a direction that ends
        "\U0001faef",  # an emoji newer than Unicode 16
    ],
)
def test_what_phones_type_is_kept_as_it_is(typed: str) -> None:
    assert NAME.clean(typed) == unicodedata.normalize("NFC", typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        *((blank, "invisible") for blank in ("\u3164", "\uffa0", "\u115f", "\u1160", "An\u3164na", "\u180e")),
        *(
            (blank, "nothing")
            for blank in ("", "   ", "\u2800", "\u2800 \u2800", "\u200d\u200d", "\ufe0f", "\u200f", "\xad")
        ),
        *((f"Anna{turned}", "direction") for turned in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
        ("\u2069Anna\u2067", "direction"),
        ("An\u200bna", "invisible"),
        ("Anna\U000e0041", "invisible"),
        ("\u0301Anna", "loose"),
        ("Z" + "\u0323\u0301" * 4, "stacked"),
        ("\ud83d", "half"),
        ("A\x00B", "control"),
        ("A\x1b[31mB", "control"),
        ("\ue000", "unknown"),
        ("\U0010ffff", "unknown"),
        ("\u0378", "unknown"),
        ("W" * 61, "too_long"),
        (COUPLE * 61, "too_long"),
        ("a" * 1_000_000, "too_long"),
    ],
)
def test_what_is_refused_says_why(typed: str, code: str) -> None:
    assert refused(typed) == code


def test_the_sentence_says_which_character_and_where() -> None:
    with pytest.raises(ValidationError, match=r"place 5 \(U\+202E\) turns the direction"):
        NAME.clean("Zoe\u0308 \u202eX")


def test_lengths_are_counted_as_people_count() -> None:
    assert NAME.clean(COUPLE * 60) and NAME.clean("e\u0301" * 60) == "é" * 60
    assert len(NAME.clean(COUPLE * 60)) == NAME.longest == 60 * LONGEST_CLUSTER
    assert count(ABOUT.clean("ab\r\n" * 166 + "ab")) == 500
    assert ABOUT.clean("x" + "\r\n" + "y" * 498) == "x\n" + "y" * 498
    assert refused("x" + "\r\n" + "y" * 499, ABOUT) == "too_long"


def test_lines_and_spaces() -> None:
    assert NAME.clean("  Anna \t\r\n de \u2003 Wit ") == "Anna de Wit"
    assert ABOUT.clean(" One. \r\n\r\n\r\n\r\n  Two.\u2028Three.\t") == "One.\n\n  Two.\nThree.".replace("  ", " ")
    assert ABOUT.clean("", required=False) == "" == ABOUT.clean(" \n ", required=False)


@given(anything, st.booleans())
def test_what_is_kept_shows_something_and_stays_as_it_is(typed: str, lines: bool) -> None:
    kind = Text(40, lines=lines)
    try:
        kept = kind.clean(typed)
    except ValidationError as error:
        assert error.messages[0]
        return
    assert kind.clean(kept) == kept == nfc(kept)
    assert is_visible(kept) and kept == kept.strip()
    assert count(kept) <= 40 and len(kept) <= kind.longest
    assert lines or "\n" not in kept
    assert "\r" not in kept and kept.encode().decode() == kept
    assert not regex.search(r"\p{Cs}|[\p{Cc}--\n]|[\u202a-\u202e\u3164]", kept, flags=regex.V1)


@given(anything)
def test_decomposed_or_composed_is_the_same(typed: str) -> None:
    def outcome(text: str) -> str:
        try:
            return ABOUT.clean(text)
        except ValidationError as error:
            return f"refused: {error.code}"

    assert outcome(unicodedata.normalize("NFD", typed)) == outcome(unicodedata.normalize("NFC", typed))


@given(anything)
def test_a_search_is_never_refused_and_what_is_printed_is_one_line(typed: str) -> None:
    found = NAME.clean_leniently(typed)
    assert count(found) <= 40 + 20 and not regex.search(r"[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]", found)
    assert not regex.search(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]", flat(typed))
    assert isolated(typed) == typed or isolated(typed) == f"\u2068{flat(typed)}\u2069"


def test_normalisation_is_the_same_with_every_python() -> None:
    """Between the characters on the list, and for them, our table and that of the oldest Python agree."""
    known = unicodedata.unidata_version
    newer = [chr(place) for place in range(0x110000) if unicodedata.category(chr(place)) == "Cn"]
    takes_part = regex.compile(r"[[\p{dt=canonical}\P{ccc=0}\P{nfcqc=yes}]&&\P{Cn}]", regex.V1)
    missing = [f"{ord(letter):04x}" for letter in newer if takes_part.match(letter) and not _NEWER.fullmatch(letter)]
    assert not missing, f"take part in normalisation, and Unicode {known} does not know them: {missing}"
    # None of them is a character of Unicode 14, which every Python of ours knows.
    assert not any(_NEWER.fullmatch(letter) for letter in "\u0301\u0308\u05b8\u094d\u0344\u1161")


def test_clusters_are_what_people_see() -> None:
    assert [len(clusters(one)) for one in (COUPLE, ENGLAND, "e\u0301", "\r\n", "\U0001f1f3\U0001f1f1")] == [1] * 5
