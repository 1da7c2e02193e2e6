"""The head of the chain, kept where the database cannot reach: a file that is only appended to, and the log.

A chain that was cut off, or computed anew by somebody with the key, no longer has the heads that were anchored. Ship
the file (or the log) to another machine: what stands there is out of reach of whoever breaks into this one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from core import append_file
from ledger import chain
from ledger.actions import head

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Anchor:
    """One line: at this moment, entry `seq` had this seal. `restored`: a backup with this head was put back."""

    line: int
    seq: int
    seal: str
    restored: bool


def anchor(now: datetime | None = None, restored: str = "") -> dict[str, Any] | None:
    """Write the head down; nothing where it stands there already. `restored`: why a backup was put back."""
    seq, seal = head()
    last = None
    for _line, found in append_file.read_rows(settings.LEDGER_ANCHORS):
        last = found or last
    if not restored and (seq == 0 or (last is not None and last.get("seq") == seq and last.get("seal") == seal)):
        return None
    row: dict[str, Any] = {"seq": seq, "seal": seal, "at": chain.stamp(now or timezone.now()), "restored": restored}
    row["signed"] = signature(row)
    append_file.append_rows(settings.LEDGER_ANCHORS, [row])
    log.info("ledger head %d %s", seq, seal)
    return row


def signature(row: dict[str, Any]) -> str:
    """What makes a line ours: without the key nobody can add or change one."""
    return chain.sign(
        settings.LEDGER_KEY, "anchor", {name: row.get(name) for name in ("seq", "seal", "at", "restored")}
    )


def read() -> tuple[list[Anchor], list[str]]:
    """All anchors in the order in which they were written, and what is wrong with lines that are none."""
    anchors, problems = [], []
    for line, row in append_file.read_rows(settings.LEDGER_ANCHORS):
        if row is None:
            problems.append(f"line {line} of the anchors cannot be read")
        elif row.get("signed") != signature(row) or not isinstance(row.get("seq"), int):
            problems.append(f"line {line} of the anchors was not written with this key, or was changed")
        else:
            anchors.append(Anchor(line, row["seq"], str(row["seal"]), bool(row["restored"])))
    return anchors, problems
