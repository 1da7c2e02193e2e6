"""Write types for the pages' scripts, out of Python: `static/js/room/wire.d.ts` of all that travels between a room and
its page, `static/js/shared/word.d.ts` of the keys of the words that pages carry.

`--check` writes nothing and exits 1 when a file is not what it would be.
"""

import inspect
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import django

ROOT = Path(__file__).resolve().parents[1]
WIRE, WORDS = ROOT / "static/js/room/wire.d.ts", ROOT / "static/js/shared/word.d.ts"
HEAD = """\
// What travels to a room's page. Made by script/wire_types.py out of the vocabulary in Python: change it there, then
// run the script. script/check refuses a file that is not up to date.
"""
WORDS_HEAD = """\
// Keys of the words that pages carry (pages/js_messages/). Made by script/wire_types.py: change them there, then run
// the script. script/check refuses a file that is not up to date.

/** Words by number: `<key>_one` and `<key>_other`. */
export type Counted = {
  [Key in Word]: Key extends `${infer Stem}_one` ? (`${Stem}_other` extends Word ? Stem : never) : never;
}[Word];

export type Word =
"""
# Nothing is asked of the database: the settings only want to be complete.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "only-for-types" * 4,
    "LEDGER_KEY": "only-for-types" * 4,
    "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none",
}
# Fields of the API (Django REST framework), which describe the arguments of verbs.
FIELDS = {"BooleanField": "boolean", "CharField": "string", "IntegerField": "number", "JSONField": "unknown"}
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null", Any: "unknown"}


def main() -> int:
    """1 with `--check` when a file is out of date."""
    set_up()
    status = 0
    for path, text in ((WIRE, declarations(*vocabulary())), (WORDS, words())):
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is not up to date: run script/wire_types.py")
            status = 1
    return status


def set_up() -> None:
    """Make modules that need Django's settings importable."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    sys.path.insert(0, str(ROOT))
    django.setup()


def words() -> str:
    """The keys of all pages' words."""
    from moderation.console.words import console_words
    from pages.js_messages.replay import replay_words
    from pages.js_messages.room import room_words

    words = sorted({*room_words(), *replay_words(), *console_words()})
    return WORDS_HEAD + "\n".join(f'  | "{key}"' for key in words) + ";\n"


def vocabulary() -> tuple[ModuleType, ModuleType, ModuleType, ModuleType]:
    """The modules of events, of messages outside the log, of the snapshot and of verbs."""
    from rooms.live.verbs import table
    from rooms.wire import events, sides, snapshot

    return events, sides, snapshot, table


def declarations(events: ModuleType, sides: ModuleType, snapshot: ModuleType, table: ModuleType) -> str:
    """The whole file of what travels."""
    from rooms.models import Room, Seat

    data = {kind: vars(events)[camel(kind)] for kind in events.SEQUENCED}
    if set(data.values()) != set(get_args(events.EventData)):
        raise SystemExit("EventData is not the types of the events in EventType, by their names in camel case")
    lossy = [vars(events)[camel(kind)] for kind in events.LOSSY]
    sided = {kind: vars(sides)[camel(kind)] for kind in (*sides.HOST_SIDE, *sides.STAFF)}
    # Fields whose type is narrower on the wire than in Python.
    known = {
        sides.Personal: {"type": one_of(sides.PERSONAL)},
        snapshot.Snapshot: {"type": '"snapshot"'},
        events.SeatState: {"role": one_of(Seat.Role.values)},
        events.EntryPolicySet: {"policy": one_of(Room.EntryPolicy.values)},
        events.SpeakPolicySet: {"policy": one_of(Room.SpeakPolicy.values)},
        snapshot.RoomState: {
            "entry_policy": one_of(Room.EntryPolicy.values),
            "speak_policy": one_of(Room.SpeakPolicy.values),
        },
        snapshot.Hands: {},
        snapshot.Invitations: {},
        snapshot.Panel: {},
        snapshot.Captions: {},
        snapshot.StaffPart: {},
    }
    typed: dict[type, None] = {}
    for kind in (*data.values(), *lossy, *sided.values(), *known):
        reach(kind, typed)
    interfaces = (interface(kind, known.get(kind, {})) for kind in typed)
    return "\n".join([HEAD, *interfaces, unions(data, lossy, sided), verbs(table.VERBS)])


