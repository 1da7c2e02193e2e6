"""Text that people typed keeps its own direction: on every page, in attributes and titles, and in mails.

Every page is rendered with names, titles, topics and lines in Hebrew and Arabic; wherever one of their letters stands,
an element with `dir="auto"` or <bdi> must stand around it and around nothing of ours, or marks that isolate it.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from core.text import FSI, PDI
from people import notify
from people.actions.credentials import make_token
from people.creators.actions import add_creators
from people.models import Creator, User
from rooms import actions
from rooms.models import Room
from social.actions.blocks import block
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import open_room, seated
from tests.support.staff import sign_in_staff
from transcripts.jobs.notify import notify_host
from transcripts.models import Cue

pytestmark = pytest.mark.django_db
NAME = "דנה כהן 12"
TITLE = "שולחן: \u0642\u0647\u0648\u0629 (2)"
TOPIC = "שורה ראשונה.\n\u0627\u0644\u0633\u0637\u0631 \u0662."
LINE = "שלום, מה נשמע?"
THEIRS = re.compile(r"[\u0590-\u06ff]")
WHOLE = re.compile(rf"[^{FSI}{PDI}\u0590-\u06ff]*(?:{FSI}[^{FSI}{PDI}]*{PDI}[^{FSI}{PDI}\u0590-\u06ff]*)+")
VOID = {"meta", "link", "input", "img", "br", "hr", "source"}


class Looker(HTMLParser):
    """Collects every place with a letter of theirs that could turn what is around it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.wrong: list[str] = []
        self.seen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        own = tag == "bdi" or values.get("dir") == "auto"
        for name, value in values.items():
            if THEIRS.search(value) and not (WHOLE.fullmatch(value) or (name == "value" and own)):
                self.wrong.append(f"<{tag} {name}={value!r}>")
        if tag not in VOID:
            self.open.append((tag, own))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not THEIRS.search(data) or (self.open and self.open[-1][0] == "script"):
            return
        self.seen += 1
        if not any(own for _tag, own in self.open) and not WHOLE.fullmatch(data.strip()):
            self.wrong.append(f"{'>'.join(tag for tag, _own in self.open[-3:])}: {data.strip()[:60]!r}")


def look(client: Client, path: str) -> tuple[int, list[str]]:
    answer = client.get(path)
    assert answer.status_code == 200, path
    looker = Looker()
    looker.feed(answer.content.decode())
    return looker.seen, [f"{path}: {where}" for where in looker.wrong]


def client(user: User | None = None) -> Client:
    browser = Client()
    if user is not None:
        browser.force_login(user)
    return browser


def named(handle: str, **facts: Any) -> User:
    return person(handle, name=NAME, about=TOPIC, **facts)


@pytest.mark.parametrize("policy", ["anyone", "followers"])
def test_pages_of_a_live_room(policy: str) -> None:
    host, guest = named("host", creator=True), named("guest")
    room = open_room(title=TITLE, topic=TOPIC, entry_policy=policy, speak_policy="followed")
    if policy == "anyone":
        Room.objects.filter(pk=room.pk).update(speak_policy="everyone")
        ada = seated("ada", room)
        User.objects.filter(pk=ada.pk).update(display_name=NAME)
    browsers = {"host": client(host), **({"guest": client(guest), "": client()} if policy == "anyone" else {})}
    wrong: list[str] = []
    for browser in browsers.values():
        for path in ("/", room.get_absolute_url(), "/people/host/"):
            seen, found = look(browser, path)
            assert seen > 1, path
            wrong += found
    wrong += look(client(host), "/dashboard/")[1]
    actions.end_room(room.pk, host)
    for path in (room.get_absolute_url(), "/dashboard/"):
        wrong += look(client(host), path)[1]
    assert not wrong, "\n".join(wrong)


def test_the_page_of_an_ended_room() -> None:
    room = talked_room(title=TITLE, topic=TOPIC)
    User.objects.update(display_name=NAME)
    Cue.objects.update(text=LINE)
    cue = Cue.objects.filter(transcript__room=room)[0]
    Cue.objects.filter(pk=cue.pk).update(corrected_text=LINE, corrected_at=timezone.now())
    path = f"/r/{room.slug}/replay/"
    seen, wrong = look(client(User.objects.get(handle="host")), path)
    assert seen > 10
    for query in (f"?edit={cue.pk}", "?q=שלום"):
        wrong += look(client(User.objects.get(handle="host")), path + query)[1]
    assert not wrong, "\n".join(wrong)


def test_pages_of_ones_own() -> None:
    anna = named("anna")
    Creator.objects.create(user=anna, added_at=timezone.now(), wave=TITLE)
    make_token(anna, TITLE)
    wrong: list[str] = []
    for path in ("/settings/", "/settings/sessions/", "/creators/", "/people/anna/"):
        seen, found = look(client(anna), path)
        assert seen, path
        wrong += found
    assert not wrong, "\n".join(wrong)


def test_pages_of_blocks_and_reports() -> None:
    anna, bert, carl = named("anna"), named("bert", creator=True), named("carl")
    room = open_room(bert, title=TITLE, topic=TOPIC)
    block(anna, carl)
    wrong: list[str] = []
    report = f"/rooms/{room.slug}/report/"
    for path in ("/settings/blocks/", "/people/carl/", "/people/bert/block/", f"{report}?about=carl"):
        seen, found = look(client(anna), path)
        assert seen, path
        wrong += found
    assert not wrong, "\n".join(wrong)


def test_the_admin_isolates_names_within_a_line() -> None:
    """Cells and titles are of their own direction by style; where a name stands in a sentence, marks hold it."""
    anna = named("anna")
    Creator.objects.create(user=anna, added_at=timezone.now())
    assert str(anna) == f"{FSI}{NAME}{PDI} (@anna)" and str(person("bert")) == "Bert (@bert)"
    boss = sign_in_staff(Client(), person("boss", is_staff=True, is_superuser=True))
    pages = ("people/user/", "people/creator/", f"people/user/{anna.pk}/change/", "people/user/add/")
    for path in pages:
        page = boss.get(f"/admin/{path}").content.decode()
        assert "css/admin/page.css" in page and "css/admin/lists.css" in page, path
    assert FSI in boss.get("/admin/people/creator/").content.decode()


def test_mails(django_capture_on_commit_callbacks: Any) -> None:
    host = named("host", creator=True)
    guest = named("guest")
    room = talked_room(title=TITLE)
    User.objects.filter(pk=host.pk).update(display_name=NAME)
    with django_capture_on_commit_callbacks(execute=True):
        add_creators([guest], by=None)
        make_token(guest, TITLE)
    Cue.objects.update(text=LINE)
    transcript = room.transcript
    type(transcript).objects.filter(pk=transcript.pk).update(speech_ms=1000, done_ms=1000, told_at=None)
    notify_host(transcript.pk)
    for template in ("rooms/email/recording_paused.txt", "rooms/email/recording_resumed.txt"):
        notify.send(host, template)
    assert len(mail.outbox) >= 5
    for letter in mail.outbox:
        for line in [str(letter.subject), *str(letter.body).splitlines()]:
            assert not THEIRS.search(line) or WHOLE.fullmatch(line), line
    assert sum(bool(THEIRS.search(f"{letter.subject}{letter.body}")) for letter in mail.outbox) >= 5
