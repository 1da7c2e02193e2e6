"""Changes of password and address: sessions and tokens that end, those that stay, and checks of a new credential."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from people import signals
from people.actions.credentials import end_credentials, make_token
from people.actions.standing import close_account, reopen_account
from people.models import ApiToken, Session, User
from people.refusals import PeopleRefused
from people.sessions import alive, stored_key
from people.tasks import tidy
from tests.support.people import PASSWORD, api_client, person
from tests.support.staff import SECRET, second_step_of, sign_in_staff
from tests.support.ways_in import code_of, confirm, entered, link_in, reset, sign_in, signed_in

pytestmark = pytest.mark.django_db
NEW = "another long walk"


@pytest.fixture
def told() -> Generator[list[tuple[str, str]]]:
    """Signals `standing_changed` that were sent, as (why, session that ended)."""
    heard: list[tuple[str, str]] = []

    def hear(why: str, session: str, **_signal: Any) -> None:
        heard.append((why, session))

    signals.standing_changed.connect(hear)
    yield heard
    signals.standing_changed.disconnect(hear)


def browser_of(handle: str) -> Client:
    """A browser that is signed in, without the slow password."""
    client = Client()
    client.force_login(User.objects.get(handle=handle))
    return client


def key_of(client: Client) -> str:
    return stored_key(client.cookies["sessionid"].value)


def ident_of(client: Client) -> str:
    return Session.objects.get(session_key=stored_key(client.cookies["sessionid"].value)).ident


def change_password(client: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", form).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_changed_password_ends_every_other_session_and_token_and_keeps_its_own(told: Any) -> None:
    anna = person("anna")
    mine, other, program = browser_of("anna"), browser_of("anna"), api_client(anna)
    copied = Client()  # the cookie of the very session that makes the change, in another's hands
    copied.cookies["sessionid"] = mine.cookies["sessionid"].value
    key, before = ident_of(other), ident_of(mine)
    told.clear()
    change_password(mine)
    assert signed_in(mine) and not signed_in(other) and not signed_in(copied)
    assert program.get("/api/v1/me/").status_code == 401
    assert told == [("password_changed", key)]
    # It has a new key and is the same session: what it opened before goes on.
    assert ident_of(mine) == before and alive([before, key]) == {before: anna.pk}


@pytest.mark.django_db(transaction=True)
def test_a_reset_password_ends_all_but_the_second_step_of_the_owner(told: Any) -> None:
    anna = person("anna")
    mine, program = browser_of("anna"), api_client(anna)
    step = second_step_of(anna)
    told.clear()
    answer = reset("anna@example.org", NEW)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")  # the mailbox alone opens nothing
    assert not signed_in(mine) and program.get("/api/v1/me/").status_code == 401
    assert Authenticator.objects.filter(pk=step.pk).exists() and ("password_changed", "") in told


def test_who_resets_while_signed_in_is_signed_out_elsewhere_and_goes_on_here() -> None:
    person("anna")
    mine, other = browser_of("anna"), browser_of("anna")
    assert reset("anna@example.org", NEW, mine).status_code == 302
    assert signed_in(mine) and not signed_in(other)


def test_a_sign_in_that_waits_for_its_code_ends_with_the_password() -> None:
    """An attacker knows the password and has the code ready; the owner changes the password before it is sent."""
    anna = person("anna")
    second_step_of(anna)
    attacker, mine = Client(), sign_in_staff(Client(), anna)
    sign_in(attacker, "anna")
    change_password(mine)
    answer = attacker.post("/accounts/2fa/authenticate/", {"code": code_of(SECRET)})
    assert answer["Location"].startswith("/accounts/login/") and not signed_in(attacker)


def test_a_link_of_before_does_not_reset_the_password() -> None:
    anna = person("anna")
    Client().post("/accounts/password/reset/", {"email": "anna@example.org"})
    link = link_in(mail.outbox[-1])
    close_account(anna, None, "spam")
    reopen_account(anna, None, "a mistake")
    assert "no longer works" in Client().get(link, follow=True).content.decode()


def test_a_password_set_by_staff_or_by_a_command_ends_all() -> None:
    anna = person("anna")
    boss = sign_in_staff(Client(), person("boss", is_staff=True, is_superuser=True))
    for number in range(2):
        mine, program = Client(), api_client(anna)
        mine.force_login(anna)
        if number:
            user = User.objects.get(pk=anna.pk)
            user.set_password(NEW)  # as `manage.py changepassword` does
            user.save()
        else:
            form = {"usable_password": "true", "password1": NEW, "password2": NEW}
            assert boss.post(f"/admin/people/user/{anna.pk}/password/", form).status_code == 302
        assert not signed_in(mine) and program.get("/api/v1/me/").status_code == 401
        anna.refresh_from_db()
    assert not Session.objects.filter(user=anna).exists()


def test_a_stronger_hash_of_the_same_password_ends_nothing() -> None:
    from django.contrib.auth.hashers import make_password

    person("anna")
    mine = browser_of("anna")
    User.objects.filter(handle="anna").update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    sign_in(Client(), "anna")
    anna = User.objects.get(handle="anna")
    assert anna.password.startswith("argon2") and Session.objects.filter(user=anna).count() == 2
    assert ApiToken.objects.count() == 0 and mine.cookies


@pytest.mark.django_db(transaction=True)
def test_signing_out_ends_its_own_session_alone(told: Any) -> None:
    person("anna")
    mine, other = browser_of("anna"), browser_of("anna")
    key = ident_of(mine)
    told.clear()
    mine.post("/accounts/logout/")
    assert told == [("signed_out", key)] and not Session.objects.filter(pk=key).exists()
    assert signed_in(other)


def test_an_attacker_who_signed_up_with_the_address_of_another_keeps_nothing() -> None:
    """As accounts were before: signed in without a confirmed address, with a token and a code of the attacker's."""
    attacked = person("mallory", email="victim@example.org", confirmed=False)
    attacker, program = Client(), api_client(attacked)
    attacker.force_login(attacked)
    second_step_of(attacked)
    assert reset("victim@example.org", NEW)["Location"] == "/"  # no code of the attacker's is asked for
    assert not signed_in(attacker) and program.get("/api/v1/me/").status_code == 401
    assert not Authenticator.objects.exists() and EmailAddress.objects.get().verified


