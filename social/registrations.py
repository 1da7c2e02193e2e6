"""Everything that this app adds to signals of people: the follows of the demo, and the official message about own data;
and to own-data downloads."""

from __future__ import annotations

from typing import Any

from people import demo, signals
from people.models import DataExport, User
from social import kinds as _kinds  # noqa: F401  # registers kinds of messages
from social import own_data as _own_data  # noqa: F401  # registers what is kept of a person
from social.actions.messages import send_official
from social.models import Follow
from social.official_texts import OWN_DATA


def on_accounts_ready(sender: Any, people: dict[str, User], **_more: Any) -> None:
    """Make the demo's follows that are missing; receiver of `accounts_ready`."""
    for account in demo.ACCOUNTS:
        for handle in account.follows:
            Follow.objects.get_or_create(follower=people[account.handle], followed=people[handle])


demo.accounts_ready.connect(on_accounts_ready, dispatch_uid="social.demo")


def on_own_data_settled(sender: Any, export: DataExport, **_more: Any) -> None:
    """Tell a person that their download is ready, or could not be made; receiver of `own_data_settled`."""
    send_official([export.person], OWN_DATA, {"export": export.pk})


signals.own_data_settled.connect(on_own_data_settled, dispatch_uid="social.own_data")
