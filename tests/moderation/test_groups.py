"""The groups of staff and the permissions that apps above people give them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from moderation.groups import PERMISSIONS
from people.groups import AUDITORS, MODERATORS, SENIORS, ensure_groups


@pytest.mark.django_db
@pytest.mark.parametrize("name", [MODERATORS, SENIORS, AUDITORS])
def test_a_group_gets_the_permissions_of_every_app_when_it_is_made_and_never_again(name: str) -> None:
    Group.objects.all().delete()
    ensure_groups()
    group = Group.objects.get(name=name)
    found = set(group.permissions.values_list("content_type__app_label", "codename"))
    assert found >= {(label, codename) for label, codenames in PERMISSIONS.items() for codename in codenames}
    group.permissions.clear()
    ensure_groups()
    assert not group.permissions.exists(), "what an administrator took away stays away"
