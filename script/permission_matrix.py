"""Write docs/permissions.md out of the permission matrices (`rooms/rules/matrix.py`, `moderation/rules/matrix.py`).

`--check` writes nothing and exits 1 when the page is not what it would be.
"""

import os
import sys
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from moderation.rules import matrix as staff  # noqa: E402
from rooms.rules import matrix  # noqa: E402

TARGET = ROOT / "docs/permissions.md"
HEAD = """\
# Who may do what in a room

Made by `script/permission_matrix.py` out of `rooms/rules/matrix.py`, which a test compares with the rules in every
state and under every policy. ✓ is yes; anything else is the code of the refusal (`rooms/rules/refusals.py`). Everybody
here has agreed to being recorded, but for anonymous people, who never speak.

Where several refusals are due, the first one is given: the room (`room_ended`, `room_cancelled`, `not_open_yet` for one
that is prepared), the account, the door, the act. WebSocket and API answer anonymous people with `not_signed_in` before
any act but listening; over the WebSocket they react, too.
"""


STAFF = """
## Roles of staff

Made out of `moderation/rules/matrix.py`, which a test compares with the groups. Each role has a group
(`people/groups.py`, `moderation/groups.py`); `manage.py account role HANDLE ROLE… --why …` gives an account its roles,
and so does an administrator on the account's page. Nobody has a right of staff without a second step a moment ago, and
nobody acts on a case, its room's clock or its ledger as a party of it: host, co-host, speaker, reporter, or subject.
Seniors alone reach cases about staff, the child-safety role alone child-safety cases. Nobody reviews an appeal against
a decision of a case in which they decided, approved or reviewed. An outside reviewer sees the one review that somebody
gave to them, and nothing else of the admin. ✓ is yes, – is no.

"""


def main() -> int:
    """1 with `--check` when the page is out of date."""
    text = page()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is not up to date: run script/permission_matrix.py")
    return 1


def page() -> str:
    """Return the whole page."""
    in_live = [act for act, row in matrix.ACTS.items() if not row.prepared]
    before = [act for act, row in matrix.ACTS.items() if row.prepared]
    acts = table("act", in_live, matrix.ROLES, partial(in_state, "live"))
    prepared = table("act", before, matrix.ROLES, partial(in_state, "scheduled"))
    door = table("role", matrix.ROLES, matrix.ENTRY, lambda role, entry: matrix.at_the_door(role, entry))
    stage = table(
        "role",
        matrix.ROLES,
        matrix.SPEAK,
        lambda role, speak: matrix.expected("take a free seat", role, "live", "anyone", speak),
    )
    parts = (
        (f"In a live room that is open to anyone, speak policy `everyone`: {len(in_live)} acts", acts),
        ("In a prepared room, before it opens", prepared),
        ("Coming in, by entry policy", door),
        ("Taking a free seat, by speak policy", stage),
    )
    return HEAD + "".join(f"\n## {title}\n{rows}" for title, rows in parts) + STAFF + of_staff()


def of_staff() -> str:
    """Return the table of roles of staff."""
    lines = [["act", *staff.ROLES], ["---"] * (len(staff.ROLES) + 1)]
    for act, (_permission, roles) in staff.ACTS.items():
        lines.append([act, *("✓" if role in roles else "–" for role in staff.ROLES)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def in_state(status: str, act: str, role: str) -> str | None:
    """Return the cell of a room in this state that is open to anyone, speak policy `everyone`."""
    return matrix.expected(act, role, status, "anyone", "everyone")


def table(corner: str, rows: Collection[str], columns: Collection[str], cell: Callable[[str, str], str | None]) -> str:
    """Return a table in Markdown."""
    lines = [[corner, *columns], ["---"] * (len(columns) + 1)]
    lines += [[row, *(shown(cell(row, column)) for column in columns)] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def shown(code: str | None) -> str:
    return "✓" if code is None else f"`{code}`"


if __name__ == "__main__":
    sys.exit(main())
