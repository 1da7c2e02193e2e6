"""The admin in a browser: everybody can use its pages, on a phone and a desk, by day and by night."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mail.models import Mail
from people.models import Creator, User
from people.sessions import SessionStore
from social.models import Follow
from tests.e2e.browser import PHONE, Chromium, in_every_look, in_every_size, overflow, resize
from tests.e2e.test_pages import LONG, LONG_TITLE, ended_room
from tests.support.people import person
from tests.support.staff import use_second_step

PATHS = (
    *("/admin/", "/admin/people/", "/admin/people/user/", "/admin/people/creator/", "/admin/rooms/room/"),
    *("/admin/people/user/{boss}/change/", "/admin/people/user/add/", "/admin/people/user/{boss}/password/"),
    *("/admin/rooms/room/{room}/change/", "/admin/social/follow/{follow}/delete/", "/admin/mail/mail/?q=nothing"),
    *("/admin/moderation/rule/", "/admin/moderation/rule/no-hate/change/", "/admin/moderation/roomclock/"),
    *("/admin/moderation/roomclock/{room}/change/", "/admin/moderation/roomclock/open-case/"),
    *("/admin/people/user/{boss}/history/", "/admin/people/user/{guest}/act/close/", "/admin/people/creator/list/"),
)
# What one presses; a link in a cell of a list is as large as the cell.
TOO_SMALL = """() => [...document.querySelectorAll(
    'main :is(a, button, select, input:not([type=checkbox], [type=hidden])), header a')]
  .filter((e) => e.checkVisibility() && !e.closest('.help, .selector'))
  .filter((e) => (e.closest('#result_list tbody :is(td, th)') ?? e).getBoundingClientRect().height < 43.5)
  .map((e) => e.outerHTML.slice(0, 120))"""


def fill() -> dict[str, int]:
    """Rows that make lists wide: long names, a long plan, a room with a long title."""
    boss = person("boss", is_staff=True, is_superuser=True, name=LONG)
    guest = person("guest", name=LONG)
    Creator.objects.create(user=guest, asked_at=timezone.now(), plan="Poems from the village. " * 12)
    for n in range(3):
        Creator.objects.create(user=person(f"member{n}"), added_at=timezone.now(), added_by=boss, wave="Spring")
    Mail.objects.create(to="a@example.org", subject=LONG_TITLE, made_at=timezone.now() - timedelta(days=1))
    follow = Follow.objects.create(follower=guest, followed=boss)
    room = ended_room(person("host", creator=True), LONG_TITLE)
    return {"boss": boss.pk, "guest": guest.pk, "room": room.pk, "follow": follow.pk}


def staff_page(chromium: Chromium, user: User) -> Page:
    """A window of a member of staff who used the second step a moment ago."""
    page = chromium.context(user).new_page()
    chromium.listen_to(page)
    ident = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid")
    session = SessionStore(ident)
    use_second_step(session, user)
    session.save()
    return page


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_admin_is_for_everybody(chromium: Chromium, language: str) -> None:
    """axe-core finds nothing on the kinds of page that Django has and we add, and nothing stands out of them."""
    keys = fill()
    boss = User.objects.get(handle="boss")
    User.objects.filter(pk=boss.pk).update(language=language)
    page, wrong = staff_page(chromium, boss), []
    look = in_every_look if language == "en" else in_every_size
    for path in PATHS:
        chromium.go(page, path.format(**keys))
        assert page.locator("html").get_attribute("lang") == language
        wrong += [f"{path}: {text}" for text in look(page)]
        resize(page, 320, 700)
        wrong += [f"{path}, 320 px: {text}" for text in overflow(page)]
    assert not wrong, "\n".join(wrong)


def test_what_one_presses_is_large_enough(chromium: Chromium) -> None:
    """Links and buttons of the index, a list and a form are at least 44 px high for a finger."""
    keys = fill()
    page = staff_page(chromium, User.objects.get(handle="boss"))
    resize(page, **PHONE)
    for path in ("/admin/", "/admin/people/creator/", "/admin/people/user/{boss}/change/"):
        chromium.go(page, path.format(**keys))
        small = page.evaluate(TOO_SMALL)
        assert not small, f"{path}: {small}"


def test_a_wide_list_scrolls_in_its_own_box(chromium: Chromium) -> None:
    fill()
    page = staff_page(chromium, User.objects.get(handle="boss"))
    resize(page, **PHONE)
    chromium.go(page, "/admin/people/creator/")
    box = page.locator(".results")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth") and not overflow(page)
    plan = page.locator("td.field-plan .cell").last
    assert plan.evaluate("cell => cell.clientHeight <= 2 * 1.5 * parseFloat(getComputedStyle(cell).fontSize)")
    expect(page.locator("#result_list a:empty")).to_have_count(0)
    chromium.go(page, "/admin/rooms/room/")
    assert page.locator("#result_list tbody th > .cell").first.evaluate("cell => cell.clientWidth") > 120
