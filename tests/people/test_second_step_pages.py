"""Pages of the second step: all in our words, in both languages, and each says what it will do."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import allauth
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import validate_totp_code
from django.template.loader import get_template
from django.test import Client

from people.demo import PERIOD
from people.models import User
from tests.support.passkeys import Device, passkey_of
from tests.support.people import PASSWORD, person
from tests.support.staff import SECRET, second_step_of
from tests.support.ways_in import code_of, confirm, sign_in, signed_in

pytestmark = pytest.mark.django_db

STOCK = Path(allauth.__file__).parent / "templates"
# Ways that this site does not have: browsers that are trusted, a sign-up with a passkey; and what ours do not extend.
UNUSED = re.compile(r"trust|signup_form|base\.html")
WORDS = re.compile(r"{%\s*(trans|translate|blocktrans|blocktranslate|element)\b")
Page = tuple[str, Any]


def test_a_code_of_tests_is_good_for_half_a_minute_whenever_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is typed as its half minute ends, and arrives in the next: a busy machine is slow."""
    end = 1_800_000_000 - 1_800_000_000 % PERIOD + PERIOD - 0.1
    monkeypatch.setattr(time, "time", lambda: end)
    code = code_of(SECRET)
    for later, good in ((0, True), (PERIOD, True), (2 * PERIOD, False)):
        monkeypatch.setattr(time, "time", lambda moment=end + later: moment)
        assert validate_totp_code(SECRET, code) is good, later


class Seen(HTMLParser):
    """All that a page says: its texts and those of attributes, without names, codes and times."""

    SAID = ("alt", "aria-label", "placeholder", "title")
    SILENT = ("script", "style", "code", "time", "textarea", "bdi", "symbol")
    EMPTY = ("meta", "link", "input", "img", "br", "hr", "use", "path", "circle", "ellipse", "rect")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [text or "" for name, text in attrs if name in self.SAID]
        if tag not in self.EMPTY:
            self.silent.append(tag in self.SILENT or ("dir", "auto") in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.silent):
            self.texts.append(data)

    def sentences(self) -> set[str]:
        """Texts of more than two words."""
        texts = {" ".join(text.split()) for text in self.texts}
        return {text for text in texts if len(re.findall(r"[^\W\d_]+", text)) > 2}


def browser(user: User, *, again: bool = True) -> Client:
    """A signed-in browser whose person has just given the password `again`."""
    client = Client(headers={"accept-language": user.language})
    client.force_login(user)
    if again:
        confirm(client)
    return client


def with_all_steps(handle: str, **facts: Any) -> User:
    """A person with an authenticator app, two passkeys and recovery codes."""
    user = person(handle, **facts)
    second_step_of(user)
    passkey_of(user, "Laptop")
    passkey_of(user, "Key on my ring", alone=False)
    RecoveryCodes.activate(user)
    return user


def pages_without_a_step(user: User) -> Iterator[Page]:
    client, base = browser(user, again=False), "/accounts/2fa/"
    yield "password", client.get("/accounts/reauthenticate/")
    confirm(client)
    for path in ("", "totp/activate/", "webauthn/", "webauthn/add/", "recovery-codes/generate/"):
        yield path, client.get(base + path)
    yield "wrong code", client.post(base + "totp/activate/", {"code": "000000"})
    yield "no passkey made", client.post(base + "webauthn/add/", {"name": "x"})
    yield "sessions, no step", client.get("/settings/sessions/")
    secret = client.get(base + "totp/activate/").context["form"].secret
    yield "set up", client.post(base + "totp/activate/", {"code": code_of(secret)}, follow=True)
    yield "remove the only step", client.get(base + "totp/deactivate/")
    yield "removed", client.post(base + "totp/deactivate/", follow=True)


