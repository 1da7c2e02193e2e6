"""The groups of staff, which are its roles. They are made once; later changes by an administrator stay."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.dispatch import Signal

# Sent with each `group` that was made, once it has the permissions below: apps above add theirs.
group_made = Signal()

MODERATORS = "Moderators"
SENIORS = "Senior moderators"
AUDITORS = "Auditors"
ADMINISTRATORS = "Administrators"
CHILD_SAFETY = "Child safety"
OUTSIDE_REVIEWERS = "Outside reviewers"
# By the name that commands and the documentation use.
ROLES = {
    "moderator": MODERATORS,
    "senior": SENIORS,
    "auditor": AUDITORS,
    "administrator": ADMINISTRATORS,
    "child-safety": CHILD_SAFETY,
    "outside-reviewer": OUTSIDE_REVIEWERS,
}
_LOOK = ("view_user", "view_creator", "view_sanction")
# Permissions on people; the apps above give the groups theirs. Moderators know people by handle, not by address.
PERMISSIONS = {
    MODERATORS: _LOOK,
    SENIORS: (
        *_LOOK,
        *("change_creator", "view_address"),
        *("close_account", "end_sessions", "lift_sanction"),
    ),
    AUDITORS: _LOOK,
    ADMINISTRATORS: (
        *_LOOK,
        *("add_user", "change_user", "view_address", "change_creator"),
        *("close_account", "end_sessions", "change_role"),
    ),
    CHILD_SAFETY: ("view_user", "view_sanction"),
    OUTSIDE_REVIEWERS: (),  # of people they see what the review that was given to them shows
}


def ensure_groups(**_signal: Any) -> None:
    """Make missing groups with their permissions; receiver of post_migrate, after which permissions exist."""
    for name, codenames in PERMISSIONS.items():
        group, created = Group.objects.get_or_create(name=name)
        if created:
            group.permissions.set(Permission.objects.filter(content_type__app_label="people", codename__in=codenames))
            group_made.send(sender=Group, group=group)
