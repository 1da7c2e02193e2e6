"""The permissions of this app that the groups of staff get when they are made (`people/groups.py`)."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from people.groups import AUDITORS, MODERATORS, SENIORS

# All who review see until when a copy is kept and why, and what was purged.
PERMISSIONS = dict.fromkeys((MODERATORS, SENIORS, AUDITORS), ("view_roomclock", "view_purgereceipt"))


def fill_group(group: Group, **_signal: Any) -> None:
    """Receiver of `group_made`. Django makes permissions app by app, and ours only after the groups: now, then."""
    create_permissions(apps.get_app_config("moderation"), verbosity=0)
    ours = Permission.objects.filter(content_type__app_label="moderation", codename__in=PERMISSIONS[group.name])
    group.permissions.add(*ours)
