"""manage.py ledger: verify the chain, anchor its head, declare that a backup was restored."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.anchors import anchor
from ledger.verify import verify

SHOWN = 50  # problems that are listed before the rest is counted


class Command(BaseCommand):
    help = "The ledger: verify it, anchor its head outside of the database, and what belongs to that."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("verify", help="check chain, commitments and anchors; fails where something is wrong")
        verbs.add_parser("anchor", help="write number and seal of the last entry outside of the database")
        restored = verbs.add_parser("restored", help="say that a backup was put back: its head is where it goes on")
        restored.add_argument("reason", help="when and why, in a sentence")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["verb"])(**options)

    def verify(self, **options: Any) -> None:
        report = verify()
        for problem in report.problems[:SHOWN]:
            self.stdout.write(f"WRONG: {problem}")
        for remark in report.remarks:
            self.stdout.write(f"note: {remark}")
        counts = (
            f"{report.entries} entries, {report.texts} texts kept, {report.erased} erased, "
            f"{report.anchored} anchors met"
        )
        if not report.ok:
            raise CommandError(f"the ledger does not hold: {len(report.problems)} problems in {counts}")
        self.stdout.write(f"the ledger holds: {counts}")

    def anchor(self, **options: Any) -> None:
        row = anchor()
        self.stdout.write(json.dumps(row) if row else "nothing new to anchor")

    def restored(self, reason: str, **options: Any) -> None:
        self.stdout.write(json.dumps(anchor(restored=reason)))
