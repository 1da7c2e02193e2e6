"""Permissions that the roles of staff get from apps above people, each once.

What a role was given is noted (`GrantedPermission`): a permission that a later version adds reaches groups that exist,
and one that an administrator took away stays away.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import connection

from moderation.models import GrantedPermission
from people.groups import (
    ADMINISTRATORS,
    AUDITORS,
    CHILD_SAFETY,
    MODERATORS,
    OUTSIDE_REVIEWERS,
    SENIORS,
    ensure_groups,
)

_CASES = (
    *("moderation.view_case", "moderation.claim_case", "moderation.decide_case", "moderation.approve_decision"),
    "moderation.review_appeal",
)
_CLOCKS = ("moderation.view_roomclock", "retention.view_purgereceipt")
_MODERATORS = (*_CASES, "moderation.ordinary_case", *_CLOCKS, "social.view_follow")
PERMISSIONS: dict[str, tuple[str, ...]] = {
    MODERATORS: _MODERATORS,
    SENIORS: (
        *_MODERATORS,
        *("moderation.senior_case", "moderation.open_case", "moderation.change_rulebook", "moderation.assign_reviewer"),
        *("moderation.add_legalhold", "moderation.change_legalhold", "moderation.view_legalhold"),
        "moderation.watch_live",
    ),
    AUDITORS: (*_CLOCKS, "moderation.view_legalhold", "ledger.view_entry", "social.view_follow"),
    ADMINISTRATORS: ("moderation.view_health", "moderation.assign_reviewer", "mail.view_mail"),
    CHILD_SAFETY: (*_CASES, "moderation.child_safety_case"),
    OUTSIDE_REVIEWERS: ("moderation.review_assigned",),
}


def grant_permissions(group: Group, **_signal: Any) -> None:
    """Give a group of staff the permissions that it was never given; receiver of `group_made`."""
    granted = set(GrantedPermission.objects.filter(group=group).values_list("permission", flat=True))
    fresh = [name for name in PERMISSIONS.get(group.name, ()) if name not in granted]
    for label in {name.partition(".")[0] for name in fresh}:
        create_permissions(apps.get_app_config(label), verbosity=0)  # Django creates them after the groups
    for name in fresh:
        label, _dot, codename = name.partition(".")
        group.permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
    GrantedPermission.objects.bulk_create(GrantedPermission(group=group, permission=name) for name in fresh)


def grant_new_permissions(**_signal: Any) -> None:
    """Give existing groups what is new; receiver of post_migrate. Nothing while the tables are at an older state."""
    if GrantedPermission._meta.db_table not in connection.introspection.table_names():
        return
    ensure_groups()
    for group in Group.objects.filter(name__in=PERMISSIONS):
        grant_permissions(group)
