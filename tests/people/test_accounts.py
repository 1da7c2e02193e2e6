"""The way in: signing up, signing in, a forgotten password, another address, a second step."""

from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from people.accounts.forms import age_on
from people.models import User
from tests.support.people import PASSWORD, person
from tests.support.ways_in import code_of, confirm, entered, link_in, sign_in

pytestmark = pytest.mark.django_db


def years_ago(years: int, days: int = 0) -> str:
    """The date so many years (and less so many days) before today."""
    day = timezone.localdate()
    leap = (day.month, day.day) == (2, 29)
    born = date(day.year - years, 3, 1) if leap else date(day.year - years, day.month, day.day)
    return (born + timedelta(days=days)).isoformat()


def test_signing_up_keeps_the_facts_and_not_the_date_of_birth(client: Client) -> None:
    client.cookies["tz"] = "Europe/Amsterdam"
    answer = client.post("/accounts/signup/", entered(), headers={"accept-language": "nl"})
    assert answer.status_code == 302
    anna = User.objects.get()
    assert (anna.handle, anna.display_name, anna.email) == ("Anna-de-Wit", "Anna de Wit", "")
    assert (anna.language, anna.time_zone, anna.rules_version) == ("nl", "Europe/Amsterdam", settings.RULES_VERSION)
    assert anna.old_enough_at is not None and anna.check_password(PASSWORD)
    assert "1990" not in str(User.objects.values().get())
    assert client.get("/settings/").status_code == 302
    assert [letter.to for letter in mail.outbox] == [["anna@example.org"]]


def test_a_language_is_kept_in_one_spelling(client: Client) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "NL"
    client.post("/accounts/signup/", entered())
    assert User.objects.get().language == "nl"


def test_the_address_is_confirmed_by_the_link_in_the_mail(client: Client) -> None:
    client.post("/accounts/signup/?next=/creators/", entered())
    link = link_in(mail.outbox[0])
    assert not EmailAddress.objects.get().verified and client.get("/people/Anna-de-Wit/").status_code == 404
    assert "anna@example.org" in client.get(link).content.decode()
    assert client.post(link)["Location"] == "/creators/"  # signed in, and where the person was going
    assert EmailAddress.objects.get().verified and client.get("/settings/").status_code == 200
    assert User.objects.get().email == "anna@example.org" and client.get("/people/Anna-de-Wit/").status_code == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"born": years_ago(15)}, "You must be 16 or older"),
        ({"born": years_ago(16, days=1)}, "You must be 16 or older"),
        ({"born": "2190-01-01"}, "This cannot be a date of birth"),
        ({"born": "1850-01-01"}, "This cannot be a date of birth"),
        ({"born": "2001-02-30"}, "Write a date that exists"),
        ({"born": ""}, "This field is required"),
        ({"rules": None}, "Without agreeing to the rules"),
        ({"username": "a b"}, "Use 3 to 30 letters and digits"),
        ({"username": "anna_"}, "Use 3 to 30 letters and digits"),
        ({"username": "Admin"}, "This handle is kept free"),
        ({"username": "TAKEN"}, "Somebody has this handle already"),
        ({"password1": "short"}, "too short"),
        ({"password1": "Anna-de-Wit"}, "too much like your name"),
        ({"password1": "1234567890"}, "Many people have this password"),
        ({"display_name": "Anna\u202etiW"}, "turns the direction of the text"),
        ({"display_name": "\u200d\u200d"}, "Write something that can be seen"),
    ],
)
def test_a_refused_sign_up_says_why_and_keeps_what_was_typed(client: Client, changes: Any, words: str) -> None:
    person("taken")
    answer = client.post("/accounts/signup/", entered(**changes))
    page = answer.content.decode()
    assert words in page and User.objects.count() == 1
    kept = {**entered(**changes)}
    assert f'value="{kept["email"]}"' in page and f'value="{kept["born"]}"' in page
    assert page.count(f'value="{kept["password1"]}"') == (kept["password1"] == kept["username"])


def test_sixteen_today_is_old_enough(client: Client) -> None:
    assert client.post("/accounts/signup/", entered(born=years_ago(16))).status_code == 302
    assert User.objects.exists()


def test_ages_around_a_leap_day() -> None:
    born = date(2008, 2, 29)
    assert age_on(date(2024, 2, 28), born) == 15
    assert age_on(date(2024, 2, 29), born) == 16
    assert age_on(date(2025, 2, 28), born) == 16
    assert age_on(date(2026, 3, 1), born) == 18


def test_two_who_take_the_same_handle_at_once(client: Client) -> None:
    """Both forms were valid; the database lets one in. The other sees the form again."""
    person("anna-de-wit", email="other@example.org")
    with mock.patch("people.accounts.adapter.AccountAdapter.clean_username", lambda self, name, shallow=False: name):
        answer = client.post("/accounts/signup/", entered())
    assert answer.status_code == 409
    assert (
        "Somebody took this a moment ago" in answer.content.decode()
        and 'value="Anna de Wit"' in answer.content.decode()
    )
    with pytest.raises(IntegrityError):
        User.objects.create_user("ANNA-DE-WIT", "third@example.org")


@pytest.mark.parametrize("login", ["anna", "ANNA", "anna@example.org", "Anna@Example.org"])
def test_signing_in_by_handle_or_address(client: Client, login: str) -> None:
    person("Anna")
    answer = client.post("/accounts/login/?next=/creators/", {"login": login, "password": PASSWORD})
    assert answer["Location"] == "/creators/"
    assert client.get("/settings/").status_code == 200


