"""Rules that hold for every file: no second way in, nothing swallowed, nothing that says where it was made."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("core", "ledger", "mail", "people", "social", "rooms", "retention", "transcripts", "moderation", "pages")

RELATED = frozenset({"seats", "events", "consents", "hosted_rooms"})
WRITES = frozenset({"create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "delete"})
# Who besides actions saves rows in a file that knows rooms, and why that is no second way to change one.
SAVERS = {
    "rooms/wire/events.py": "append_event raises `seq` of the room that the action holds locked",
    "rooms/recording/finishing/finish.py": "state and length of a recording that was finished",
    "transcripts/actions.py": "lines of a transcript, which is no row of a room",
    "transcripts/captions/actions.py": "lines of captions, which are no rows of a room",
}
# Actions of apps above save their own rows in files that know rooms. They call no row of theirs a room.
ABOVE = "moderation/actions/"
# Who besides actions says something on a room's channel: lossy messages, which change nothing and are never logged.
TELLERS = {
    "rooms/wire/events.py": "append_event itself",
    "rooms/live/socket.py": "`connected`",
    "rooms/live/ticker.py": "`count`",
    "rooms/media/supervisor/handles.py": "`mic_lost`",
    "rooms/media/supervisor/reconcile.py": "`media_restarted`",
    "rooms/media/supervisor/talking.py": "`talking`",
    "transcripts/captions/actions.py": "`caption`, `captions_state`",
}


@functools.cache
def tracked() -> tuple[str, ...]:
    """Every file of the project that is there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def python(*folders: str) -> list[str]:
    found = [name for name in tracked() if name.endswith(".py") and (not folders or name.split("/")[0] in folders)]
    assert found
    return [name for name in found if "/migrations/" not in name]


@functools.cache
def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(), name)


def calls(name: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(name)) if isinstance(node, ast.Call))


def words(node: ast.expr) -> list[str]:
    """The names a chain is made of: `room.seats.filter(…).update` is room, seats, filter, update."""
    found: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            found.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Name):
            return [node.id, *reversed(found)]
        else:
            return list(reversed(found))


def writes_related(call: ast.Call) -> bool:
    chain = words(call.func)
    return len(chain) > 2 and chain[-1].removeprefix("a") in WRITES and any(word in RELATED for word in chain[1:-1])


def saves(call: ast.Call) -> bool:
    return words(call.func)[-1:] in (["save"], ["asave"])


def saves_a_room(call: ast.Call) -> bool:
    """Whether what is saved is called a room: `room.save()`, `case.room.save()`, `locked_room.save()`."""
    return saves(call) and any(word.endswith("room") for word in words(call.func)[-2:-1])


def publishes(call: ast.Call) -> bool:
    inside = {word for node in ast.walk(call) if isinstance(node, ast.Call) for word in words(node.func)}
    return words(call.func)[-1:] == ["publish"] and bool(inside & {"room_channel", "person_channel"})


def knows_rooms(name: str) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == "rooms.models" for node in ast.walk(tree(name)))


def only(allowed: dict[str, str], found: set[str]) -> None:
    """Actions and the named exceptions, and no exception that nobody needs any more."""
    elsewhere = {name for name in found if not name.startswith("rooms/actions/")}
    assert elsewhere - allowed.keys() == set(), "go through rooms/actions"
    assert allowed.keys() - elsewhere == set(), "no longer exceptions: take them off the list"


def test_nobody_writes_through_what_belongs_to_a_room() -> None:
    only({}, {name for name in python(*APPS, "config") if any(map(writes_related, calls(name)))})


def test_only_actions_save_rows_of_a_room() -> None:
    found = {name for name in python(*APPS, "config") if knows_rooms(name) and any(map(saves, calls(name)))}
    only(SAVERS, {name for name in found if not name.startswith(ABOVE)})
    assert [name for name in python(ABOVE.split("/")[0]) if any(map(saves_a_room, calls(name)))] == []


def test_only_actions_and_what_is_lossy_goes_out_on_a_room_s_channel() -> None:
    only(TELLERS, {name for name in python(*APPS, "config") if any(map(publishes, calls(name)))})


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("room.seats.all().delete()", writes_related),
        ("self.room.events.acreate(seq=1)", writes_related),
        ("room.save(update_fields=['seq'])", saves),
        ("case.room.save()", saves_a_room),
        ("bus.publish(bus.room_channel(room.pk), text)", publishes),
        ("self.redis.publish(bus.person_channel(1), text)", publishes),
    ],
)
def test_the_rules_see_what_they_forbid(source: str, seen: object) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call) and callable(seen) and seen(call)


def test_no_app_imports_the_configuration() -> None:
    for name in python(*APPS):
        for node in ast.walk(tree(name)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [module for module in modules if module.split(".")[0] == "config"], name


def test_scripts_and_tests_fit_a_head_too() -> None:
    sources = [name for name in tracked() if name.endswith((".py", ".js", ".html")) and "/vendor/" not in name]
    long = {name: len((ROOT / name).read_text().splitlines()) for name in sources if "/migrations/" not in name}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def swallows(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or all(isinstance(line, ast.Pass) for line in node.body)
    if not isinstance(node, ast.Call) or words(node.func)[-1:] != ["suppress"]:
        return False
    return bool({word for arg in node.args for word in words(arg)} & {"Exception", "BaseException"})


def test_no_failure_is_swallowed() -> None:
    assert [f"{name}:{node.lineno}" for name in python() for node in ast.walk(tree(name)) if swallows(node)] == []  # type: ignore[attr-defined]
    for source in ("try: f()\nexcept OSError: pass", "try: f()\nexcept: g()", "with suppress(Exception): f()"):
        assert any(map(swallows, ast.walk(ast.parse(source))))


# Put together here, so that this file may be searched too.
PLACES = ("/" + "root/", "/" + "home/[a-z]")


def test_nothing_says_where_it_was_made() -> None:
    foreign, found = re.compile("|".join(PLACES)), []
    for name in tracked():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data[:8000]:
            lines = enumerate(data.decode(errors="replace").splitlines(), 1)
            found += [f"{name}:{number}: {line.strip()[:100]}" for number, line in lines if foreign.search(line)]
    assert found == []


def test_packages_come_from_wherever_the_reader_has_them() -> None:
    for name in ("requirements.txt", "constraints.txt"):
        for line in (ROOT / name).read_text().splitlines():
            wanted = line.split("#")[0]
            assert "://" not in wanted, f"{name}: {line}"
            assert not re.match(r"\s*(-i|-f|--(?!constraint))", wanted), f"{name}: {line}"
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
    assert not [name for name in tracked() if Path(name).name in (".npmrc", "pip.conf", ".netrc", ".pypirc")]
