"""`manage.py retention`: list what is due, overdue and held; purge now; purge again after a restore of a backup."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core import after_restore
from ledger.anchors import NotDeclared
from retention import purge as retention
from retention.clocks import RoomPastReview
from retention.receipts import OutsideGone
from rooms.models import Room
from rooms.recording.marker import OtherFolder

SHOWN = 200  # rooms listed per section


class Command(BaseCommand):
    help = "Retention of rooms' copies: list, purge, reapply, tidy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb")
        verbs.add_parser("list", help="what is due, overdue and held (this is what no word at all does)")
        verbs.add_parser("check", help="fails where something is overdue: for monitoring")
        verbs.add_parser("purge", help="purge what is due, now")
        verbs.add_parser("reapply", help="after a backup was put back: purge again what was purged since it was made")
        verbs.add_parser("tidy", help="erase what came back to purged rooms")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            VERBS[options["verb"] or "list"](self)
        except (OtherFolder, OutsideGone, NotDeclared) as error:
            raise CommandError(str(error)) from error

    def overview(self) -> None:
        now = timezone.now()
        late = retention.overdue(now)
        due = show(retention.due(now))
        held = show(retention.held(now))
        names = slugs([room for room, _line in due + held] + [item.room_pk for item in late])
        for title, lines in (("due", due), ("held", held)):
            self.stdout.write(f"{title}: {len(lines)}" + (" or more" if len(lines) == SHOWN else ""))
            for room, line in lines:
                self.stdout.write(f"  {names[room]}  {line}")
        self.stdout.write(f"overdue: {len(late)}")
        for item in late[:SHOWN]:
            begun = "  its purge began and did not end" if item.begun else ""
            self.stdout.write(f"  {names[item.room_pk]}  since {item.due_at:%Y-%m-%d %H:%M} UTC{begun}")

    def check_overdue(self) -> None:
        late = retention.overdue(timezone.now())
        if late:
            raise CommandError(f"{len(late)} overdue, the first since {late[0].due_at:%Y-%m-%d %H:%M} UTC")
        self.stdout.write("0 overdue")

    def purge(self) -> None:
        swept = retention.sweep()
        self.stdout.write(f"purged: {len(swept.purged)}")
        if swept.failed:
            for room, why in islice(swept.failed.items(), SHOWN):
                self.stderr.write(f"  room {room}: {why}")
            raise CommandError(f"{len(swept.failed)} could not be purged")

    def reapply(self) -> None:
        for sentence in after_restore.apply():
            self.stdout.write(sentence)
        self.stdout.write(f"purged again: {len(retention.reapply())}")

    def tidy(self) -> None:
        self.stdout.write(f"rooms that had something again: {len(retention.tidy())}")


VERBS: dict[str, Callable[[Command], None]] = {
    "list": Command.overview,
    "check": Command.check_overdue,
    "purge": Command.purge,
    "reapply": Command.reapply,
    "tidy": Command.tidy,
}


def show(waiting: Iterable[RoomPastReview]) -> list[tuple[int, str]]:
    """Return room and line of text for the first SHOWN of them."""
    return [(item.room_pk, line(item)) for item in islice(waiting, SHOWN)]


def line(item: RoomPastReview) -> str:
    """Format date, reason and holds of one room."""
    until = f"{item.clock.purge_at:%Y-%m-%d %H:%M} UTC"
    holds = ", ".join(f"{hold.kind} {hold.ref}" for hold in item.clock.held_by)
    return f"{until}  {item.clock.reason}" + (f"  held by {holds}" if holds else "")


def slugs(rooms: Iterable[int]) -> dict[int, str]:
    """Return the slugs of these rooms, by key."""
    return dict(Room.objects.filter(pk__in=rooms).values_list("pk", "slug"))
