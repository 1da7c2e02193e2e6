"""Architecture, checked in the source: one write path, one vocabulary, one place that uses Janus."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from core.refusals import Refused
from people.refusals import PeopleRefused
from rooms.live.verbs.table import VERBS
from rooms.queries.panel import KINDS
from rooms.rules.refusals import TABLE, RoomRefused
from rooms.wire import events, sides
from tests.rooms.reducer import _CHANGES
from transcripts.refusals import TranscriptRefused

ROOT = Path(__file__).resolve().parent.parent
APPS = (
    "config",
    "core",
    "ledger",
    "mail",
    "people",
    "social",
    "rooms",
    "retention",
    "transcripts",
    "moderation",
    "pages",
)
# What a room is made of. Only actions write it; each exception is the one writer of what it names.
ROOM_ROWS = frozenset({"Room", "Seat", "RoomEvent", "Consent", "Hand"})
WRITERS = ("rooms/actions/",)
WRITES = frozenset(
    {
        "create",
        "bulk_create",
        "get_or_create",
        "update_or_create",
        "update",
        "bulk_update",
        "delete",
    }
)
PUBLISHING = frozenset({"append_event", "tell", "tell_each", "tell_host_side", "tell_staff"})
LONGEST_FUNCTION, LONGEST_FILE = 60, 400


@cache
def sources() -> dict[str, ast.Module]:
    """Every Python file of the apps but migrations, parsed."""
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name:
                found[name] = ast.parse(path.read_text(), name)
    return found


def names_in(node: ast.AST) -> set[str]:
    """Every plain name in a piece of source."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def row_writes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that write rows of a room through a manager or query set: `Seat.objects.filter(…).update(…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            models = names_in(node.func) & ROOM_ROWS
            if models:
                yield node.lineno, f"{', '.join(sorted(models))}.{node.func.attr}"


