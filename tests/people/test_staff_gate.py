"""Nobody is staff by a password alone: a second step, used in this session, lately, without a long pause."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from people.actions.standing import impose_sanction
from people.groups import AUDITORS, MODERATORS, SENIORS, ensure_groups
from people.models import Sanction, User
from tests.support.people import PASSWORD, api_client, person
from tests.support.staff import SECRET, second_step_of, sign_in_staff
from tests.support.ways_in import code_of, confirm, sign_in

pytestmark = pytest.mark.django_db
STEP = "/staff/second-step/?next=%2Fadmin%2F"


def boss() -> User:
    return person("boss", is_staff=True, is_superuser=True)


def test_a_password_alone_opens_no_page_of_staff() -> None:
    boss()
    client = Client()
    sign_in(client, "boss")
    for path in ("/admin/", "/admin/people/user/", "/admin/password_change/", "/admin/people/user/autocomplete/"):
        answer = client.get(path)
        assert answer.status_code == 302 and answer["Location"].startswith("/staff/second-step/?next=%2Fadmin"), path
    page = client.get(STEP).content.decode()
    assert "Set up your second step" in page and 'href="/accounts/2fa/totp/activate/"' in page


def test_the_way_from_a_password_to_the_admin() -> None:
    user, client = boss(), Client()
    sign_in(client, "boss")
    client.get(client.get("/admin/people/user/")["Location"])
    confirm(client)
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}, follow=True)
    assert 'href="/staff/second-step/"' in answer.content.decode()  # on from here
    assert client.get("/admin/").status_code == 302  # set up is not used
    page = client.get("/staff/second-step/").content.decode()
    assert "Confirm your second step" in page
    assert "/accounts/2fa/reauthenticate/?next=%2Fadmin%2Fpeople%2Fuser%2F" in page
    way = "/accounts/2fa/reauthenticate/?next=/admin/people/user/"
    Authenticator.objects.filter(user=user, type="totp").update(data={"secret": SECRET})
    answer = client.post(way, {"code": code_of(SECRET)})
    assert answer["Location"] == "/admin/people/user/" and client.get(answer["Location"]).status_code == 200


def test_a_code_at_sign_in_is_enough() -> None:
    second_step_of(boss())
    client = Client()
    asked = client.post("/accounts/login/?next=/admin/", {"login": "boss", "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    answer = client.post(asked["Location"], {"code": code_of(SECRET)})
    assert answer["Location"] == "/admin/" and client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("ago", "idle", "passes"), [(29, 30, True), (31, 30, False), (100, 600, True), (721, 900, False)]
)
def test_a_second_step_counts_for_so_long(ago: int, idle: int, passes: bool, settings: Any) -> None:
    settings.STAFF_IDLE_MINUTES = idle
    client = sign_in_staff(Client(), boss(), ago=ago * 60)
    assert client.get("/admin/").status_code == (200 if passes else 302)


def test_who_keeps_working_is_not_asked_again_and_who_pauses_is() -> None:
    client = sign_in_staff(Client(), boss(), ago=29 * 60)
    assert client.get("/admin/").status_code == 200
    session = client.session
    used = session["account_authentication_methods"][0]
    used["at"] -= 25 * 60  # 54 minutes ago by now, and a page was opened in between
    session["staff_seen_at"] -= 25 * 60
    session["account_authentication_methods"] = [used]
    session.save()
    assert client.get("/admin/").status_code == 200
    session = client.session
    session["staff_seen_at"] -= 31 * 60
    session.save()
    assert client.get("/admin/").status_code == 302


def test_a_step_that_was_taken_away_no_longer_counts() -> None:
    user = boss()
    client = sign_in_staff(Client(), user)
    Authenticator.objects.filter(user=user).delete()
    assert client.get("/admin/").status_code == 302
    Authenticator.objects.create(user=user, type="totp", data={"secret": SECRET})  # another one, not used here
    assert client.get("/admin/").status_code == 302


def test_neither_a_token_nor_a_password_only_session_has_a_permission() -> None:
    user = boss()
    client = Client()
    client.force_login(user)
    assert client.get("/api/v1/me/").status_code == api_client(user).get("/api/v1/me/").status_code == 200
    assert not User.objects.get(pk=user.pk).has_perm("people.view_user")
    assert not User.objects.get(pk=user.pk).has_module_perms("people")
    assert api_client(user).get("/admin/").status_code == 302


def test_the_gate_leads_nowhere_else() -> None:
    client = sign_in_staff(Client(), boss())
    for wanted in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", "\\\\elsewhere"):
        assert client.get("/staff/second-step/", {"next": wanted})["Location"] == "/admin/home/"
    guest = Client()
    guest.force_login(person("anna"))
    assert guest.get(STEP)["Location"] == "/"
    assert guest.get("/admin/", follow=True).status_code == 403


def senior(group: str = SENIORS) -> Client:
    ensure_groups()
    user = person(f"staff-{group[:3].lower()}", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return sign_in_staff(Client(), user)


def test_seniors_close_and_open_by_the_actions() -> None:
    anna, browser, mine = person("anna"), senior(), Client()
    mine.force_login(anna)
    act = f"/admin/people/user/{anna.pk}/act/"
    page = browser.get(f"/admin/people/user/{anna.pk}/change/").content.decode()
    assert all(f"{act}{name}/" in page for name in ("close", "end-sessions"))
    assert not any(f"{act}{name}/" in page for name in ("reopen", "sanction"))
    assert browser.post(f"{act}close/", {"why": " "}).status_code == 400
    assert browser.post(f"{act}close/", {"why": "spam"}).status_code == 302
    anna.refresh_from_db()
    assert not anna.is_active and mine.get("/settings/").status_code == 302
    assert browser.post(f"{act}reopen/", {"why": "a mistake"}).status_code == 302
    assert browser.post(f"{act}sanction/", {"kind": "no_stage", "why": "shouting"}).status_code == 403
    assert not Sanction.objects.exists()


def test_superusers_impose_and_lift_sanctions_outside_a_case() -> None:
    anna, browser = person("anna"), sign_in_staff(Client(), boss())
    act = f"/admin/people/user/{anna.pk}/act/sanction/"
    assert act in browser.get(f"/admin/people/user/{anna.pk}/change/").content.decode()
    form = {"kind": "no_stage", "ends_at_0": "2100-01-01", "ends_at_1": "12:00", "why": "shouting"}
    assert browser.post(act, form).status_code == 302
    sanction = Sanction.objects.get()
    assert sanction.kind == "no_stage" and sanction.ends_at is not None and sanction.imposed_by is not None
    assert sanction.imposed_by.handle == "boss"
    pages = f"/admin/people/sanction/{sanction.pk}"
    assert f"{pages}/lift/" in browser.get(f"{pages}/change/").content.decode()
    assert browser.post(f"{pages}/lift/", {"why": "appeal"}).status_code == 302
    assert not Sanction.objects.in_force().exists()
    assert browser.get(f"{pages}/delete/").status_code == 403


@pytest.mark.parametrize("group", [MODERATORS, AUDITORS])
def test_moderators_and_auditors_do_none_of_it(group: str) -> None:
    anna = person("anna")
    sanction = impose_sanction(anna, "warning", None, "words")
    browser = senior(group)
    for name in ("close", "end-sessions", "sanction"):
        assert (
            browser.post(f"/admin/people/user/{anna.pk}/act/{name}/", {"why": "x", "kind": "warning"}).status_code
            == 403
        )
    assert browser.get("/admin/people/sanction/").status_code == 200
    assert browser.post(f"/admin/people/sanction/{sanction.pk}/lift/", {"why": "x"}).status_code == 403


def test_only_superusers_act_on_staff_and_nobody_on_oneself() -> None:
    other, browser = person("other", is_staff=True), senior()
    me = User.objects.get(handle="staff-sen")
    step = second_step_of(other)
    for user in (other, me):
        assert browser.post(f"/admin/people/user/{user.pk}/act/close/", {"why": "x"}).status_code == 403
    assert browser.post(f"/admin/mfa/authenticator/{step.pk}/delete/", {"post": "yes"}).status_code == 403
    top = sign_in_staff(Client(), boss())
    assert top.post(f"/admin/people/user/{other.pk}/act/close/", {"why": "left"}).status_code == 302


def test_active_is_no_checkbox_any_more() -> None:
    anna = person("anna", is_active=False)
    browser = sign_in_staff(Client(), boss())
    form = {"handle": "anna", "display_name": "A", "email": "anna@example.org", "language": "en", "time_zone": "UTC"}
    assert browser.post(f"/admin/people/user/{anna.pk}/change/", {**form, "is_active": "on"}).status_code == 302
    anna.refresh_from_db()
    assert not anna.is_active


def test_the_command_does_the_same(capsys: Any) -> None:
    anna = person("anna")
    call_command("account", "sanction", "anna", "--why", "shouting", "--kind", "suspended", "--days", "3")
    assert Sanction.objects.in_force().get().kind == "suspended"
    call_command("account", "lift", "anna", "--why", "appeal")
    call_command("account", "close", "ANNA", "--why", "spam")
    anna.refresh_from_db()
    assert not anna.is_active and not Sanction.objects.in_force().exists()
    call_command("account", "reopen", "@anna", "--why", "a mistake")
    assert User.objects.get(pk=anna.pk).is_active and "1 lifted" in capsys.readouterr().out
