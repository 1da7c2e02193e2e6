"""Verification of the chain, its commitments and anchors, and of acts that must have entries (`hooks.line_checks`).

Reads everything once, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection

from ledger import anchors, chain, roles
from ledger.actions import ERASED, expected_seal, head
from ledger.hooks import line_checks
from ledger.models import Entry, Text

CHUNK = 2_000


@dataclass
class Report:
    """Counts of what was checked, `problems`, and `remarks`: no faults, but worth knowing."""

    entries: int = 0
    texts: int = 0
    erased: int = 0
    anchored: int = 0
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def verify() -> Report:
    """Check everything. Entries that are appended meanwhile are not checked."""
    report = Report()
    anchored, wrong = anchors.read_anchors()
    report.problems += wrong
    last, _seal = head()
    void = voided_by_restore(anchored)
    seals = {item.seq: item.seal for item in anchored if item.line not in void}
    missing = check_chain(report, last, seals)
    report.problems += [f"entry {seq}: the text “{name}” is gone, and no entry says why" for seq, name in missing]
    for seq in sorted(set(seals) - {0}):
        if seq > last:
            report.problems.append(f"entry {seq} was anchored and is gone: the chain now ends at {last}")
    report.anchored = sum(1 for seq in seals if 0 < seq <= last)
    if void:
        report.remarks.append(f"{len(void)} anchors are from before a backup was put back")
    if report.entries and not anchored:
        report.remarks.append("no head was ever anchored: a cut end of the chain would not show")
    for check in line_checks.values():
        report.problems += check()
    report.problems += [f"the guard {name} is gone or switched off" for name in roles.missing_guards(connection)]
    report.problems += [f"the ledger's tables have {thing}" for thing in roles.foreign_guards(connection)]
    report.remarks += [f"this database role {power}" for power in roles.powers(connection)]
    return report


def voided_by_restore(anchored: list[anchors.Anchor]) -> set[int]:
    """Return the lines of anchors that a declared restore made void: written before it, beyond the restored head."""
    void: set[int] = set()
    for item in anchored:
        if item.restored:
            void |= {old.line for old in anchored if old.line < item.line and old.seq > item.seq}
    return void


def check_chain(report: Report, last: int, seals: dict[int, str]) -> list[tuple[int, str]]:
    """Walk the chain and report problems. Returns (entry, name) of texts that are missing without an erasing entry."""
    expected, previous = 1, chain.GENESIS
    missing: set[tuple[int, str]] = set()
    for entries in chunks(last):
        missing |= check_texts(report, entries)
        for entry in entries:
            if entry.seq != expected:
                report.problems.append(f"entries {expected} to {entry.seq - 1} are missing")
            if entry.previous != previous:
                report.problems.append(f"entry {entry.seq} does not follow the one before it")
            intact = entry.seal == expected_seal(entry)
            if not intact:
                report.problems.append(f"entry {entry.seq} was changed, or not written with this key")
            if entry.seq in seals and seals[entry.seq] != entry.seal:
                report.problems.append(f"entry {entry.seq} is not the one that was anchored")
            if entry.kind == ERASED and intact:
                gone = {pair for pair in missing if pair[0] in entry.data["entries"]}
                report.erased += len(gone)
                missing -= gone
            expected, previous = entry.seq + 1, entry.seal
            report.entries += 1
    return sorted(missing)


def chunks(last: int) -> Iterator[list[Entry]]:
    """Yield all entries up to `last` in order, CHUNK at a time."""
    done = -(2**63)  # below the first number, so that an inserted row before it is found too
    while batch := list(Entry.objects.filter(seq__gt=done, seq__lte=last).order_by("seq")[:CHUNK]):
        yield batch
        done = batch[-1].seq


def check_texts(report: Report, entries: list[Entry]) -> set[tuple[int, str]]:
    """Compare texts with their commitments. Returns (entry, name) of those that are missing."""
    wanted = {
        (entry.seq, name): value
        for entry in entries
        if isinstance(entry.commitments, dict)  # else it was changed, which the seal shows
        for name, value in entry.commitments.items()
    }
    rows = Text.objects.filter(entry_seq__range=(entries[0].seq, entries[-1].seq))
    for text in rows.iterator(CHUNK):
        committed = wanted.pop((text.entry_seq, text.name), None)
        report.texts += 1
        if committed is None:
            report.problems.append(f"entry {text.entry_seq} never had a text “{text.name}”")
        elif chain.commit(text.salt, text.text) != committed:
            report.problems.append(f"entry {text.entry_seq}: the text “{text.name}” was changed")
    return set(wanted)