def publications(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Calls that write to a room's log or to a person's channel."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in PUBLISHING:
                yield node.lineno, name


# Outside of actions, with the reason.
MAY_WRITE = {
    "rooms/wire/events.py": "append_event, which only actions may call (the next test)",
    "retention/receipts.py": "the purge: marks a room whose copy is gone",
    "retention/purge.py": "the purge: claims rooms that are due",
}


def test_only_actions_write_what_rooms_are_made_of() -> None:
    found = [
        f"{name}:{line} {what}"
        for name, tree in sources().items()
        if not name.startswith(WRITERS) and name not in MAY_WRITE
        for line, what in row_writes(tree)
    ]
    assert found == []


def test_only_actions_publish() -> None:
    found = [
        f"{name}:{line} {what}"
        for name, tree in sources().items()
        if name.startswith("rooms/")
        and not name.startswith(WRITERS)
        and name not in ("rooms/wire/events.py", "rooms/wire/sides.py")
        for line, what in publications(tree)
    ]
    assert found == []


def test_the_check_itself_finds_a_second_write_path() -> None:
    bad = ast.parse(
        "def view(request):\n    Seat.objects.filter(pk=1).update(muted=False)\n    append_event(room, 'x', {})\n"
    )
    assert list(row_writes(bad)) == [(2, "Seat.update")] and list(publications(bad)) == [(3, "append_event")]


def test_actions_lock_before_they_write() -> None:
    """Every append to a room's log has the room's row locked, here or by the caller who passes the room; the one
    exception creates the row."""
    for name in (
        "stage",
        "host",
        "opening",
        "entry",
        "hands",
        "hand_queue",
        "seating",
        "speak_policy",
        "cohosts",
        "mutes",
    ):
        tree = sources()[f"rooms/actions/{name}.py"]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and list(publications(node)):
                passed = [arg.arg for arg in node.args.args[:1]] == ["room"]
                assert passed or "locked" in names_in(node) or node.name == "open_room", node.name


def test_janus_is_known_to_rooms_media_alone() -> None:
    """No other code names the media server's ways; settings and health only say where it is."""
    spoken = re.compile(r"janus\.plugin|rtp_forward|\"janus\":|admin_key")
    found = [
        name
        for name in sources()
        if not name.startswith(("rooms/media/", "config/")) and spoken.search((ROOT / name).read_text())
    ]
    assert found == []


def test_the_vocabulary_is_whole() -> None:
    """Every kind of event has a type, a line in both reducers, and its word in the documentation."""
    kinds = set(get_args(events.EventType))
    assert kinds == set(events.SEQUENCED) == set(_CHANGES)
    page = (ROOT / "docs/subsystems/live-events.md").read_text()
    vocabulary = "".join((ROOT / f"rooms/wire/{name}.py").read_text() for name in ("events", "sides"))
    scripts = [path.read_text() for path in (ROOT / "static/js/room/features").glob("*.js")]
    for kind in kinds:
        taken = [text for text in scripts if re.search(rf"^    {kind}:", text, re.MULTILINE)]
        assert len(taken) == 1, f"{kind} in static/js/room/features"
    for kind in (*events.SEQUENCED, *events.LOSSY, *sides.PERSONAL, *sides.HOST_SIDE, *sides.STAFF):
        assert f"`{kind}`" in vocabulary or f'"{kind}"' in vocabulary, kind
        assert f"`{kind}`" in page, f"{kind} in docs/subsystems/live-events.md"
    for verb in VERBS:
        assert f"`{verb}`" in page, f"the verb {verb} in docs/subsystems/live-events.md"


def test_page_and_server_make_the_same_of_what_happened() -> None:
    script = (ROOT / "static/js/room/core/happened.js").read_text()
    listed = re.search(r"export const KINDS = \[(.*?)\]", script, re.DOTALL)
    assert listed and tuple(re.findall(r'"(\w+)"', listed[1])) == KINDS


def test_every_refusal_that_is_raised_is_in_the_table() -> None:
    """A code that nobody wrote a sentence for would be a failure in production."""
    tables = {kind.__name__: kind.table for kind in (PeopleRefused, RoomRefused, TranscriptRefused)}
    assert set(tables) <= {kind.__name__ for kind in Refused.__subclasses__()}
    seen = set()
    for name, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in tables:
                code = node.args[0]
                seen.add(node.func.id)
                known = tables[node.func.id]
                assert not isinstance(code, ast.Constant) or str(code.value) in known, f"{name}:{node.lineno}"
    assert seen == set(tables)
    for rules in ("permissions", "inviting"):
        for node in ast.walk(sources()[f"rooms/rules/{rules}.py"]):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and node.value.value is not None:
                assert str(node.value.value) in TABLE


def test_permissions_are_pure() -> None:
    imported = [
        n for n in ast.walk(sources()["rooms/rules/permissions.py"]) if isinstance(n, ast.Import | ast.ImportFrom)
    ]
    assert [getattr(node, "module", "") for node in imported] == ["__future__", "dataclasses"]


def test_event_types_are_described() -> None:
    for kind in (events.SeatState, *get_args(events.EventData), events.Event, events.Beat, events.Count):
        assert kind.__doc__ and get_type_hints(kind) is not None


def test_what_follows_a_commit_fails_alone() -> None:
    """Redis may be away by then: nobody gets an error page for what is done, and nothing that follows is left out."""
    calls = [
        (f"{name}:{node.lineno}", node)
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "on_commit"
    ]
    assert calls
    assert [place for place, call in calls if not any(word.arg == "robust" for word in call.keywords)] == []


def test_threads_of_our_own_are_made_in_core() -> None:
    """Where one that dies is started again (`core.loops`), or hangs without harm (`core.lane`)."""
    threading = {name: tree for name, tree in sources().items() if "threading" in (ROOT / name).read_text()}
    made = {name for name, tree in threading.items() for node in ast.walk(tree) if _makes_thread(node)}
    assert made == {"core/loops.py", "core/lane.py"}


def _makes_thread(node: ast.AST) -> bool:
    name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
    return name in ("Thread", "Timer")


@pytest.mark.parametrize("name", [name for name in sources() if not name.startswith("rooms/migrations")])
def test_files_and_functions_stay_short(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= LONGEST_FILE
    for node in ast.walk(sources()[name]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < LONGEST_FUNCTION, node.name
