"""Pages of appeals under attack: forged forms, borrowed links, odd requests, deleted accounts, and what logs keep."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from config.logs import without_tokens
from ledger.models import Entry
from moderation.actions.telling_people import send_notification
from moderation.models import Appeal, AppealDraft, AppealLink, Decision, Notification
from people.actions.deletion import delete_account
from people.models import User
from tests.support.cases import kept_room, open_case, violation
from tests.support.people import person
from tests.support.recordings import talked_room

pytestmark = pytest.mark.django_db
LINK = re.compile(r"/appeal/([A-Za-z0-9_-]{43})/")


def told(decision: Decision) -> str:
    """Tell the person concerned; the token of their link."""
    for pk in Notification.objects.filter(decision=decision, told_at=None).values_list("pk", flat=True):
        assert send_notification(pk)
    (token,) = {link[1] for sent in mail.outbox if (link := LINK.search(str(sent.body)))}
    mail.outbox.clear()
    return token


def suspended(handle: str = "ada") -> tuple[Decision, User, str]:
    """A suspension of somebody, who was told, with the token of their link."""
    user = person(handle)
    decision = violation(open_case(kept_room("", 10, user), subject=user), ("suspend", 7))
    return decision, user, told(decision)


def opened(token: str, client: Client | None = None) -> Client:
    client = client or Client()
    assert client.get(f"/appeal/{token}/")["Location"] == "/appeal/"
    return client


def file(client: Client, words: str = "It was a quote.", do: str = "file", **values: str) -> Any:
    """Send the form of the link that is in force."""
    link = str(AppealLink.objects.get(ended_at=None, person__isnull=False).pk)
    return client.post("/appeal/", {"do": do, "once": "", "words": words, "link": link, **values})


def test_forged_forms_are_refused() -> None:
    _decision, _ada, token = suspended()
    client = opened(token, Client(enforce_csrf_checks=True))
    assert [file(client, "Forged", do).status_code for do in ("file", "save")] == [403, 403]
    assert client.post("/appeal/link/").status_code == client.post("/appeal/code/", {"do": "send"}).status_code == 403
    assert not Appeal.objects.exists() and not AppealDraft.objects.exists() and mail.outbox == []
    secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/appeal/").content.decode())
    assert secret is not None
    assert file(client, "Mine", "save", csrfmiddlewaretoken=secret[1]).status_code == 302
    strangers = Client(enforce_csrf_checks=True)
    strangers.cookies["appeal"] = client.cookies["appeal"].value
    assert file(strangers, "Mine", "save", csrfmiddlewaretoken=secret[1]).status_code == 403, (
        "the form's secret without its cookie"
    )


def test_a_page_names_its_token_nowhere_and_leads_away_without_it() -> None:
    _decision, _ada, token = suspended()
    client = opened(token)
    led = client.get(f"/appeal/{token}/")
    assert led["Referrer-Policy"] == "no-referrer" and token not in led["Location"]
    cookie = led.cookies["appeal"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/appeal/"
    page = client.get("/appeal/")
    assert token not in page.content.decode() + str(page.headers)
    assert page["Referrer-Policy"] == "same-origin" and "no-store" in page["Cache-Control"]
    after = client.post("/i18n/setlang/", {"language": "nl", "next": "/appeal/"})
    assert after.status_code in (302, 404) and token not in str(after.headers)


def test_only_the_methods_of_a_page_are_answered() -> None:
    _decision, _ada, token = suspended()
    client = opened(token)
    before = Entry.objects.count()
    for method in ("put", "patch", "delete", "options"):
        for path in ("/appeal/", f"/appeal/{token}/", "/appeal/sound/x/", "/decisions/"):
            assert getattr(client, method)(path).status_code == 405, (method, path)
    assert client.post(f"/appeal/{token}/").status_code == 405
    answer = client.head("/appeal/")
    assert answer.status_code == 200 and answer.content == b"" and Entry.objects.count() == before


@pytest.mark.parametrize("words", ["a\x00b", "\x00", "x" * 100_000, "\u202e" * 3, "\ud800"])
def test_odd_words_are_refused_or_cleaned_and_never_an_error(words: str) -> None:
    _decision, _ada, token = suspended()
    client = opened(token)
    link = AppealLink.objects.get(ended_at=None, person__isnull=False).pk
    body = b"do=file&once=&link=%d&words=" % link + words.encode("utf-8", "surrogatepass")
    answer = client.post("/appeal/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (302, 400)
    assert client.post("/appeal/", {"do": "save"}, headers={"Accept": "application/json"}).status_code in (200, 409)
    assert file(client, "Mine", "what", once="x" * 5000).status_code in (302, 400, 409)


def test_two_browsers_with_one_link_write_one_appeal() -> None:
    _decision, _ada, token = suspended()
    one, two = opened(token), opened(token)
    assert file(one, "Begun on the phone", "save").status_code == 302
    assert "Begun on the phone" in two.get("/appeal/").content.decode()
    assert file(two).status_code == 302 and file(one).status_code == 409
    page = one.get("/appeal/").content.decode()
    assert Appeal.objects.count() == 1 and 'name="words"' not in page and "has arrived" in page
    assert not AppealDraft.objects.exists()


def test_a_link_is_for_its_side_whoever_is_signed_in() -> None:
    """Somebody else's session opens what the link is for, and no more; an appeal is that of the link's person."""
    decision, ada, token = suspended()
    kim = person("kim", language="nl")
    client = Client()
    client.force_login(kim)
    page = opened(token, client).get("/appeal/")
    assert page.status_code == 200 and 'lang="nl"' in page.content.decode()
    assert client.get(f"/decisions/{decision.pk}/").status_code == 404
    assert file(client).status_code == 302 and Appeal.objects.get().person == ada
    assert f"/decisions/{decision.pk}/" not in client.get("/decisions/").content.decode()
    entry = Entry.objects.get(kind="appeal_filed")
    assert entry.actor == ada.pk
    own = Client()
    own.force_login(ada)
    assert opened(token, own).get("/appeal/").status_code == 200, "also in a session of a suspended account"


def test_a_link_works_after_the_account_was_deleted_and_tells_no_name() -> None:
    _decision, ada, token = suspended()
    User.objects.filter(pk=ada.pk).update(display_name="Ada Lovelace")
    delete_account(User.objects.get(pk=ada.pk), User.objects.get(pk=ada.pk))
    client = opened(token)
    page = client.get("/appeal/")
    assert page.status_code == 200 and 'name="words"' in page.content.decode()
    assert file(client).status_code == 302
    assert "has arrived" in client.get("/appeal/").content.decode()
    mail.outbox.clear()
    assert client.post("/appeal/link/").status_code == 302
    assert mail.outbox[0].to == ["ada@example.org"], "the address is kept while there is something to tell"
    assert "Lovelace" not in str(mail.outbox[0].body) + client.get("/appeal/").content.decode()


def test_parts_of_a_clip_are_heard_and_noted_too() -> None:
    """A player takes parts; one that leaves out the first byte is noted all the same, once."""
    room = talked_room()
    ada = User.objects.get(handle="ada")
    case = open_case(room, subject=ada, from_ms=20_000, to_ms=24_000)
    token = told(violation(case, ("warning", None)))
    client = opened(token)
    address = re.search(r'src="(/appeal/sound/[^"]+)"', client.get("/appeal/").content.decode())
    assert address is not None
    heard = Entry.objects.filter(kind="clip_heard")
    assert client.head(address[1]).status_code == 200 and not heard.exists()
    for asked, status in (("bytes=1-", 206), ("bytes=-100", 206), ("bytes=0-", 206), ("bytes=9999999-", 416)):
        assert client.get(address[1], headers={"Range": asked}).status_code == status, asked
    assert client.get(address[1], headers={"Range": "bytes=oops"}).status_code in (200, 400, 416)
    assert heard.count() == 1


def test_logs_keep_nothing_that_opens_something() -> None:
    for path in ("/appeal/{}/", "/appeal/sound/{}/", "/reports/{}/", "/reports/{}/appeal/", "/r/x/come/{}/"):
        assert without_tokens(path.format("s3cr-et_:x")) == path.format("…")
    for path in ("/appeal/", "/appeal/link/", "/appeal/code/", "/decisions/12/appeal/"):
        assert without_tokens(path) == path
