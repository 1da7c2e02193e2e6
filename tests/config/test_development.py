"""/dev/: with the key demo staff sign in all the way; without it there are no such pages (see also tests/attacks)."""

import http.client
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from config import development
from deploy.local import serve
from deploy.local.arguments import Arguments
from deploy.local.throwaway import Throwaway
from people import demo
from people.models import User
from tests.config.development_urls import DEV_KEY
from tests.support.processes import Site

PAGES = ("/dev/", "/dev/mail/", "/dev/mail/x.log:0/")


@pytest.fixture
def developing(settings: Any, transactional_db: None) -> None:
    settings.DEV_KEY, settings.ROOT_URLCONF = DEV_KEY, "tests.config.development_urls"


class Browser:
    """Cookies and redirects by hand, over plain HTTP."""

    def __init__(self, url: str) -> None:
        self.host, self.cookies = urlsplit(url).netloc, dict[str, str]()
        self.set: list[str] = []

    def ask(self, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        line = http.client.HTTPConnection(self.host, timeout=20)
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            body = urlencode({"csrfmiddlewaretoken": self.cookies.get("csrftoken", ""), **form})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request("GET" if form is None else "POST", path, body, headers)
        answer = line.getresponse()
        for text in answer.headers.get_all("Set-Cookie") or []:
            self.set.append(text)
            for name, morsel in SimpleCookie(text).items():
                if morsel["path"] in ("/", "") or path.startswith(morsel["path"]):
                    self.cookies[name] = morsel.value
        page = answer.read().decode()
        line.close()
        return answer.status, dict(answer.headers), page


@pytest.fixture
def running(site: Site, developing: None, services: Throwaway, settings: Any) -> Site:
    """The site with the switches that script/server gives it."""
    asked = Arguments(https=False, port=1, port_given=True, host="127.0.0.1", database_url="", redis_url="")
    made = serve.environment(services.instance, asked, settings.PORT)
    switches = {name: made[name] for name in ("DEBUG", "DEV_KEY") if name in made}
    return site.start("web", STATIC_FILES="source", **switches)


@pytest.fixture
def key(services: Throwaway) -> str:
    """Output of script/server."""
    return services.instance.keys["DEV_KEY"]


def test_with_the_key_the_admin_signs_in_with_password_and_code(running: Site, key: str) -> None:
    demo.ensure_people()
    browser = Browser(running.url)
    status, headers, _text = browser.ask(f"/dev/?key={key}")
    assert (status, headers["Location"], headers["Cache-Control"]) == (302, "/dev/", "no-store")
    (cookie,) = [text for text in browser.set if text.startswith("development=")]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/dev/" in cookie and key not in cookie
    status, headers, page = browser.ask("/dev/")
    assert status == 200 and headers["Cache-Control"] == "no-store" and key not in page
    found = re.search(r"<th scope=\"row\">sanne</th>\s*<td><code>(\d{6})</code>", page)
    assert found and demo.password() in page
    assert browser.ask("/dev/mail/")[0] == 200
    browser.ask("/accounts/login/")
    status, headers, _text = browser.ask("/accounts/login/", {"login": "sanne", "password": demo.password()})
    assert (status, headers["Location"]) == (302, "/accounts/2fa/authenticate/")
    assert browser.ask("/admin/")[0] == 302, "the password alone is not enough"
    browser.ask("/accounts/2fa/authenticate/")
    assert browser.ask("/accounts/2fa/authenticate/", {"code": found[1]})[0] == 302
    assert browser.ask("/admin/")[0] == 200
    log = running.log("web").read_text()
    assert "/dev/" in log and key not in log and found[1] not in log and demo.password() not in log


def test_without_a_key_there_are_no_such_pages(client: Client, transactional_db: None, settings: Any) -> None:
    for debug in (False, True):
        settings.DEBUG = debug
        assert [client.get(page + "?key=").status_code for page in PAGES] == [404, 404, 404]
    settings.ROOT_URLCONF = "tests.config.development_urls"
    assert [client.get(page + "?key=").status_code for page in PAGES] == [404, 404, 404]


def test_the_cookie_ends_with_time_and_with_the_key(developing: None, client: Client, settings: Any) -> None:
    assert client.get("/dev/", {"key": DEV_KEY}).status_code == 302
    assert client.get("/dev/").status_code == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(development, "SECONDS", -1)
        assert client.get("/dev/").status_code == 404
    settings.DEV_KEY = DEV_KEY[::-1]
    assert client.get("/dev/").status_code == 404
    assert client.post("/dev/").status_code == 405


def test_guesses_are_slowed_down_and_other_sites_cannot_guess(developing: None, client: Client) -> None:
    for _number in range(2 * development.TRIES.burst):
        wrong = client.get("/dev/", {"key": "x" * 48}, HTTP_SEC_FETCH_SITE="cross-site")
        assert wrong.status_code == 404
    cross = client.get("/dev/", {"key": DEV_KEY}, HTTP_SEC_FETCH_SITE="cross-site")
    assert cross.status_code == 404 and development.COOKIE not in cross.cookies
    for _number in range(development.TRIES.burst):
        client.get("/dev/", {"key": "x" * 48})
    assert client.get("/dev/", {"key": DEV_KEY}).status_code == 404
    elsewhere = client.get("/dev/", {"key": DEV_KEY}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 302, "another address has tries of its own"
    assert client.get("/dev/").status_code == 200, "who is in stays in"


@pytest.mark.django_db
def test_codes_are_the_demo_staff_s_alone_stable_and_gone_without_the_key(settings: Any) -> None:
    settings.DEV_KEY = DEV_KEY
    ruben = demo.ensure_people()["ruben"]
    steps = {step.user.handle: step.data for step in Authenticator.objects.select_related("user")}
    assert (
        set(steps)
        == {account.handle for account in demo.ACCOUNTS if account.staff}
        == {user.handle for user in User.objects.filter(is_staff=True)}
    )
    assert all(data["demo_only"] for data in steps.values())
    assert len({data["secret"] for data in steps.values()}) == len(steps)
    demo.ensure_people()
    assert {step.user.handle: step.data for step in Authenticator.objects.select_related("user")} == steps
    own = Authenticator.objects.filter(user=ruben)
    own.update(data={"secret": "GEZDGNBVGY3TQOJQ"})  # made one of his own instead
    settings.SECRET_KEY = "another " * 8
    demo.ensure_people()
    assert own.get().data == {"secret": "GEZDGNBVGY3TQOJQ"}
    assert Authenticator.objects.get(user__handle="sanne").data["secret"] != steps["sanne"]["secret"]
    settings.DEV_KEY = ""
    demo.ensure_people()
    assert [step.user.handle for step in Authenticator.objects.all()] == ["ruben"]
