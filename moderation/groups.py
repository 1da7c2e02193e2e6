"""Permissions on clocks, receipts, follows and reports, which groups of staff get when they are made."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from people.groups import AUDITORS, MODERATORS, SENIORS

# For all reviewers: retention clocks, purge receipts, follows.
PERMISSIONS = {"moderation": ("view_roomclock",), "retention": ("view_purgereceipt",), "social": ("view_follow",)}
# For those who decide: what people wrote to each other, as far as it was reported.
OF_DECIDERS = {"moderation": ("view_messagereport", "view_reportedmessage")}
GROUPS = (MODERATORS, SENIORS, AUDITORS)


def grant_permissions(group: Group, **_signal: Any) -> None:
    """Give a new group of staff its permissions (receiver of `group_made`).

    Django creates the permissions of these apps after the groups are made, so they are created here first.
    """
    if group.name not in GROUPS:
        return
    for wanted in (PERMISSIONS, {} if group.name == AUDITORS else OF_DECIDERS):
        for label, codenames in wanted.items():
            create_permissions(apps.get_app_config(label), verbosity=0)
            group.permissions.add(*Permission.objects.filter(content_type__app_label=label, codename__in=codenames))
