"""The roles of staff: the permissions of each, given once, and how people get them."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client

from ledger.models import Entry
from moderation.groups import PERMISSIONS, grant_new_permissions
from moderation.models import GrantedPermission
from moderation.rules import matrix
from people.groups import ADMINISTRATORS, MODERATORS, ROLES, SENIORS, ensure_groups
from people.models import User
from tests.support.people import person
from tests.support.staff import sign_in_staff, with_fresh_step

pytestmark = pytest.mark.django_db


def permissions(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in rows}


@pytest.mark.parametrize("role", ROLES)
def test_a_group_gets_the_permissions_of_every_app_when_it_is_made_and_never_again(role: str) -> None:
    name = ROLES[role]
    Group.objects.all().delete()
    ensure_groups()
    assert permissions(name) >= set(PERMISSIONS[name])
    Group.objects.get(name=name).permissions.clear()
    ensure_groups()
    grant_new_permissions()
    assert not permissions(name), "what an administrator took away stays away"


def test_a_group_that_exists_gets_what_a_later_version_adds_once() -> None:
    group = Group.objects.get(name=SENIORS)
    group.permissions.clear()
    GrantedPermission.objects.filter(group=group, permission="moderation.open_case").delete()
    grant_new_permissions()
    assert permissions(SENIORS) == {"moderation.open_case"}
    group.permissions.clear()
    grant_new_permissions()
    assert not permissions(SENIORS)


@pytest.mark.parametrize("role", matrix.ROLES)
@pytest.mark.parametrize("act", matrix.ACTS)
def test_each_role_has_what_the_matrix_says_and_nothing_else(act: str, role: str) -> None:
    permission, roles = matrix.ACTS[act]
    assert (permission in permissions(ROLES[role])) == (role in roles)


def test_the_matrix_has_every_permission_that_a_role_has() -> None:
    listed = {permission for permission, roles in matrix.ACTS.values() if roles}  # superusers alone have the rest
    assert set().union(*(permissions(name) for name in ROLES.values())) == listed


def account(*words: str) -> str:
    out = StringIO()
    call_command("account", *words, stdout=out)
    return out.getvalue()


def test_the_command_gives_and_takes_roles() -> None:
    anna = person("anna")
    assert account("role", "anna", "moderator", "child-safety", "--why", "new") == "@anna: child-safety, moderator.\n"
    anna.refresh_from_db()
    assert anna.is_staff and set(anna.groups.values_list("name", flat=True)) == {MODERATORS, "Child safety"}
    assert "before" in account("role", "anna", "child-safety", "moderator", "--why", "again")
    account("role", "anna", "senior", "--why", "grown")
    assert set(anna.groups.values_list("name", flat=True)) == {SENIORS}
    account("role", "anna", "none", "--why", "left")
    anna = User.objects.get(pk=anna.pk)
    assert not anna.is_staff and not anna.groups.exists()
    rows = Entry.objects.filter(kind="roles_changed", subject=f"person:{anna.pk}").order_by("seq")
    assert [(row.data["given"], row.data["taken"]) for row in rows] == [
        (["child-safety", "moderator"], []),
        (["senior"], ["child-safety", "moderator"]),
        ([], ["senior"]),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("role", "anna", "--why", "x"),
        ("role", "anna", "boss", "--why", "x"),
        ("role", "anna", "moderator", "none", "--why", "x"),
        ("role", "anna", "moderator", "--why", " "),
        ("close", "anna", "moderator", "--why", "x"),
        ("role", "nobody", "moderator", "--why", "x"),
    ],
)
def test_the_command_refuses_what_it_does_not_know(words: tuple[str, ...]) -> None:
    anna = person("anna")
    with pytest.raises(CommandError):
        account(*words)
    assert not User.objects.get(pk=anna.pk).groups.exists()


def staff(role: str, handle: str) -> tuple[User, Client]:
    user = person(handle, is_staff=True)
    user.groups.add(Group.objects.get(name=ROLES[role]))
    return user, sign_in_staff(Client(), user)


def test_administrators_change_roles_of_everybody_but_themselves_and_superusers() -> None:
    boss, browser = staff("administrator", "boss")
    mara, _browser = staff("moderator", "mara")
    root = person("root", is_staff=True, is_superuser=True)
    form: dict[str, Any] = {"roles": ["senior"], "why": "she knows the work"}
    page = browser.get(f"/admin/people/user/{mara.pk}/act/roles/")
    assert page.status_code == 200 and page.context["form"].initial == {"roles": ["moderator"]}
    assert browser.post(f"/admin/people/user/{mara.pk}/act/roles/", form).status_code == 302
    assert [group.name for group in mara.groups.all()] == [SENIORS]
    assert browser.post(f"/admin/people/user/{mara.pk}/act/roles/", {**form, "roles": ["boss"]}).status_code == 400
    for user in (boss, root):
        assert browser.post(f"/admin/people/user/{user.pk}/act/roles/", form).status_code == 403
    assert browser.post(f"/admin/people/user/{mara.pk}/act/close/", {"why": "x"}).status_code == 403, "of staff"


@pytest.mark.parametrize("role", [role for role in ROLES if role != "administrator"])
def test_no_other_role_gives_roles(role: str) -> None:
    _user, browser = staff(role, "mara")
    anna = person("anna")
    answer = browser.post(f"/admin/people/user/{anna.pk}/act/roles/", {"roles": ["senior"], "why": "x"})
    assert answer.status_code == 403 and not anna.groups.exists()


def test_administrators_have_nothing_of_cases() -> None:
    user = with_fresh_step(person("boss", is_staff=True))
    user.groups.add(Group.objects.get(name=ADMINISTRATORS))
    assert not [name for name in user.get_all_permissions() if "case" in name]
