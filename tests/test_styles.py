"""The style sheets keep to their layers: a class is styled in one file, and others may only place what it styles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.template import Engine

ROOT = Path(settings.BASE_DIR)
STYLES = ROOT / "static" / "css"
# It puts Django's own style of the admin into the lowest layer, and has no rule itself.
WITHOUT_RULES = {"admin/django.css"}
LAYERS = ["tokens", "base", "admin", "components", "pages"]
MOST_LINES = 250
# What a file may say of a class that another file styles: where it stands, and values that it takes as var(--…).
PLACING = re.compile(
    r"--[\w-]+|margin(-\w+)*|gap|(row|column)-gap|flex|order|grid-(area|row|column)|(align|justify|place)-self"
    r"|position|inset|top|right|bottom|left|z-index|(min-|max-)?(width|height)|display: none"
)
COLOURS = re.compile(r"fill|stroke|background|[\w-]*color|[\w-]*shadow[\w-]*")
COLOUR = re.compile(r"(#|rgb|hsl|oklch|oklab|color-mix)")
LANGUAGE = re.compile(r":lang\(|\[lang\b")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CLASS = re.compile(r"\.([a-z][\w-]*)")
# Values that templates put in: the tags of Django's messages, the sizes of a picture.
COMPOSED = {"error", "warning", "s", "l", "xl"}


class Rule(NamedTuple):
    """One selector (no list) with its declarations and the layer that it stands in."""

    selector: str
    declarations: list[str]
    layer: str

    @property
    def subject(self) -> str:
        """The first class of what is styled: `pill` of `.past > li .pill.live:hover`; empty where it has none."""
        plain = re.sub(r":[\w-]+\([^)]*\)", "", self.selector)
        return next(iter(CLASS.findall(re.split(r"[\s>+~]+", plain.strip())[-1])), "")

    @property
    def only_places(self) -> bool:
        """Whether it says no more than where something stands."""
        return all(PLACING.fullmatch(one if one == "display: none" else one.split(":")[0]) for one in self.declarations)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Every outermost `prelude { body }` of a text without comments; statements that end with `;` are left out."""
    start = depth = 0
    prelude = ""
    for place, letter in enumerate(text):
        if letter == "{":
            if depth == 0:
                prelude, start = text[start:place].rpartition(";")[2].strip(), place + 1
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                yield prelude, text[start:place]
                start = place + 1


def rules(text: str, layer: str = "") -> Iterator[Rule]:
    """The rules of a style sheet, those within @layer, @media and @supports included."""
    for prelude, body in blocks(COMMENT.sub("", text)):
        if prelude.startswith("@layer"):
            yield from rules(body, prelude.removeprefix("@layer").strip())
        elif prelude.startswith(("@media", "@supports")):
            yield from rules(body, layer)
        else:
            said = [" ".join(one.split()) for one in body.split(";") if one.strip()]
            for selector in re.split(r",(?![^(\[]*[)\]])", prelude):
                yield Rule(" ".join(selector.split()), said, layer)


def sheets() -> dict[str, list[Rule]]:
    """Every style sheet, by its path below static/css."""
    paths = {str(path.relative_to(STYLES)): path for path in sorted(STYLES.rglob("*.css"))}
    return {name: list(rules(path.read_text())) for name, path in paths.items() if name not in WITHOUT_RULES}


def own_sheets() -> dict[str, list[Rule]]:
    """The style sheets that style classes of ours: all but those for the markup of Django's admin."""
    return {name: found for name, found in sheets().items() if not name.startswith("admin/")}


def styled_twice(files: dict[str, list[Rule]]) -> list[str]:
    """Classes that more than one file styles; a file that only places a class does not count."""
    styled: dict[str, set[str]] = defaultdict(set)
    for name, found in files.items():
        for rule in found:
            if rule.subject and not rule.only_places:
                styled[rule.subject].add(name)
    return [f"{one}: {', '.join(sorted(where))}" for one, where in sorted(styled.items()) if len(where) > 1]


def test_a_class_is_styled_in_one_file() -> None:
    assert styled_twice(own_sheets()) == []


def test_the_check_itself_finds_a_class_that_is_styled_twice() -> None:
    button = list(rules("@layer components { .button { color: red; } .button.small { padding: 0 } }"))
    placing = list(
        rules("@layer pages { .bar > .button:not(.x) { flex: none; --button-side: 0 } .a, .b { gap: 1px } }")
    )
    restyling = list(rules("@media print { .bar .button { flex: none; padding: 0 } }"))
    assert styled_twice({"button.css": button, "room.css": placing}) == []
    assert styled_twice({"button.css": button, "room.css": restyling}) == ["button: button.css, room.css"]


def test_every_file_is_in_the_layer_of_its_folder() -> None:
    order = re.findall(r"^@layer ([^{;]+);", (STYLES / "tokens.css").read_text(), re.MULTILINE)
    assert order == [", ".join(LAYERS)], "the first file of every page says in which order layers count"
    for name, found in sheets().items():
        layer = name.removesuffix(".css") if "/" not in name else name.split("/")[0]
        assert layer in LAYERS, name
        outside = [rule.selector for rule in found if rule.layer != layer]
        assert found and not outside, f"{name}: {outside} not in @layer {layer}"


