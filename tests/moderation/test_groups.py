"""The groups of staff and the permissions of this app."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from moderation.groups import PERMISSIONS


@pytest.mark.django_db(transaction=True)
def test_groups_of_before_get_what_new_ones_are_made_with_once() -> None:
    """An installation that was there: who reviews there saw the clocks before, and sees them still."""
    call_command("migrate", "moderation", "0002_health", verbosity=0)
    Group.objects.all().delete()
    Permission.objects.filter(content_type__app_label="moderation").delete()
    old = [Group.objects.create(name=name) for name in PERMISSIONS]
    other = Group.objects.create(name="Translators")
    call_command("migrate", "moderation", verbosity=0)
    for group in old:
        found = set(group.permissions.values_list("content_type__app_label", "codename"))
        assert found == {("moderation", codename) for codename in PERMISSIONS[group.name]}
    assert not other.permissions.exists()
    old[0].permissions.clear()
    call_command("migrate", "moderation", verbosity=0)
    assert not old[0].permissions.exists(), "what an administrator took away stays away"