def test_who_confirms_elsewhere_chooses_the_password() -> None:
    """The attacker signs up with the victim's address and a password that the attacker knows."""
    attacker, victim = Client(), Client()
    attacker.post("/accounts/signup/", entered(email="victim@example.org"))
    link = link_in(mail.outbox[0])
    assert "Choose a new password here" in victim.get(link).content.decode()
    form = victim.post(link)
    assert form["Location"].startswith("/accounts/password/reset/key/")
    assert not User.objects.get().has_usable_password()
    assert victim.post(form["Location"], {"password1": NEW, "password2": NEW}).status_code == 302
    assert signed_in(victim)
    sign_in(attacker, "Anna-de-Wit")
    assert not signed_in(attacker)


def test_an_account_that_loses_its_address_to_its_owner_keeps_no_way_in() -> None:
    other = person("other", email="mine@example.org", confirmed=False)
    session = Client()
    session.force_login(other)
    owner = Client()
    owner.post("/accounts/signup/", entered(email="mine@example.org"))
    assert owner.post(link_in(mail.outbox[0])).status_code == 302
    other.refresh_from_db()
    assert other.email == "" and not signed_in(session) and signed_in(owner)


def test_another_address_ends_other_sessions_and_tokens() -> None:
    anna = person("anna")
    mine, other, program = browser_of("anna"), browser_of("anna"), api_client(anna)
    second_step_of(anna)
    confirm(mine)
    mine.post("/accounts/email/", {"action_add": "", "email": "new@example.org"})
    assert mine.post(link_in(mail.outbox[-1])).status_code == 302
    assert signed_in(mine) and not signed_in(other) and program.get("/api/v1/me/").status_code == 401
    assert Authenticator.objects.filter(user=anna).exists()
    assert "anna@example.org" in [to for letter in mail.outbox for to in letter.to]  # the old address is told


