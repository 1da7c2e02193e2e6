"""`manage.py seed_demo`: the demo's accounts, and what other apps add to them. May run at every start."""

import functools
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.management.base import BaseCommand

from people.demo import ACCOUNTS, accounts_ready, ensure_people, password


class Command(BaseCommand):
    help = "Makes the demo's accounts and room where they are missing, and prints how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        people = ensure_people()
        notes = [text for _receiver, text in accounts_ready.send(sender=type(self), people=people) if text]
        word = password()
        # Checking a password is slow on purpose, and most accounts have the very same hash.
        known = functools.cache(lambda hashed: check_password(word, hashed))
        width = max(len(account.handle) for account in ACCOUNTS)
        for account in ACCOUNTS:
            user = people[account.handle]
            shown = word if known(user.password) else "(changed)"
            self.stdout.write(f"  {account.role:<10} {user.handle:<{width}}  {shown}  {user.display_name}")
        for text in notes:
            self.stdout.write(f"  {text}")