def test_leading_on_to_another_site_is_refused(client: Client) -> None:
    person("anna")
    answer = client.post("/accounts/login/?next=https://elsewhere.example/", {"login": "anna", "password": PASSWORD})
    assert answer["Location"] == "/"


def test_a_closed_account_cannot_sign_in(client: Client) -> None:
    person("anna", is_active=False)
    answer = client.post("/accounts/login/", {"login": "anna", "password": PASSWORD}, follow=True)
    assert "This account is closed" in answer.content.decode()
    assert client.get("/settings/").status_code == 302


def test_a_forgotten_password_is_replaced_by_mail_once(client: Client) -> None:
    anna = person("anna")
    assert client.post("/accounts/password/reset/", {"email": "anna@example.org"}).status_code == 302
    (letter,) = mail.outbox
    link = link_in(letter)
    assert "anna" in letter.body and "example.com" not in letter.body
    form = client.get(link, follow=True)
    where = form.redirect_chain[-1][0]
    new = {"password1": "another long walk", "password2": "another long walk"}
    assert client.post(where, new).status_code == 302
    anna.refresh_from_db()
    assert anna.check_password("another long walk")
    assert "no longer works" in Client().get(link, follow=True).content.decode()


def test_asking_for_an_unknown_address_looks_the_same(client: Client) -> None:
    person("anna")
    known = client.post("/accounts/password/reset/", {"email": "anna@example.org"}, follow=True).content.decode()
    other = client.post("/accounts/password/reset/", {"email": "nobody@example.org"}, follow=True).content.decode()
    assert "Look in your mail" in known and "Look in your mail" in other


def test_another_address_counts_once_it_is_confirmed(client: Client) -> None:
    anna = person("anna")
    person("bert")
    sign_in(client, "anna")
    # What was typed survives being asked for the password: the form is sent once more by itself.
    asked = client.post("/accounts/email/", {"action_add": "", "email": "new@example.org"})
    assert asked["Location"].startswith("/accounts/reauthenticate/") and not mail.outbox
    client.post(asked["Location"], {"password": PASSWORD})
    anna.refresh_from_db()
    assert anna.email == "anna@example.org"
    letter = next(letter for letter in mail.outbox if letter.to == ["new@example.org"])
    client.post(link_in(letter))
    anna.refresh_from_db()
    assert anna.email == "new@example.org"
    assert list(EmailAddress.objects.filter(user=anna).values_list("email", flat=True)) == ["new@example.org"]


def change_to(client: Client, email: str) -> str:
    """Ask for another address; returns the link that its mail holds."""
    sign_in(client, "anna")
    confirm(client)
    client.post("/accounts/email/", {"action_add": "", "email": email})
    letter = next(letter for letter in reversed(mail.outbox) if letter.to == [email])
    return link_in(letter)


def test_an_address_that_another_account_confirmed_stays_there(client: Client) -> None:
    anna, bert = person("anna"), person("bert")
    link = change_to(client, "bert@example.org")
    assert "belongs to another account" in client.get(link).content.decode()
    client.post(link)
    anna.refresh_from_db()
    bert.refresh_from_db()
    assert (anna.email, bert.email) == ("anna@example.org", "bert@example.org")


def test_an_address_goes_to_who_confirms_it(client: Client) -> None:
    """Somebody signed up with it and never confirmed it: that must not keep its owner from it, nor end in an error."""
    anna, other = person("anna"), person("other", email="mine@example.org", confirmed=False)
    link = change_to(client, "mine@example.org")
    assert client.post(link).status_code == 302
    anna.refresh_from_db()
    other.refresh_from_db()
    assert (anna.email, other.email) == ("mine@example.org", "")
    assert list(EmailAddress.objects.values_list("user__handle", "email")) == [("anna", "mine@example.org")]


def test_a_second_step_is_asked_for_once_it_is_set_up(client: Client) -> None:
    anna = person("anna")
    sign_in(client, "anna")
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    confirm(client)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert "data:image/svg+xml" in page.content.decode()
    assert client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}).status_code == 302
    assert Authenticator.objects.filter(user=anna, type="totp").exists()
    other = Client()
    answer = other.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert other.get("/settings/").status_code == 302
    assert other.get("/accounts/2fa/authenticate/").status_code == 200


def test_the_admin_has_no_door_of_its_own(client: Client) -> None:
    person("boss", is_staff=True, is_superuser=True)
    person("anna")
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    posted = client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
    assert posted.status_code == 302 and posted["Location"].startswith("/accounts/login/")
    sign_in(client, "anna")
    assert client.get("/admin/", follow=True).status_code == 403
    boss = Client()
    sign_in(boss, "boss")
    assert boss.get("/admin/")["Location"] == "/staff/second-step/?next=%2Fadmin%2F"


def test_every_page_of_the_way_in_is_of_the_house(client: Client) -> None:
    person("anna")
    for path in (
        "login/",
        "signup/",
        "password/reset/",
        "password/reset/done/",
        "inactive/",
        "confirm-email/nonsense/",
    ):
        page = client.get(f"/accounts/{path}").content.decode()
        assert 'class="top"' in page and 'id="main"' in page, path
    sign_in(client, "anna")
    assert 'class="top"' in client.get("/accounts/reauthenticate/").content.decode()
    confirm(client)
    for path in ("logout/", "email/", "password/change/", "2fa/", "2fa/totp/activate/"):
        page = client.get(f"/accounts/{path}").content.decode()
        assert 'class="top"' in page and "Menu:" not in page, path
