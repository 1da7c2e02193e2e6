"""Everything that this app adds to signals and hooks of people: the follows of the demo, and what ends with an
account."""

from __future__ import annotations

from typing import Any

from people import demo
from people.hooks import account_deleted, still_to_forget
from people.models import User
from social import kinds as _kinds  # noqa: F401  # registers kinds of messages
from social.actions.account_deletion import end_relations, forget_relations
from social.models import Follow

account_deleted.register("social")(end_relations)
still_to_forget.register("social")(forget_relations)


def on_accounts_ready(sender: Any, people: dict[str, User], **_more: Any) -> None:
    """Make the demo's follows that are missing; receiver of `accounts_ready`."""
    for account in demo.ACCOUNTS:
        for handle in account.follows:
            Follow.objects.get_or_create(follower=people[account.handle], followed=people[handle])


demo.accounts_ready.connect(on_accounts_ready, dispatch_uid="social.demo")
