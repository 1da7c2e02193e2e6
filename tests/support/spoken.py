"""A screen reader's words for a page, in lines: from Chromium's accessibility tree and its live regions.

A landmark, list or dialog stands above what is in it. A control is one line: role, name, states, description.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import CDPSession, Page

Node = dict[str, Any]
# Read by their name, with what is in them.
WHOLE = {
    *("button", "link", "checkbox", "combobox", "textbox", "searchbox", "spinbutton", "option", "heading", "meter"),
    *("image", "radio", "DisclosureTriangle", "DisclosureTriangleGrouped"),
}
# Nothing of their own: what is in them is read as if they were not there.
PLAIN = {"sectionheader", "none", "generic", "RootWebArea", "Section", "form", "Details"}
INLINE = {"strong", "emphasis", "code", "time"}
# A line of its own, without a role that is read.
BLOCKS = {"paragraph", "listitem", "term", "definition", "status", "alert"}
# Labels are read with their fields.
UNREAD = {"InlineTextBox", "LineBreak", "ListMarker", "Audio", "LabelText"}
ROLES = {
    "DescriptionList": "list",
    "DisclosureTriangle": "button",
    "DisclosureTriangleGrouped": "button",
    "contentinfo": "footer",
    "complementary": "aside",
}
MESSAGES = "Messages"  # what is in this region was announced
AUDIENCE = "Audience"  # what is in this region is asked for again every few seconds, whatever the step
STATES: dict[str, dict[Any, str]] = {
    "checked": {"true": "checked", "false": "not checked"},
    "pressed": {"true": "pressed", "false": "not pressed"},
    "expanded": {True: "expanded", False: "collapsed"},
    "disabled": {True: "disabled"},
    "invalid": {"true": "wrong"},
    "required": {True: "required"},
    "hasPopup": {"dialog": "opens a dialog"},
}
MASKS = (
    (re.compile(r"https?://localhost(:\d+)?/r/[\w-]+/"), "https://stamtafel.example/r/voices/"),
    (re.compile(r"(?<=at )\d\d:\d\d"), "[time]"),
    (re.compile(r"(today|yesterday|waits) \d+:\d\d"), r"\1 [time]"),
    # It comes in its own time, while steps go on.
    (re.compile(r"\b\d+ listening\b"), "[number] listening"),
    (re.compile(r"\bListening \d+"), "Listening [number]"),
    (re.compile(r"\bAudience \d+"), "Audience"),
    # Room time, and how long somebody talked.
    (re.compile(r"(?<!\d)\d+:\d\d\b"), "[time]"),
)
# Keeps what live regions get, in `window.spoken`: once, whatever else changes in the same moment, and marked where a
# dialog stands before them, which makes them silent. `window.changed` is when the page last changed.
LISTEN = """() => {
  const LIVE = "[role=status], [role=alert], [aria-live]";
  const textOf = (node) => node instanceof Element ? [...node.childNodes].map(textOf).join(" ") : node.textContent;
  window.spoken = [];
  window.changed = performance.now();
  const take = (changes) => {
    window.changed = performance.now();
    const come = changes.flatMap(({ type, target, addedNodes }) => type === "childList" ? [...addedNodes] : [target]);
    const shown = [...new Set(come)].filter((node) => node.isConnected);
    for (const node of shown) {
      if (shown.some((other) => other !== node && other.contains(node))) continue;
      const element = node instanceof Element ? node : node.parentElement;
      const region = element.closest(LIVE);
      const words = textOf(node).replace(/\\s+/g, " ").trim();
      if (!region || !words || !element.checkVisibility()) continue;
      const modal = document.querySelector("dialog:modal");
      const unheard = modal && !modal.contains(region) ? " (unheard: behind a dialog)" : "";
      window.spoken.push((region.matches("[role=alert]") ? "at once: " : "") + words + unheard);
    }
  };
  new MutationObserver(take).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["hidden"],
  });
}"""


HEARD = "(words) => window.spoken.some((one) => one.includes(words))"


def masked(text: str) -> str:
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text


class Reader:
    """Somebody who hears a page. `lines` is all that was said so far."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.lines: list[str] = []
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._before: list[str] = []
        self._focus = ""
        page.evaluate(LISTEN)

    def page_opens(self, title: str) -> None:
        """Write the whole page down."""
        self._before, self._focus = self._look()
        self._write(title, ["reads", *(f"  {line}" for line in self._before)])

    def step(self, title: str, hears: str = "") -> None:
        """Write what was announced since the last step; then the dialog that stands open, or what is different. Waits
        until the words of `hears` were told and the page rests."""
        if hears:
            self.page.wait_for_function(HEARD, arg=hears, timeout=60_000)
        self.page.wait_for_function("() => performance.now() - window.changed > 800")
        told = self.page.evaluate("() => window.spoken.splice(0)")
        lines, focus = self._look()
        said = [f"says  {masked(text)}" for text in told]
        if any(line.startswith("dialog") for line in lines):
            said += ["dialog", *(f"  {line}" for line in lines)]
        else:
            said += list(changes(self._before, lines))
            self._before = lines
        if focus != self._focus:
            said.append(f"focus {focus or 'nowhere'}")
            self._focus = focus
        self._write(title, said or ["(nothing)"])

    def _write(self, title: str, said: list[str]) -> None:
        self.lines += [f"== {title}", *said, ""]

    def _look(self) -> tuple[list[str], str]:
        nodes = self._session.send("Accessibility.getFullAXTree")["nodes"]
        tree = Tree(nodes)
        return [masked(line) for line in tree.lines()], masked(tree.focus)


