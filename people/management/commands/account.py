"""`manage.py account`: close and open accounts, impose and lift sanctions, end sessions, give roles, as staff do;
delete an account, as its owner does, for somebody who asks for it and cannot sign in."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from people.actions.deletion import delete_account
from people.actions.roles import set_roles
from people.actions.standing import (
    close_account,
    end_all_sessions,
    impose_sanction,
    lift_sanction,
    reopen_account,
)
from people.groups import ROLES
from people.handles import read_handle
from people.models import Sanction, User
from people.refusals import PeopleRefused

NO_ROLE = "none"
_CHOICES = " ".join([*ROLES, NO_ROLE])


class Command(BaseCommand):
    help = (
        "Closes or opens an account, deletes it for good, imposes or lifts a sanction, ends all sessions of somebody, "
        "or sets their roles."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("what", choices=["close", "reopen", "delete", "sanction", "lift", "end-sessions", "role"])
        parser.add_argument("handle")
        parser.add_argument("roles", nargs="*", help=f"for role, all that the account has from now: {_CHOICES}")
        parser.add_argument("--why", required=True, help="the reason; it is kept")
        parser.add_argument("--kind", choices=Sanction.Kind.values, help="of the sanction to impose or to lift")
        parser.add_argument("--days", type=int, help="how long a sanction lasts; without it: for good")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.by_handle(read_handle(str(options["handle"])) or "")
        if user is None:
            raise CommandError(f"There is nobody with the handle {options['handle']}.")
        if not options["why"].strip():
            raise CommandError("Write a reason: --why …")
        what = str(options["what"])
        if options["roles"] and what != "role":
            raise CommandError(f"What is {options['roles'][0]}? Only role takes more than a handle.")
        verb = getattr(self, what.replace("-", "_"))
        try:
            if what == "role":
                self.stdout.write(self.role(user, options["why"], options["roles"]))
                return
            self.stdout.write(verb(user, options["why"], options["kind"], options["days"]))
        except PeopleRefused as refused:
            raise CommandError(f"{refused.text} {refused.fields or ''}".strip()) from refused

    def role(self, user: User, why: str, roles: list[str]) -> str:
        wanted = [] if roles == [NO_ROLE] else roles
        if not roles or set(wanted) - set(ROLES):
            raise CommandError(f"Say which roles: {_CHOICES}")
        changed = set_roles(user, wanted, None, why)
        has = ", ".join(sorted(wanted)) or "no role"
        return f"@{user.handle}: {has}." if changed else f"@{user.handle} had that before: {has}."

    def close(self, user: User, why: str, _kind: str | None, _days: int | None) -> str:
        closed = close_account(user, None, why)
        return f"@{user.handle} is closed." if closed else f"@{user.handle} was closed before."

    def reopen(self, user: User, why: str, _kind: str | None, _days: int | None) -> str:
        return f"@{user.handle} is open again." if reopen_account(user, None, why) else f"@{user.handle} was open."

    def delete(self, user: User, why: str, _kind: str | None, _days: int | None) -> str:
        """Delete the account. `--days` and `--kind` do not matter."""
        handle = user.handle
        return f"@{handle} is deleted." if delete_account(user, None, why) else f"@{handle} was deleted before."

    def sanction(self, user: User, why: str, kind: str | None, days: int | None) -> str:
        if kind is None:
            raise CommandError(f"Say which: --kind {' | '.join(Sanction.Kind.values)}")
        until = None if days is None else timezone.now() + timedelta(days=days)
        impose_sanction(user, kind, None, why, until)
        return f"@{user.handle}: {kind}, {'for good' if until is None else f'until {until:%Y-%m-%d %H:%M} UTC'}."

    def lift(self, user: User, why: str, kind: str | None, _days: int | None) -> str:
        rows = Sanction.objects.filter(user=user, lifted_at=None)
        rows = rows if kind is None else rows.filter(kind=kind)
        lifted = sum(lift_sanction(row, None, why) for row in rows)
        return f"@{user.handle}: {lifted} lifted."

    def end_sessions(self, user: User, why: str, _kind: str | None, _days: int | None) -> str:
        ended = end_all_sessions(user, None, why)
        return f"@{user.handle}: {ended.sessions} sessions and {ended.tokens} tokens ended."
