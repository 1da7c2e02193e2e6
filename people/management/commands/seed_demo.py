"""`manage.py seed_demo`: make the demo's accounts, and what other apps add to them. May run at every start."""

from typing import Any

from django.core.management.base import BaseCommand

from people.demo import ACCOUNTS, accounts_ready, ensure_people, shown_accounts


class Command(BaseCommand):
    help = "Makes the demo's accounts and room where they are missing, and prints how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        people = ensure_people()
        notes = [text for _receiver, text in accounts_ready.send(sender=type(self), people=people) if text]
        width = max(len(account.handle) for account in ACCOUNTS)
        role_width = max(len(account.role) for account in ACCOUNTS)
        for shown in shown_accounts():
            handle = f"{shown.account.handle:<{width}}"
            word = shown.password or "(changed)"
            self.stdout.write(f"  {shown.account.role:<{role_width}} {handle}  {word}  {shown.name}")
        for text in notes:
            self.stdout.write(f"  {text}")
