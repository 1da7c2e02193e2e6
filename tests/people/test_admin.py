"""The admin: what moderators may see, what only superusers may do, and lists that cost the same at any length."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mail.models import Mail
from people.groups import AUDITORS, MODERATORS, SENIORS, ensure_groups
from people.models import Creator, User
from social.models import Follow
from tests.support.people import people, person
from tests.support.staff import sign_in_staff

pytestmark = pytest.mark.django_db


def staff(group: str = "", **facts: Any) -> Client:
    """A browser of somebody on the staff."""
    ensure_groups()
    user = person(is_staff=True, is_superuser=not group, **facts)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return sign_in_staff(Client(), user)


def fill(number: int) -> None:
    users = people(number)
    boss = users[0]
    now = timezone.now()
    Creator.objects.bulk_create(Creator(user=user, asked_at=now, added_at=now, added_by=boss) for user in users)
    Follow.objects.bulk_create(Follow(follower=user, followed=boss) for user in users[1:])
    Mail.objects.bulk_create(Mail(to=user.email, subject="Hello") for user in users)


@pytest.mark.parametrize("path", ["people/user", "people/creator", "social/follow", "mail/mail"])
def test_lists_cost_the_same_for_5_and_for_45_rows(path: str) -> None:
    browser = staff()

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            answer = browser.get(f"/admin/{path}/")
        assert answer.status_code == 200
        return len(seen)

    fill(5)
    queries()  # content types and permissions are cached by the first
    few = queries()
    fill(40)
    assert queries() == few <= 12


@pytest.mark.parametrize("path", ["people/user", "people/creator", "social/follow", "mail/mail"])
def test_lists_are_searchable(path: str) -> None:
    fill(3)
    answer = staff().get(f"/admin/{path}/?q=row")
    assert answer.status_code == 200


def test_moderators_see_no_addresses_and_cannot_find_by_them() -> None:
    anna = person("anna", email="secret@example.org")
    moderator, senior = staff(MODERATORS), staff(SENIORS)
    for path in ("/admin/people/user/", f"/admin/people/user/{anna.pk}/change/"):
        assert "secret@example.org" not in moderator.get(path).content.decode()
        assert "secret@example.org" in senior.get(path).content.decode()
    found: Callable[[Client], bool] = lambda browser: (  # noqa: E731
        f"/admin/people/user/{anna.pk}/" in browser.get("/admin/people/user/?q=secret@ex").content.decode()
    )
    assert (found(moderator), found(senior)) == (False, True)
    assert moderator.get("/admin/mail/mail/").status_code == 403
    assert moderator.get("/admin/account/emailaddress/").status_code == 403


def test_no_page_shows_tokens_or_the_secrets_of_second_steps() -> None:
    browser, anna = staff(), person("anna")
    assert browser.get("/admin/people/apitoken/").status_code == 404
    step = Authenticator.objects.create(user=anna, type="totp", data={"secret": "SECRETSECRET"})
    page = browser.get(f"/admin/mfa/authenticator/{step.pk}/change/").content.decode()
    assert "anna" in page and "SECRETSECRET" not in page
    assert browser.post(f"/admin/mfa/authenticator/{step.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.filter(user=anna).exists()


def test_who_may_change_people_cannot_rise_or_take_over_staff() -> None:
    ensure_groups()
    boss = person("boss", is_staff=True, is_superuser=True)
    anna = person("anna")
    helper = person("helper", is_staff=True)
    from django.contrib.auth.models import Permission

    helper.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user", "view_address"]))
    browser = sign_in_staff(Client(), helper)
    form = {
        "handle": "helper",
        "display_name": "H",
        "email": "helper@example.org",
        "language": "en",
        "time_zone": "UTC",
    }
    rights = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    browser.post(f"/admin/people/user/{helper.pk}/change/", {**form, **rights})
    helper.refresh_from_db()
    assert helper.is_superuser is False
    assert browser.post(f"/admin/people/user/{boss.pk}/password/", {"password1": "x" * 12}).status_code == 403
    assert browser.post(f"/admin/people/user/{boss.pk}/change/", {**form, "handle": "boss"}).status_code == 403
    assert browser.get(f"/admin/people/user/{anna.pk}/password/").status_code == 200
    assert browser.post(f"/admin/people/user/{anna.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_account_is_made_and_given_a_password_and_an_address() -> None:
    browser = staff()
    new = {"handle": "anna", "display_name": "Anna", "email": "Anna@example.org", "usable_password": "true"}
    answer = browser.post("/admin/people/user/add/", {**new, "password1": "a long walk", "password2": "a long walk"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    anna = User.objects.get(handle="anna")
    assert anna.check_password("a long walk") and EmailAddress.objects.get(user=anna).email == "anna@example.org"
    change = {"usable_password": "true", "password1": "another walk", "password2": "another walk"}
    assert browser.post(f"/admin/people/user/{anna.pk}/password/", change).status_code == 302
    form = {"handle": "anna", "display_name": "Anna", "email": "b@example.org", "language": "nl", "time_zone": "UTC"}
    assert browser.post(f"/admin/people/user/{anna.pk}/change/", {**form, "is_active": "on"}).status_code == 302
    anna.refresh_from_db()
    assert anna.check_password("another walk") and anna.language == "nl"
    address = EmailAddress.objects.get(user=anna)
    assert (address.email, address.primary, address.verified) == ("b@example.org", True, False)
    again = browser.post(
        "/admin/people/user/add/", {**new, "handle": "ANNA", "password1": "x" * 12, "password2": "x" * 12}
    )
    assert again.status_code == 200 and User.objects.filter(handle__iexact="anna").count() == 1


def test_creators_are_added_one_by_one_by_list_and_by_wave() -> None:
    browser = staff(SENIORS)
    anna, bert, cas = person("anna"), person("bert"), person("cas")
    answer = browser.post("/admin/people/user/", {"action": "add_to_creators", "_selected_action": [anna.pk]})
    assert answer.status_code == 302 and Creator.objects.get().user == anna
    page = browser.post("/admin/people/creator/list/", {"people": "anna, @bert\nnobody", "wave": ""}).content.decode()
    assert "1 person was added" in page and "Not found, not added" in page and "nobody</textarea>" in page
    assert Creator.objects.get(user=bert).is_member
    Creator.objects.create(user=cas, asked_at=timezone.now(), plan="Poems.")
    assert "1 person waits" in browser.get("/admin/people/creator/wave/").content.decode()
    assert browser.post("/admin/people/creator/wave/", {"size": "50", "name": "Spring"}).status_code == 302
    assert Creator.objects.get(user=cas).wave == "Spring"
    assert LogEntry.objects.count() == 3
    remove = {"action": "remove_selected", "_selected_action": [Creator.objects.get(user=anna).pk]}
    assert browser.post("/admin/people/creator/", remove).status_code == 302
    assert not Creator.objects.filter(user=anna).exists() and LogEntry.objects.count() == 4


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("list", {"people": " , ;", "wave": ""}),
        ("list", {"people": "x " * 5001, "wave": ""}),
        ("wave", {"size": "0", "name": "Spring"}),
        ("wave", {"size": "many", "name": "Spring"}),
        ("wave", {"size": "5", "name": ""}),
    ],
)
def test_wrong_lists_and_waves_are_told(path: str, form: dict[str, str]) -> None:
    answer = staff(SENIORS).post(f"/admin/people/creator/{path}/", form)
    assert answer.status_code == 400 and "errorlist" in answer.content.decode()


def test_moderators_and_auditors_look_and_do_not_add() -> None:
    anna = person("anna")
    Creator.objects.create(user=anna, asked_at=timezone.now(), plan="Poems.")
    for group in (MODERATORS, AUDITORS):
        browser = staff(group)
        assert browser.get("/admin/people/creator/").status_code == 200
        assert browser.get("/admin/people/creator/list/").status_code == 403
        assert browser.post("/admin/people/creator/wave/", {"size": "5", "name": "x"}).status_code == 403
        browser.post("/admin/people/creator/", {"action": "add_selected", "_selected_action": [anna.creator.pk]})
        browser.post("/admin/people/user/", {"action": "add_to_creators", "_selected_action": [anna.pk]})
    assert not Creator.objects.get().is_member


def test_groups_keep_what_an_administrator_changed() -> None:
    ensure_groups()
    group = Group.objects.get(name=SENIORS)
    group.permissions.clear()
    ensure_groups()
    assert not group.permissions.exists()