@pytest.mark.django_db(transaction=True)
def test_every_new_credential_asks_the_password_and_is_told_by_mail(told: Any) -> None:
    anna = person("anna", language="nl")
    client = Client()
    client.force_login(anna)
    pages = ("/settings/token/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/")
    for path in (*pages, "/accounts/2fa/recovery-codes/generate/"):
        assert client.get(path)["Location"].startswith("/accounts/reauthenticate/"), path
    assert client.post("/settings/token/", {"name": "x"})["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()
    confirm(client)
    told.clear()
    answer = client.post("/settings/token/", {"name": "My bot"})
    token = ApiToken.objects.get()
    text = answer.context["key"]
    assert text in answer.content.decode() and text not in str(ApiToken.objects.values().get())
    assert Client(headers={"authorization": f"Token {text}"}).get("/api/v1/me/").json()["handle"] == "anna"
    assert 89 <= (token.expires_at - timezone.now()).days <= 90
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert client.post("/accounts/2fa/recovery-codes/generate/").status_code == 302
    letters = [letter for letter in mail.outbox if letter.to == ["anna@example.org"]]
    assert len(letters) == 3 and "My bot" in letters[0].body
    assert told == []  # adding closes nothing


def test_taking_away_a_second_step_ends_other_sessions() -> None:
    anna = person("anna")
    step = second_step_of(anna)
    other = Client()
    other.force_login(anna)
    mine = sign_in_staff(Client(), anna)
    confirm(mine)
    assert mine.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(pk=step.pk).exists() and signed_in(mine) and not signed_in(other)
    assert mail.outbox[-1].to == ["anna@example.org"]


def test_tokens_end_by_their_day_by_their_owner_and_with_the_account() -> None:
    anna, bert = person("anna"), person("bert")
    token, text = make_token(anna, "bot")
    api = Client(headers={"authorization": f"Token {text}"})
    assert api.get("/api/v1/me/").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now())
    answer = api.get("/api/v1/me/")
    assert answer.status_code == 401 and "too old" in answer.json()["error"]["text"]
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    stranger = browser_of("bert")
    stranger.post(f"/settings/token/{token.pk}/end/")
    assert api.get("/api/v1/me/").status_code == 200 and bert.pk
    browser_of("anna").post(f"/settings/token/{token.pk}/end/")
    assert api.get("/api/v1/me/").status_code == 401
    _token, text = make_token(anna, "second")
    close_account(anna, None, "spam")
    assert Client(headers={"authorization": f"Token {text}"}).get("/api/v1/me/").status_code == 401
    assert not ApiToken.objects.exists()


def test_a_session_that_ended_while_it_asked_makes_no_token() -> None:
    """A request of an attacker's session that waits for the reset to be done finds its session gone."""
    anna = person("anna")
    mine = browser_of("anna")
    key = key_of(mine)
    end_credentials(anna, "password_reset")
    with pytest.raises(PeopleRefused, match="not_signed_in"):
        make_token(anna, "bot", session=key)
    assert not ApiToken.objects.exists()


def test_the_list_of_sessions_and_their_ends() -> None:
    person("anna")
    mine, other, third = browser_of("anna"), browser_of("anna"), browser_of("anna")
    person("bert")
    stranger = browser_of("bert")
    other.get("/", headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    page = mine.get("/settings/sessions/").content.decode()
    assert "Firefox, Linux" in page and page.count("this one") == 1 and mine.cookies["sessionid"].value not in page
    key = key_of(other)
    stranger.post(f"/settings/sessions/{key}/end/")
    assert signed_in(other)
    assert mine.post(f"/settings/sessions/{key}/end/").status_code == 302
    assert not signed_in(other) and signed_in(third) and signed_in(mine)
    mine.post("/settings/sessions/others/end/")
    assert not signed_in(third) and signed_in(mine) and signed_in(stranger)


def test_when_a_session_was_seen_is_written_once_in_five_minutes(django_assert_num_queries: Any) -> None:
    person("anna")
    mine = browser_of("anna")
    mine.get("/settings/")
    mine.get("/settings/")
    seen = Session.objects.get(user__handle="anna").seen_at
    mine.get("/settings/")
    assert Session.objects.get(user__handle="anna").seen_at == seen
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=6))
    mine.get("/settings/")
    assert timezone.now() - Session.objects.get(user__handle="anna").seen_at < timedelta(minutes=1)


def test_what_is_over_is_deleted() -> None:
    anna = person("anna")
    browser_of("anna")
    browser_of("anna")
    Session.objects.filter(pk=Session.objects.filter(user=anna)[0].pk).update(expire_date=timezone.now())
    Client().post("/accounts/signup/", entered())
    Client().post("/accounts/signup/", entered(username="fresh", email="f@example.org"))
    User.objects.filter(handle="Anna-de-Wit").update(date_joined=timezone.now() - timedelta(days=4))
    tidy()
    assert Session.objects.filter(user=anna).count() == 1
    assert set(User.objects.values_list("handle", flat=True)) == {"anna", "fresh"}


def test_the_command_ends_sessions() -> None:
    anna = person("anna")
    mine, out = browser_of("anna"), StringIO()
    api_client(anna)
    call_command("account", "end-sessions", "@Anna", "--why", "a lost phone", stdout=out)
    assert "1 sessions and 1 tokens" in out.getvalue() and not signed_in(mine)