def changes(before: list[str], after: list[str]) -> Iterator[str]:
    """Name the lines that went and came, without their depth."""
    for line in difflib.ndiff(before, after):
        if line[:2] in ("- ", "+ "):
            yield f"{'gone ' if line[0] == '-' else 'new  '} {line[2:].strip()}"


class Tree:
    """A page's accessibility tree as lines."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = {node["nodeId"]: node for node in nodes}
        self._root = next(node for node in nodes if "parentId" not in node)
        self.focus = ""
        for node in nodes:
            if properties(node).get("focused") and node is not self._root and not node.get("ignored"):
                self.focus = self._line(node)

    def lines(self) -> list[str]:
        return list(self._read(self._root, 0))

    def _children(self, node: Node) -> Iterator[Node]:
        for key in node.get("childIds", ()):
            if key in self._nodes:
                yield self._nodes[key]

    def _read(self, node: Node, depth: int) -> Iterator[str]:
        """A run of texts is one line."""
        run: list[str] = []
        for child in self._flat(node):
            if role(child) == "StaticText":
                run.append(name(child))
                continue
            if run:
                yield _indented(depth, " ".join(run))
                run = []
            line = self._line(child)
            if line:
                yield _indented(depth, line)
            passed = role(child) == "region" and name(child).partition(" ")[0] in (MESSAGES, AUDIENCE)
            if role(child) not in WHOLE and not passed:
                yield from self._read(child, depth + 1 if line else depth)
        if run:
            yield _indented(depth, " ".join(run))

    def _flat(self, node: Node) -> Iterator[Node]:
        """Children, without the nodes that are nothing to a reader."""
        for child in self._children(node):
            kind = role(child)
            if kind in UNREAD:
                continue
            if child.get("ignored") or (kind in PLAIN and not name(child)) or kind in INLINE:
                yield from self._flat(child)
            else:
                yield child

    def _line(self, node: Node) -> str:
        """Empty for a block of text, which is only what is in it."""
        kind, called, facts = role(node), name(node), properties(node)
        if kind in BLOCKS:
            return ""
        said = [ROLES.get(kind, kind)]
        if kind == "heading":
            said.append(str(facts.get("level", "")))
        said.append(called)
        if kind == "list":
            said.append(f"of {sum(1 for one in self._flat(node) if role(one) == 'listitem')}")
        line = " ".join(filter(None, said))
        value = str(node.get("value", {}).get("value", ""))
        more = [value] if value and kind in ("combobox", "textbox", "searchbox", "meter") else []
        more += [words[facts[key]] for key, words in STATES.items() if facts.get(key) in words]
        if facts.get("keyshortcuts"):
            more.append(f"key {facts['keyshortcuts']}")
        described = str(node.get("description", {}).get("value", "")).strip()
        more += [described] if described else []
        return ", ".join([line, *more])


def role(node: Node) -> str:
    return str(node.get("role", {}).get("value", ""))


def name(node: Node) -> str:
    return re.sub(r"\s+", " ", str(node.get("name", {}).get("value", ""))).strip()


def properties(node: Node) -> dict[str, Any]:
    return {one["name"]: one["value"].get("value") for one in node.get("properties", ())}


def _indented(depth: int, line: str) -> str:
    return "  " * depth + line