def not_of_colour(text: str) -> list[str]:
    """Declarations for the dark or the light scheme that may change more than a colour."""
    wrong = []
    for prelude, body in _media(COMMENT.sub("", text)):
        if "prefers-color-scheme" in prelude:
            for one in (one for rule in rules(body) for one in rule.declarations):
                name, _, value = one.partition(":")
                names_one = name.startswith("--") and COLOUR.match(value.strip())
                wrong += [] if names_one or COLOURS.fullmatch(name.removeprefix("--")) else [one]
    return wrong


def _media(text: str) -> Iterator[tuple[str, str]]:
    """Every `@media`, also in a layer or in another one."""
    for prelude, body in blocks(text):
        if prelude.startswith("@media"):
            yield prelude, body
        if prelude.startswith("@"):
            yield from _media(body)


def test_a_scheme_changes_colours_alone() -> None:
    """Browser tests check in one scheme what no colour can change."""
    found = {str(path.relative_to(STYLES)): not_of_colour(path.read_text()) for path in STYLES.rglob("*.css")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert "light-dark(" not in "".join(path.read_text() for path in STYLES.rglob("*.css"))


def test_the_check_itself_finds_what_a_scheme_hides() -> None:
    dark = "@layer pages { @media (width > 1px) { @media (prefers-color-scheme: dark) { %s } } }"
    assert not_of_colour(dark % ".a { fill: red; --b: #123; --soft-shadow: 0 1px 2px #000; background: #fff }") == []
    for wrong in ("display: none", "--b: 2px", "--c: none", "font-size: 1rem", "visibility: hidden"):
        assert not_of_colour(dark % f".a {{ {wrong} }}") == [wrong]


def test_no_style_asks_for_the_language() -> None:
    """Browser tests check in one language what only a colour can break."""
    asks = {str(path.relative_to(STYLES)) for path in STYLES.rglob("*.css") if LANGUAGE.search(path.read_text())}
    assert asks == set()


def test_files_stay_short() -> None:
    lengths = {str(path.relative_to(STYLES)): len(path.read_text().splitlines()) for path in STYLES.rglob("*.css")}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def templates() -> dict[str, str]:
    """Every template of a page, by its path below templates."""
    folder = ROOT / "templates"
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.html"))}


def scripts() -> str:
    """All script of ours."""
    return "\n".join(path.read_text() for path in sorted((ROOT / "static" / "js").rglob("*.js")))


def classes_in(template: str) -> set[str]:
    """The classes that a template writes out in full: `class="seat{% if free %} free{% endif %}"` has both."""
    values = re.findall(r'class="((?:{%.*?%}|{{.*?}}|[^"])*?)"', template, re.DOTALL)
    values += re.findall(r"{% block (?:main_class|bodyclass) %}([^{]*){% endblock %}", template)
    plain = [re.sub(r"{%.*?%}", " ", re.sub(r"{{.*?}}", "{}", value, flags=re.DOTALL)) for value in values]
    return {one for one in " ".join(plain).split() if "{" not in one}


def test_every_class_that_is_styled_is_used() -> None:
    said = {one for text in templates().values() for one in classes_in(text)}
    said |= set(re.findall(r"[\w-]+", " ".join(re.findall(r"[\"'`][^\"'`\n]*[\"'`]", scripts()))))
    assert set(homes()) - said - COMPOSED == set()


def test_every_class_that_is_used_is_styled() -> None:
    """Or script looks for it, or it is Django's own in the admin."""
    looked_for = set(CLASS.findall(" ".join(re.findall(r"(?:querySelector(?:All)?|closest)\(([^)]*)\)", scripts()))))
    for name, text in templates().items():
        if not name.startswith("admin/"):
            assert classes_in(text) - set(homes()) - looked_for == set(), name


def homes() -> dict[str, set[str]]:
    """The files in which a class stands, by class."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, those in own_sheets().items():
        for one in (one for rule in those for one in CLASS.findall(rule.selector)):
            found[one].add(name)
    return found


def test_a_page_links_the_style_of_every_class() -> None:
    """In itself, or in what it extends and includes."""
    texts, known = templates(), homes()
    pages = [name for name, text in texts.items() if "{% extends" in text or "<!doctype" in text]
    for name in pages:
        whole = with_parts(name, texts)
        linked = set(re.findall(r"{% static 'css/([^']+)' %}", whole))
        if not name.startswith("admin/"):
            bare = {one for one in classes_in(whole) if known[one] and not known[one] & linked}
            assert bare == set(), f"{name}: no link to the style of {sorted(bare)}"


def with_parts(name: str, texts: dict[str, str], seen: frozenset[str] = frozenset()) -> str:
    """A template with all that it extends and includes by name."""
    text = texts[name] if name in texts else Engine.get_default().get_template(name).source
    parts = set(re.findall(r'{% (?:extends|include) "([^"]+)"', text)) - seen - {name}
    return text + "".join(with_parts(part, texts, seen | parts | {name}) for part in sorted(parts))
