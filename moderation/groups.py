"""Permissions on clocks, receipts and follows that the groups of staff get when they are made (`people/groups.py`)."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from people.groups import AUDITORS, MODERATORS, SENIORS

# All who review see until when a copy is kept and why, what was purged, and who follows whom.
PERMISSIONS = {"moderation": ("view_roomclock",), "retention": ("view_purgereceipt",), "social": ("view_follow",)}
GROUPS = (MODERATORS, SENIORS, AUDITORS)


def fill_group(group: Group, **_signal: Any) -> None:
    """Receiver of `group_made`. Django makes permissions app by app, and ours only after the groups: now, then."""
    if group.name not in GROUPS:
        return
    for label, codenames in PERMISSIONS.items():
        create_permissions(apps.get_app_config(label), verbosity=0)
        group.permissions.add(*Permission.objects.filter(content_type__app_label=label, codename__in=codenames))
