"""The account itself in its own-data download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils.translation import gettext as _

from people.devices import device_name
from people.hooks import OwnFile, own_data
from people.models import ApiToken, Creator, DataExport, ProfileTakedown, Sanction, Session, User


@own_data.register("people")
def files_of_account(user: User) -> Iterator[OwnFile]:
    """Yield the account, where it is signed in, what moderators imposed on it, and its picture."""
    yield OwnFile(
        "account.json",
        _(
            "Your account: name, text, address, settings, what you agreed to when you signed up, where you are signed "
            "in, tokens, second steps, and sanctions."
        ),
        lambda: account_of(user),
    )
    if user.picture:
        yield OwnFile("picture.webp", _("Your picture."), lambda: Path(settings.MEDIA_ROOT) / str(user.picture.name))


def account_of(user: User) -> dict[str, Any]:
    """Describe an account as its owner sees it: no keys, hashes or secrets, and nobody of the staff."""
    user = User.objects.get(pk=user.pk)
    creator = Creator.objects.filter(user=user).values("asked_at", "plan", "added_at").first()
    sessions = Session.objects.filter(user=user).order_by("created_at")
    return {
        "handle": user.handle,
        "name": user.display_name,
        "about": user.about,
        "language": user.language,
        "time_zone": user.time_zone,
        "email": user.email,
        "addresses": list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")),
        "settings": {
            "messages_from": user.messages_from,
            "invitations_by_mail": user.invitations_by_mail,
            "listens_unseen": user.listens_unseen,
            "uses_keys": user.uses_keys,
        },
        "joined_at": user.date_joined,
        "last_signed_in_at": user.last_login,
        "sign_up": {
            "age_checked_at": user.old_enough_at,
            "rules_agreed_to": user.rules_version,
            "address_first_confirmed_at": user.proved_at,
        },
        "creator_group": creator,
        "is_staff": user.is_staff,
        "roles": list(user.groups.order_by("name").values_list("name", flat=True)),
        "sessions": [
            {
                "device": device_name(one.device),
                "browser": one.device,
                "signed_in_at": one.created_at,
                "last_seen_at": one.seen_at,
                "ends_at": one.expire_date,
            }
            for one in sessions
        ],
        "tokens": _rows(ApiToken, user, "name", "prefix", "created_at", "expires_at", "last_used_at"),
        "second_steps": _rows(Authenticator, user, "type", "created_at", "last_used_at"),
        "sanctions": _rows(Sanction, user, "kind", "begins_at", "ends_at", "lifted_at"),
        "removed_by_moderators": _rows(ProfileTakedown, user, "kind", "display_name", "about", "since", "lifted_at"),
        "own_data_downloads": list(
            DataExport.objects.filter(person=user)
            .order_by("pk")
            .values("asked_at", "ready_at", "size", "sha256", "downloaded_at", "ended_at")
        ),
    }


def _rows(model: Any, user: User, *columns: str) -> list[dict[str, Any]]:
    return list(model.objects.filter(user=user).order_by("pk").values(*columns))
