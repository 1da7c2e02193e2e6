"""Anchors: the chain's head, written to an append-only file and the log, out of the database's reach.

A chain that was cut off, or computed anew by somebody with the key, no longer has the heads that were anchored. Ship
the file (or the log) to another machine, so that an intruder on this one cannot change it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from core import append_file
from core.after_restore import restore_checks
from ledger import chain
from ledger.actions import head
from ledger.models import Entry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Anchor:
    """One line of the file: at this moment, entry `seq` had this seal. `restored`: a backup with this head was
    restored."""

    line: int
    seq: int
    seal: str
    restored: bool


def anchor(now: datetime | None = None, restored: str = "") -> dict[str, Any] | None:
    """Write the head to the file; None where it is its last line already. `restored`: why a backup was restored."""
    seq, seal = head()
    last = None
    for _line, stored in append_file.read_rows(settings.LEDGER_ANCHORS):
        last = stored or last
    if not restored and (seq == 0 or (last is not None and last.get("seq") == seq and last.get("seal") == seal)):
        return None
    row: dict[str, Any] = {"seq": seq, "seal": seal, "at": chain.stamp(now or timezone.now()), "restored": restored}
    row["signed"] = signature(row)
    append_file.append_rows(settings.LEDGER_ANCHORS, [row])
    log.info("ledger head %d %s", seq, seal)
    return row


def signature(row: dict[str, Any]) -> str:
    """Sign a line with LEDGER_KEY: without the key no line can be added or changed."""
    return chain.sign(
        settings.LEDGER_KEY, "anchor", {name: row.get(name) for name in ("seq", "seal", "at", "restored")}
    )


def read_anchors() -> tuple[list[Anchor], list[str]]:
    """Return all anchors in the order in which they were written, and a sentence for each line that is not a valid
    one. A restore is declared once: its line a second time would hide that the chain was cut."""
    anchors, problems = [], []
    restores: set[str] = set()
    for line, row in append_file.read_rows(settings.LEDGER_ANCHORS):
        if row is None:
            problems.append(f"line {line} of the anchors cannot be read")
        elif row.get("signed") != signature(row) or not isinstance(row.get("seq"), int):
            problems.append(f"line {line} of the anchors was not written with this key, or was changed")
        elif row["restored"] and row["signed"] in restores:
            problems.append(f"line {line} of the anchors repeats an earlier one")
        else:
            restores |= {row["signed"]} if row["restored"] else set()
            anchors.append(Anchor(line, row["seq"], str(row["seal"]), bool(row["restored"])))
    return anchors, problems


class NotDeclared(Exception):
    """A backup was put back, or the chain was cut, and nobody said so."""


@restore_checks.register("ledger.anchors")
def refuse_undeclared() -> None:
    """Raise NotDeclared where the head that was anchored last is not in this database.

    Entries that were added before a restore is declared would stand in the place of lost ones, and look like a chain
    that was computed anew.
    """
    last = None
    for _line, row in append_file.read_rows(settings.LEDGER_ANCHORS):
        last = row if row is not None and row.get("signed") == signature(row) else last
    if last is None or last["seq"] == 0 or Entry.objects.filter(seq=last["seq"], seal=last["seal"]).exists():
        return
    raise NotDeclared(
        f"entry {last['seq']} of the ledger, which was anchored, is not in this database. If a backup was put back, "
        'say so: manage.py ledger restored "when and why" (or script/server --restored "when and why")'
    )
