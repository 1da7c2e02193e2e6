"""The admin's index by task: each role sees what waits for it, and the records it may open; and where staff begin."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.http import HttpRequest
from django.template import engines
from django.test import Client, RequestFactory
from django.utils import timezone

from core.admin.site import admin_homes
from core.admin.tasks import Task, admin_tasks
from people.groups import AUDITORS, MODERATORS, SENIORS, ensure_groups
from people.models import Creator, User
from retention.purge import OVERDUE_COUNT
from rooms.models import Room
from tests.support.people import PASSWORD, person
from tests.support.staff import SECRET, second_step_of, sign_in_staff, with_fresh_step
from tests.support.ways_in import code_of

pytestmark = pytest.mark.django_db


def member(group: str = "", handle: str = "boss") -> User:
    """A member of staff: of a group, or a superuser."""
    ensure_groups()
    user = person(handle, is_staff=True, is_superuser=not group)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def staff(group: str = "") -> Client:
    return sign_in_staff(Client(), member(group))


def cards(browser: Client) -> dict[str, Task]:
    return {task.title: task for task in browser.get("/admin/").context["tasks"]}


@pytest.mark.parametrize(("group", "hosts"), [("", True), (SENIORS, True), (MODERATORS, False), (AUDITORS, False)])
def test_each_role_sees_its_tasks(group: str, hosts: bool) -> None:
    for n in range(2):
        Creator.objects.create(user=person(f"asks{n}"), asked_at=timezone.now(), plan="Poems.")
    seen = cards(staff(group))
    assert seen["overdue for deletion"].count == 0 and not seen["overdue for deletion"].urgent
    assert ("people ask to host" in seen) is hosts
    if hosts:
        assert seen["people ask to host"].count == 2
        assert staff_again().get(seen["people ask to host"].url).context["cl"].queryset.count() == 2


def staff_again() -> Client:
    return sign_in_staff(Client(), User.objects.get(handle="boss"))


def test_the_records_are_those_that_one_may_open() -> None:
    page = staff(MODERATORS).get("/admin/")
    names = {app["app_label"] for app in page.context["app_list"]}
    assert {"people", "moderation", "retention", "social"} <= names and not {"mail", "auth", "ledger"} & names
    assert "/admin/mail/" not in page.content.decode()


def test_somebody_without_rights_reads_that_nothing_waits() -> None:
    page = sign_in_staff(Client(), person("new", is_staff=True)).get("/admin/")
    assert page.context["tasks"] == [] and "Nothing waits for you." in page.content.decode()


def test_what_is_overdue_comes_first_and_in_red() -> None:
    cache.delete(OVERDUE_COUNT)
    long_ago = timezone.now() - timedelta(days=400)
    Creator.objects.create(user=person("asks"), asked_at=long_ago, plan="Poems.")
    Room.objects.create(
        host=person("host"), title="Old", status="ended", started_at=long_ago - timedelta(hours=1), ended_at=long_ago
    )
    page = staff().get("/admin/")
    first = page.context["tasks"][0]
    assert (first.title, first.count, first.urgent) == ("overdue for deletion", 1, True)
    assert 'class="card task urgent" href="/admin/moderation/roomclock/?show=overdue"' in page.content.decode()
    with mock.patch("retention.purge.overdue", side_effect=AssertionError("counted a minute ago")):
        assert staff_again().get("/admin/").context["tasks"][0].count == 1
    cache.delete(OVERDUE_COUNT)


@pytest.fixture
def a_queue() -> Generator[None]:
    """A first page for those who see clocks, and a task without a number."""

    @admin_homes.register("test.queue")
    def home(request: HttpRequest) -> str | None:
        return "/admin/moderation/roomclock/" if request.user.has_perm("moderation.view_roomclock") else None

    @admin_tasks.register("test.queue")
    def task(request: HttpRequest) -> Task | None:
        return Task("A queue", None, "Without a number.", "/admin/moderation/roomclock/", order=1)

    yield
    admin_homes.unregister("test.queue")
    admin_tasks.unregister("test.queue")


def test_tasks_stand_in_their_order(a_queue: None) -> None:
    titles = [task.title for task in staff().get("/admin/").context["tasks"]]
    cases = ["cases are open", "waiting for a second moderator", "appeals are open", "overdue in child safety"]
    waiting = ["appeals without a reviewer", "people ask to host", "overdue for deletion"]
    pages = ["Live rooms", "Open a case on own initiative", "Rules and categories"]
    assert titles == ["A queue", *cases, *waiting, *pages]


def test_staff_begin_on_the_page_of_their_role(a_queue: None) -> None:
    for group, where in ((MODERATORS, "case"), (AUDITORS, "roomclock")):
        browser = sign_in_staff(Client(), member(group, group.lower()))
        assert browser.get("/admin/home/")["Location"] == f"/admin/moderation/{where}/"
    other = sign_in_staff(Client(), person("other", is_staff=True))
    assert other.get("/admin/home/")["Location"] == "/admin/"
    assert other.get("/staff/second-step/", {"next": "/admin/"})["Location"] == "/admin/home/"
    assert other.get("/staff/second-step/", {"next": "/admin/people/user/"})["Location"] == "/admin/people/user/"


def test_signing_in_with_a_code_leads_staff_to_their_work() -> None:
    second_step_of(member())
    second_step_of(person("guest"))
    for handle, where in (("boss", "/admin/home/"), ("guest", "/")):
        client = Client()
        asked = client.post("/accounts/login/", {"login": handle, "password": PASSWORD})
        assert client.post(asked["Location"], {"code": code_of(SECRET)})["Location"] == where


def test_the_first_page_is_for_staff(client: Client) -> None:
    client.force_login(person("guest"))
    assert client.get("/admin/home/", follow=True).status_code == 403


def test_passwords_are_changed_where_everybody_changes_theirs() -> None:
    assert staff().get("/admin/password_change/")["Location"] == "/accounts/password/change/"


PAGE = """{% extends "admin/console/base.html" %}
{% block trail %}{{ block.super }}<li>Cases</li>{% endblock %}
{% block actions %}<a class="button main" href="/next/">Next case</a>{% endblock %}
{% block main %}{% include "admin/console/tabs.html" with label="Cases" %}
<section class="card">{% include "admin/console/card_head.html" with title="Account" note="since May" %}
{% include "admin/console/values.html" %}</section>
{% include "admin/console/table.html" with label="Cases" %}{% endblock %}
{% block side %}{% if side %}<section class="card">{{ side }}</section>{% endif %}{% endblock %}"""


def test_a_page_of_the_console_has_the_bar_and_the_parts_and_nothing_of_django(rf: RequestFactory) -> None:
    request = rf.get("/admin/cases/")
    request.user = with_fresh_step(member())
    context = {
        **admin.site.each_context(request),
        "title": "Case 2041",
        "tabs": [{"url": "?all", "title": "All", "count": 3, "here": True}, {"url": "?mine", "title": "Mine"}],
        "values": [("Strikes", "<1>")],
        "heads": ["Case"],
        "rows": [["2041"]],
        "side": "The clock",
    }
    page = engines["django"].from_string(PAGE).render(context, request)
    assert "{#" not in page and "<title>Case 2041 · Stamtafel</title>" in page and ">Case 2041</h1>" in page
    assert '<li><a href="/admin/">Administration</a></li>' in page and "<li>Cases</li>" in page
    assert "<dt>Strikes</dt><dd>&lt;1&gt;</dd>" in page and '<span class="tab-count">3</span>' in page
    assert page.count('aria-current="page"') == 1 and page.count("tab-count") == 1
    assert "css/components/lists" in page and "css/admin/" not in page and "admin/css/" not in page


def test_no_row_has_an_empty_link() -> None:
    Creator.objects.create(user=person("asks"), asked_at=timezone.now(), plan="Poems.")
    page = staff().get("/admin/people/creator/").content.decode()
    assert '"></a>' not in page and 'href="/people/asks/"' in page


def test_an_empty_list_says_so() -> None:
    browser = staff()
    assert "Nothing matches." in browser.get("/admin/mail/mail/?q=nothing").content.decode()
    page = browser.get("/admin/mail/mail/").content.decode()
    assert "Nothing here" in page and "Nothing matches." not in page