def pages_with_steps(user: User) -> Iterator[Page]:
    client, base = browser(user), "/accounts/2fa/"
    laptop = Authenticator.objects.filter(user=user, type="webauthn").earliest("pk").pk
    key = f"webauthn/keys/{laptop}/"
    for path in ("", "webauthn/", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"):
        yield path, client.get(base + path)
    for path in ("reauthenticate/", "webauthn/reauthenticate/", f"{key}edit/", f"{key}remove/"):
        yield path.replace(key, "key/"), client.get(base + path)
    yield "reauthenticate", client.post(base + "reauthenticate/", {"code": "000000"})
    yield "passkey refused", client.post(base + "webauthn/reauthenticate/", {"credential": "{}"}, follow=True)
    yield "no name", client.post(f"{base}{key}edit/", {"name": ""})
    yield "sessions", client.get("/settings/sessions/")
    yield "new codes", client.post(base + "recovery-codes/generate/", follow=True)
    yield "passkey removed", client.post(f"{base}{key}remove/", follow=True)
    yield "app removed", client.post(base + "totp/deactivate/", follow=True)


def pages_of_signing_in(user: User) -> Iterator[Page]:
    client, path = Client(headers={"accept-language": user.language}), "/accounts/2fa/authenticate/"
    yield "sign in", client.get("/accounts/login/")
    sign_in(client, user.handle)
    yield "second step", client.get(path)
    yield "wrong second step", client.post(path, {"code": "000000"})
    yield "wrong passkey", client.post(path, {"credential": "{}"})


def all_pages(language: str) -> dict[str, Any]:
    """Every page of the second step, by a name of it, for somebody who reads this language."""
    anna = person(f"anna-{language}", name="Anna", language=language)
    bert = with_all_steps(f"bert-{language}", name="Bert", language=language)
    cara = with_all_steps(f"cara-{language}", name="Cara", language=language)
    nobody = person(f"dora-{language}", name="Dora", language=language)
    nobody.set_unusable_password()
    nobody.save()
    pages = [(f"without a step: {name}", page) for name, page in pages_without_a_step(anna)]
    pages += [(f"with steps: {name}", page) for name, page in pages_with_steps(bert)]
    pages += pages_of_signing_in(cara)
    pages.append(("no password", browser(nobody, again=False).get("/accounts/password/set/")))
    assert [(name, page.status_code) for name, page in pages if page.status_code != 200] == []
    return dict(pages)


def text_of(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def stock_pages() -> list[str]:
    paths = [path for path in (STOCK / "mfa").rglob("*.html") if not UNUSED.search(path.name)]
    return sorted(path.relative_to(STOCK).as_posix() for path in paths)


@pytest.mark.django_db(transaction=True)  # messages are added on commit
def test_no_sentence_is_the_same_in_english_and_dutch() -> None:
    english, dutch = all_pages("en"), all_pages("nl")
    assert english.keys() == dutch.keys() and len(english) > 30
    same = {}
    for name, page in english.items():
        sentences = Seen(page.content.decode()).sentences()
        assert len(sentences) > 2, name
        if left := sentences & Seen(dutch[name].content.decode()).sentences():
            same[name] = left
    assert same == {}


def test_no_words_of_allauth_are_on_any_page() -> None:
    for name, page in all_pages("en").items():
        theirs = [each for each in page.templates if each.origin and "site-packages" in each.origin.name]
        spoken = [each.name for each in theirs if WORDS.search(each.source)]
        assert spoken == [], name


@pytest.mark.parametrize("name", stock_pages())
def test_every_page_with_words_is_ours(name: str) -> None:
    template = get_template(name).template  # type: ignore[attr-defined]
    assert "site-packages" not in template.origin.name or not WORDS.search(template.source)


def test_the_words_for_a_second_step_are_ours() -> None:
    theirs = re.compile(r"two-factor|2fa\b|security key|\btotp\b|webauthn\b|authenticator code|deactivate", re.I)
    assert {name: found[0] for name, page in all_pages("en").items() if (found := theirs.search(text_of(page)))} == {}


def test_scripts_find_the_fields_and_buttons_that_they_name() -> None:
    found = 0
    for name, page in all_pages("en").items():
        text = page.content.decode()
        for call, ids in re.findall(
            r'data-allauth-onload="([\w.]+)" type="application/json">(.*?)</script>', text, re.S
        ):
            found += 1
            for each in json.loads(ids)["ids"].values():
                assert f'id="{each}"' in text or each == "recovery_codes", (name, call, each)
    assert found >= 7


def test_removing_the_only_second_step_says_that_the_password_is_enough() -> None:
    anna = person("anna")
    second_step_of(anna)
    client, other = browser(anna), browser(anna)
    path, alone = "/accounts/2fa/totp/deactivate/", "your password alone is enough"
    page = text_of(client.get(path))
    assert alone in page and "signed out on every other device" in page and "Pages for staff" not in page
    passkey = passkey_of(anna)
    assert alone not in text_of(client.get(path))
    key = f"/accounts/2fa/webauthn/keys/{passkey.pk}/remove/"
    assert alone not in text_of(client.get(key))
    second_step_of(anna).delete()
    assert alone in text_of(client.get(key))
    passkey_of(anna, "Another")
    assert alone not in text_of(client.get(key))
    Authenticator.objects.filter(user=anna).exclude(pk=passkey.pk).delete()
    assert "The passkey is removed, and your other sessions have ended." in text_of(client.post(key, follow=True))
    assert signed_in(client) and not signed_in(other) and not Authenticator.objects.filter(user=anna).exists()


def test_staff_read_that_their_pages_close() -> None:
    boss = person("boss", is_staff=True)
    second_step_of(boss)
    assert "Pages for staff stay closed" in text_of(browser(boss).get("/accounts/2fa/totp/deactivate/"))


@pytest.mark.django_db(transaction=True)
def test_new_codes_say_which_no_longer_work() -> None:
    anna = person("anna")
    client, path = browser(anna), "/accounts/2fa/recovery-codes/generate/"
    page = text_of(client.get(path))
    assert "Recovery codes belong to a second step. Set one up first." in page and "Make new codes" not in page
    client.post(path)
    assert not Authenticator.objects.filter(user=anna).exists()  # a form that is sent all the same
    second_step_of(anna)
    assert "left" not in text_of(client.get(path))
    page = text_of(client.post(path, follow=True))
    assert "10 of 10 codes are left." in page and "Only these work now." in page
    codes = RecoveryCodes(Authenticator.objects.get(user=anna, type="recovery_codes"))
    for code in codes.get_unused_codes()[:9]:
        assert codes.validate_code(code)
    assert "1 of 10 codes is left." in text_of(client.get("/accounts/2fa/recovery-codes/"))
    assert "You have 1 code left: it stops working at once." in text_of(client.get(path))


def test_used_up_codes_are_said_to_be() -> None:
    anna = person("anna")
    second_step_of(anna)
    codes = RecoveryCodes.activate(anna)
    for code in codes.get_unused_codes():
        assert codes.validate_code(code)
    client = browser(anna)
    for path in ("/accounts/2fa/", "/accounts/2fa/recovery-codes/"):
        page = client.get(path).content.decode()
        assert "You have used them all." in page and "<textarea" not in page and "recovery-codes/download/" not in page
    assert client.get("/accounts/2fa/recovery-codes/download/").status_code == 404


def test_a_passkey_is_offered_to_those_who_have_one() -> None:
    person("anna")
    second_step_of(User.objects.get(handle="anna"))
    passkey_of(person("bert"))
    with_app, with_passkey = Client(), Client()
    sign_in(with_app, "anna")
    sign_in(with_passkey, "bert")
    path, button = "/accounts/2fa/authenticate/", 'id="mfa_webauthn_authenticate"'
    assert button not in with_app.get(path).content.decode()
    assert button in with_passkey.get(path).content.decode()


def test_a_passkey_is_made_named_and_used() -> None:
    """The whole way without a browser, with a device that signs."""
    anna, device = person("anna"), Device()
    client, add = browser(anna), "/accounts/2fa/webauthn/add/"
    page = client.get(add)
    assert page.context["form"].initial["name"] == "Passkey 1"
    asked = page.context["js_data"]["creation_options"]["publicKey"]["challenge"]
    form = {"name": "Phone", "passwordless": "on", "credential": json.dumps(device.make(asked))}
    assert client.post(add, form)["Location"] == "/accounts/2fa/recovery-codes/"
    assert "instead of the password" in text_of(client.get("/accounts/2fa/webauthn/"))
    other, path = Client(), "/accounts/2fa/authenticate/"
    sign_in(other, "anna")
    asked = other.get(path).context["js_data"]["request_options"]["publicKey"]["challenge"]
    wrong = other.post(path, {"credential": json.dumps(device.sign("AAAA"))})
    assert "This passkey did not work." in text_of(wrong) and "code is not right" not in text_of(wrong)
    assert not signed_in(other)
    asked = wrong.context["js_data"]["request_options"]["publicKey"]["challenge"]
    assert other.post(path, {"credential": json.dumps(device.sign(asked))}).status_code == 302
    assert signed_in(other)


def test_a_wrong_passkey_instead_of_a_password_is_told(client: Client) -> None:
    page = client.post("/accounts/2fa/webauthn/login/", {"credential": "{}"}, follow=True)
    assert "This passkey did not work. Try again, or take another way." in text_of(page)


def test_ways_to_confirm_again_are_in_our_words_and_lead_on() -> None:
    anna = with_all_steps("anna")
    page = browser(anna, again=False).get("/accounts/reauthenticate/?next=/settings/token/").content.decode()
    ways = re.findall(r'<a class="button" href="([^"?]+)\?next=%2Fsettings%2Ftoken%2F">([^<]+)</a>', page)
    assert ways == [
        ("/accounts/2fa/reauthenticate/", "With a code"),
        ("/accounts/2fa/webauthn/reauthenticate/", "With a passkey"),
    ]


def test_cancelling_the_second_step_leads_back_to_signing_in(client: Client) -> None:
    second_step_of(person("anna"))
    sign_in(client, "anna")
    page = client.get("/accounts/2fa/authenticate/").content.decode()
    form = re.search(
        r'id="logout-from-stage" method="post" action="([^"]+)">.*?name="next" value="([^"]+)"', page, re.S
    )
    assert form and form.groups() == ("/accounts/logout/", "/accounts/login/")
    answer = client.post(form[1], {"next": form[2]})
    assert answer["Location"] == "/accounts/login/"
    client.post("/accounts/2fa/authenticate/", {"code": code_of(SECRET)})
    assert not signed_in(client)


def test_whoever_has_no_password_chooses_one() -> None:
    anna = person("anna")
    anna.set_unusable_password()
    anna.save()
    client = browser(anna, again=False)
    assert "Choose a password" in text_of(client.get("/accounts/password/set/"))
    client.post("/accounts/password/set/", {"password1": PASSWORD + "!", "password2": PASSWORD + "!"})
    anna.refresh_from_db()
    assert anna.check_password(PASSWORD + "!")