def reach(hint: Any, typed: dict[type, None]) -> None:
    """Add every TypedDict that is in this type, each after those it is made of."""
    if is_typeddict(hint) and hint not in typed:
        for inner in get_type_hints(hint).values():
            reach(inner, typed)
        typed[hint] = None
    for inner in get_args(hint):
        reach(inner, typed)


def unions(data: dict[str, type], lossy: list[type], sided: dict[str, type]) -> str:
    """The unions of all messages, discriminated by `type`."""
    lines, sided_lines = (
        "".join(f"  {kind}: {made.__name__};\n" for kind, made in table.items()) for table in (data, sided)
    )
    return f"""\
/** The data of each sequenced event, by its type. */
export interface EventData {{
{lines}}}

/** A sequenced event. `at` is room time in milliseconds. */
export type Event = {{
  [Type in keyof EventData]: {{ seq: number; type: Type; at: number; data: EventData[Type] }};
}}[keyof EventData];

export type Lossy = {" | ".join(one.__name__ for one in lossy)};

/** The data of each message to the host's side or to staff, by its type. */
export interface SidedData {{
{sided_lines}}}

/** A message to the host's side of the room with this slug, or to staff. */
export type Sided = {{
  [Type in keyof SidedData]: {{ type: Type; room: string; data: SidedData[Type] }};
}}[keyof SidedData];

export type Message = Snapshot | Event | Lossy | Personal | Sided;
"""


def verbs(table: Mapping[str, Any]) -> str:
    """The arguments of all verbs."""
    lines = "".join(f"  {name}: {arguments(verb.args)};\n" for name, verb in table.items())
    return f"/** The arguments of each verb, by its name. */\nexport interface Verbs {{\n{lines}}}\n"


def arguments(args: Mapping[str, Any]) -> str:
    """The arguments of one verb."""
    fields = {name: argument.field() for name, argument in args.items()}
    inner = "; ".join(f"{name}{'' if field.required else '?'}: {of_field(field)}" for name, field in fields.items())
    return f"{{ {inner} }}" if inner else "Record<string, never>"


def of_field(field: Any) -> str:
    """A field of the API as TypeScript writes it. Raises KeyError for what has no line here."""
    kind = type(field).__name__
    if kind == "ChoiceField":
        return one_of(field.choices)
    return f"{of_field(field.child)}[]" if kind == "ListField" else FIELDS[kind]


def interface(kind: type, known: dict[str, str]) -> str:
    """One TypedDict; `known` has the types of fields that are narrower than in Python."""
    lines = "".join(field(name, hint, known) for name, hint in get_type_hints(kind, include_extras=True).items())
    comment = "".join(f" * {line}".rstrip() + "\n" for line in inspect.getdoc(kind).splitlines())  # type: ignore[union-attr]
    body = f"interface {kind.__name__} {{\n{lines}}}" if lines else f"type {kind.__name__} = Record<string, never>;"
    return f"/**\n{comment} */\nexport {body}\n"


def field(name: str, hint: Any, known: dict[str, str]) -> str:
    mark = "?" if get_origin(hint) is NotRequired else ""
    inner = get_args(hint)[0] if mark else hint
    return f"  {name}{mark}: {known.get(name) or typescript(inner)};\n"


def typescript(hint: Any) -> str:
    """A type as TypeScript writes it. Raises TypeError for what has no line here."""
    if hint in PLAIN:
        return PLAIN[hint]
    if is_typeddict(hint):
        return str(hint.__name__)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return one_of(inner)
    if origin in (Union, UnionType):
        return " | ".join(typescript(one) for one in inner)
    if origin is list:
        return f"{typescript(inner[0])}[]"
    if origin is tuple:
        return f"[{', '.join(typescript(one) for one in inner)}]"
    if origin is dict:
        return f"Record<{typescript(inner[0])}, {typescript(inner[1])}>"
    raise TypeError(f"script/wire_types.py does not know {hint}")


def one_of(values: Iterable[str]) -> str:
    """A union of texts."""
    return " | ".join(f'"{value}"' for value in values)


def camel(kind: str) -> str:
    """`seat_taken` → `SeatTaken`."""
    return "".join(word.title() for word in kind.split("_"))


if __name__ == "__main__":
    sys.exit(main())
