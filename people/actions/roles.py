"""Roles of staff: groups with permissions (`people/groups.py`)."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction

from core.text import REASON
from ledger.actions import record
from people.actions.standing_change import standing_changed
from people.actions.typed import clean_text
from people.groups import ROLES, ensure_groups
from people.models import User
from people.refusals import PeopleRefused


def roles_of(user: User) -> list[str]:
    """Return the names (keys of ROLES) of the roles that a person has, in the order of ROLES."""
    groups = set(user.groups.values_list("name", flat=True))
    return [role for role, group in ROLES.items() if group in groups]


@transaction.atomic
def set_roles(user: User, roles: Collection[str], by: User | None, why: str) -> bool:
    """Give an account these roles of staff and take the others away; `by` is None for a command. Returns whether that
    changed anything. Somebody with a role is staff, somebody without any group is not, except a superuser.

    Refuses bad_value, account_deleted, and not_allowed for one's own roles.
    """
    why = clean_text("why", REASON, why)
    if unknown := set(roles) - set(ROLES):
        raise PeopleRefused("bad_value", {"roles": ", ".join(sorted(unknown))})
    if by is not None and by.pk == user.pk:
        raise PeopleRefused("not_allowed")
    ensure_groups()
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if row.deleted_at is not None:
        raise PeopleRefused("account_deleted")
    before = set(roles_of(row))
    if before == set(roles):
        return False
    row.groups.remove(*Group.objects.filter(name__in=[ROLES[role] for role in before - set(roles)]))
    row.groups.add(*Group.objects.filter(name__in=[ROLES[role] for role in set(roles) - before]))
    row.is_staff = user.is_staff = row.is_superuser or row.groups.exists()
    row.save(update_fields=["is_staff"])
    standing_changed(row, "roles_changed")
    values = {"given": sorted(set(roles) - before), "taken": sorted(before - set(roles))}
    record("roles_changed", f"person:{row.pk}", None if by is None else by.pk, values, {"why": why})
    return True
