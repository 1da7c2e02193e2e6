"""The price of a break between two words: nothing at the end of a sentence, much where they belong together. Pure.

Sources: the BBC's Subtitle Guidelines 3.1 to 4.1 and Netflix' Timed Text Style Guide: break behind punctuation, else
before conjunctions and prepositions; never between article and noun, preposition and phrase, conjunction and clause,
pronoun and verb, parts of a verb, parts of a name. The prices are ours, tuned on the sentences of
tests/transcripts/test_lines.py. Of a language without a lexicon only marks, numbers and names are known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from transcripts.lines.lexicon import LEXICONS, NO_WORDS, Lexicon

SENTENCE, STRONG, CLAUSE_COMMA, COMMA = 0.0, 1.0, 2.0, 3.0
FIRM, BOUND, HELD, TIED = 30.0, 22.0, 15.0, 11.0  # inside a name, behind an article, between pronoun and verb …

CLOSING = "\"'”’»)]}"
OPENING = "\"'“‘„«([{"
_NUMBER = re.compile(r"[€$£#]?\d[\d.,:/-]*%?$")
_CONTRACTED = re.compile(r"\w+'(?:s|m|re|ve|ll|d)$")
_PARTICIPLE = re.compile(r"(?:ge|be|ver|ont|her)\w{2,}(?:d|t|en)$")


def ends_sentence(words: Sequence[str], at: int, language: str) -> bool:
    """Return whether a sentence ends behind word `at`; a full stop of an abbreviation or an initial ends none."""
    bare = words[at].rstrip(CLOSING)
    if not bare.endswith((".", "?", "!", "…")):
        return False
    if at + 1 < len(words) and words[at + 1].lstrip(OPENING)[:1].islower():
        return False
    return not _is_abbreviation(bare.lstrip(OPENING), LEXICONS.get(language, NO_WORDS))


def _is_abbreviation(word: str, known: Lexicon) -> bool:
    return word.lower() in known.abbreviated or re.fullmatch(r"(?!I\.)(?:[A-Z]\.)+", word) is not None


def break_price(words: Sequence[str], at: int, language: str) -> float:
    """Return the price of a break behind word `at`, from 0 (end of a sentence) to FIRM (inside a name)."""
    if ends_sentence(words, at, language):
        return SENTENCE
    known = LEXICONS.get(language, NO_WORDS)
    shown = words[at].rstrip(CLOSING)
    before, after = _plain(words[at]), _plain(words[at + 1])
    if shown.endswith((";", ":", "–", "—", " -", "…", "?", "!")):
        return STRONG
    if shown.endswith((",", "،")):
        return CLAUSE_COMMA if after in known.openings else COMMA
    third = _plain(words[at + 2]) if at + 2 < len(words) else ""
    if _is_name(words, at, known) or _is_abbreviation(shown.lstrip(OPENING), known):
        return FIRM
    if (before, after) in known.pairs:
        return BOUND
    earlier = _plain(words[at - 1]) if at else ""
    return max(_tie((earlier, before, after), known), _opening(after, third, words[at + 1], known))


def _plain(word: str) -> str:
    """Reduce a word to small letters, without the marks around it."""
    word = word.replace("’", "'").lower()
    stripped = word.strip('"“”‘„«»()[]{}.,;:!?…')
    return stripped if stripped.startswith("'") else stripped.strip("'")


def _is_name(words: Sequence[str], at: int, known: Lexicon) -> bool:
    """Return whether the break would part a name: "Anna Smit", "Jan van | Dijk", "Chapter 3"."""
    before, after = words[at].strip(OPENING + CLOSING), words[at + 1].strip(OPENING + CLOSING)
    if not (before and after):
        return False
    named = before[0].isupper() and _plain(before) not in known.small
    if named and (after[0].isupper() or after[0].isdigit()):
        return _plain(after) not in known.subjects
    later = [word[:1] for word in words[at + 2 : at + 4] if _plain(word) not in known.name_parts][:1]
    if named and after in known.name_parts:
        return bool(later and later[0].isupper())
    return before in known.name_parts and after[0].isupper()


def _tie(words: Sequence[str], known: Lexicon) -> float:
    """Return how firmly the second of three plain words belongs to the third."""
    earlier, before, after = words
    joins, clause = after in known.linking, after in known.clausal
    phrase = joins or clause or after in known.prepositions or after in known.articles
    content = not (phrase or after in known.determiners or after in known.auxiliaries or after in known.subjects)
    ties = [
        (before in known.articles and not joins, FIRM),
        (before in known.prepositions and not (joins and before in known.particles), TIED if clause else BOUND),
        (before in known.determiners and not phrase, BOUND),
        (before in known.linking or (before in known.clausal and before not in known.subjects), HELD + 1),
        (_CONTRACTED.match(before) or before.endswith("n't"), BOUND),
        (_NUMBER.match(before) and not joins, HELD),
        (content and _is_adjective(earlier, before, known), BOUND if earlier in known.articles else HELD),
        (after in known.objects, TIED),
        (before in known.subjects and (content or after in known.auxiliaries), 8.0 if known.verb_last else HELD),
        (before in known.auxiliaries, TIED - 2 if phrase else TIED + 2),
        (known.verb_last and after in known.auxiliaries and _PARTICIPLE.match(before), TIED + 1),
        (before in known.degrees and not phrase, TIED),
    ]
    return max((price for holds, price in ties if holds), default=0.0)


def _is_adjective(earlier: str, word: str, known: Lexicon) -> bool:
    """Return whether a word is an adjective before its noun: a known one, or by its ending behind an article."""
    if word in known.adjectives:
        return True
    behind = earlier in known.articles or earlier in known.determiners or earlier in known.degrees
    return behind and len(word) > 3 and word.endswith(known.adjective_ends)


def _opening(after: str, third: str, shown: str, known: Lexicon) -> float:
    """Return how well a line may begin with a word: best with a conjunction, well with a preposition."""
    if after in known.linking:
        return 3.0 if third in known.subjects or third in known.clausal else 4.5
    if after in known.clausal:
        return 3.5
    if after in known.prepositions:
        return 7.0 if after in known.loose else 5.0
    if shown[0] in OPENING and len(shown) > 1:
        return 5.0
    if after in known.subjects:
        return 6.0
    if after in known.articles or after in known.determiners:
        return 7.5
    return 7.0 if after in known.auxiliaries else 9.0
