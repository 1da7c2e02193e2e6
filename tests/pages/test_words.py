"""Words of the pages' scripts: each that is declared is said by some module. (That each that is said is declared, `tsc`
knows.)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pages.js_messages.replay import replay_words
from pages.js_messages.room import room_words
from rooms.models import Seat
from rooms.rules.refusals import TABLE

SCRIPTS = Path(__file__).parents[2] / "static" / "js"
CALL = re.compile(r"\b(say|sayMany|known)\(")
LITERAL = re.compile(r'"([a-z_]+)"')
TEMPLATE = re.compile(r"`([^`]*)`")
KEYS = re.compile(r"`([a-z]+_[^`]*)`")  # a template that can be nothing but a key
PLURALS = ("_one", "_other")
# Keys that scripts take from the server: roles on stage, refusals, and why a page is out of the room.
GIVEN = {*Seat.Role.values, *TABLE, *(f"out_{code}" for code in TABLE)}


def modules() -> list[str]:
    paths = [path for path in SCRIPTS.rglob("*.js") if path.name != "words.js"]
    return [path.read_text() for path in paths]


def arguments(text: str) -> Iterator[tuple[str, str]]:
    """Each call that says a sentence, as the function's name and what is between its brackets."""
    for call in CALL.finditer(text):
        end, depth = call.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield call[1], text[call.end() : end - 1]


def fits(template: str, key: str) -> bool:
    """Whether a template literal can become this key."""
    return re.fullmatch(re.sub(r"\\\$\\\{.*?\\\}", r"\\w+", re.escape(template)), key) is not None


def keys_said(texts: list[str], declared: set[str]) -> set[str]:
    """The declared keys that modules say.

    A key of one word is the name of other things too. It counts inside of a call, or in a module that says what a
    variable has; a key of several words, or a template of one, counts anywhere, because a module may give it to
    another.
    """
    said: set[str] = set()
    for text in texts:
        calls = list(arguments(text))
        by_variable = any(not LITERAL.search(inside) and "`" not in inside for _name, inside in calls)
        for name, inside in calls:
            endings = PLURALS if name == "sayMany" else ("",)
            said |= {key + ending for key in LITERAL.findall(inside) for ending in endings}
            templates = [template + ending for template in TEMPLATE.findall(inside) for ending in endings]
            said |= {key for key in declared for template in templates if fits(template, key)}
        said |= {key for key in LITERAL.findall(text) if by_variable or "_" in key}
        said |= {key for key in declared for template in KEYS.findall(text) if fits(template, key)}
    return said & declared


def test_every_word_that_is_declared_is_said() -> None:
    declared = {*room_words(), *replay_words()}
    unsaid = declared - keys_said(modules(), declared) - GIVEN
    assert not unsaid, f"no module says {sorted(unsaid)}"


def test_a_word_that_nobody_says_is_found() -> None:
    """Were a call taken away, the test above would fail; the name of a button is no call."""
    texts = ['return { controls: ["share"] };', "notice(say(`ended_${reason}`)); say(one ? \"back\" : 'x', [f(1)])"]
    declared = {"share", "back", "ended_host", "lost", "lost_one"}
    assert keys_said(texts, declared) == {"back", "ended_host"}
    assert keys_said([*texts, 'sayMany("lost", 3)'], declared) == {"back", "ended_host", "lost_one"}
