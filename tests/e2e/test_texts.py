"""Text that people type, in a browser: the longest words on a phone, what a field says, two people with one name."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, expect

from core.text import count
from people.actions.credentials import make_token
from people.models import Creator, User
from rooms import actions
from rooms.models import Room
from tests.e2e.browser import PHONE, Chromium, overflow, resize
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import open_room, seated
from transcripts.models import Cue

HANDLE = "w" * 30
NARROW = {"width": 320, "height": 700}
HEBREW, ARABIC = "דנה כהן", "\u0623\u062d\u0645\u062f \u0639\u0644\u064a"


def widen(user: User) -> User:
    """The widest that every text of an account may be."""
    User.objects.filter(pk=user.pk).update(display_name="W" * 60, about="W" * 500)
    user.refresh_from_db()
    return user


def ended_with_sound(host: User) -> Room:
    room = talked_room(host=host.handle, title="W" * 120, topic="W" * 280)
    for user in User.objects.filter(handle__in=["ada", "bob"]):
        widen(user)
    Cue.objects.filter(transcript__room=room).update(text="W" * 400)
    return room


def test_no_page_scrolls_sideways_on_a_phone(chromium: Chromium) -> None:
    """Names, handles, titles, topics and lines without a place to break, on every page that shows them."""
    host = widen(person(HANDLE, creator=True))
    Creator.objects.filter(user=host).update(wave="W" * 60)
    make_token(host, "W" * 60)
    ended = ended_with_sound(host)
    room = open_room(HANDLE, title="W" * 120, topic="W" * 280)
    widen(seated("x" * 30, room))
    guest = person("guest")
    pages = [
        *(("/", who) for who in (host, guest, None)),
        *((path, host) for path in (room.get_absolute_url(), ended.get_absolute_url(), f"/r/{ended.slug}/replay/")),
        *(
            (path, host)
            for path in ("/dashboard/", "/settings/", "/settings/sessions/", "/creators/", f"/people/{HANDLE}/")
        ),
        *((path, guest) for path in (room.get_absolute_url(), f"/people/{HANDLE}/")),
        (f"/r/{ended.slug}/replay/?edit={Cue.objects.filter(transcript__room=ended)[0].pk}", host),
    ]
    wrong = []
    windows: dict[User | None, Page] = {}
    for path, who in pages:
        if who not in windows:
            windows[who] = chromium.context(who).new_page()
            chromium.listen_to(windows[who])
        page, reader = windows[who], who and who.handle[:3]
        chromium.go(page, path)
        for size in (PHONE, NARROW):
            resize(page, **size)
            keep_picture(page, f"{size['width']}-{path.strip('/').replace('/', '-') or 'home'}-{reader}")
            wrong += [f"{path} for {reader}: {text}" for text in overflow(page)]
        for menu in page.locator("details.menu[name=top]").all():
            menu.evaluate("menu => menu.open = true")
            wrong += [f"{path}, menu: {text}" for text in overflow(page)]
        for bar in page.locator(".live-bar").all():
            assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth"), "two people fit on a phone"
    assert not wrong, "\n".join(wrong)


def keep_picture(page: Page, name: str) -> None:
    """For whoever wants to look: SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name[:80].replace('?', '-')}.png", full_page=True)


def test_enter_is_typed_and_five_hundred_characters_are_counted_as_people_count(chromium: Chromium) -> None:
    """Whether they are letters, line breaks, or emoji of ten code points each; one more is refused where it stands."""
    anna = person("anna")
    page = chromium.page("/settings/", anna)
    field = page.locator("#id_about")
    field.click()
    page.keyboard.type("One.")
    page.keyboard.press("Enter")
    page.keyboard.type("Two.")
    save(page)
    anna.refresh_from_db()
    assert anna.about == "One.\nTwo."
    couple = "\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3ff"
    for full in ("ab\n" * 166 + "ab", couple * 498 + "\n" + couple):
        field.fill(full)
        save(page)
        anna.refresh_from_db()
        assert (count(anna.about), anna.about) == (500, full)
    field.fill("ab\n" * 166 + "abc")
    page.get_by_role("button", name="Save", exact=True).click()
    said = field.evaluate("field => field.validationMessage")
    assert said == "At most 500 characters; this has 501."
    field.fill("Short again.")
    save(page)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_two_with_one_name_and_names_from_right_to_left_at_the_table(chromium: Chromium) -> None:
    """Drawn by the server and again by script: told apart by handle, and each in its own direction."""
    person("host", creator=True, name=HEBREW)
    room = open_room(title="שולחן (2)", topic="שורה.\nUnd eine.")
    for handle in ("ada", "bob"):
        user = seated(handle, room)
        User.objects.filter(pk=user.pk).update(display_name=ARABIC)
    for script in (False, True):
        page = chromium.page(room.get_absolute_url(), java_script_enabled=script)
        if script:
            page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
        keep_picture(page, f"right-to-left-{script}")
        for handle in ("ada", "bob"):
            said = page.locator(f'.seat[data-user="{handle}"] .unseen').inner_text()
            assert f"(@{handle})" in said, said
        said = page.locator('.seat[data-user="host"] .unseen').inner_text()
        assert HEBREW in said and "@host" not in said
        directions = page.evaluate(
            """() => ['h1', '.on-table', '.seat[data-user="ada"] .seat-name', '.meta bdi']
              .map((one) => getComputedStyle(document.querySelector(one)).direction)"""
        )
        assert directions == ["rtl"] * 4
        page.context.close()


def test_a_speaker_who_left_is_gone_and_names_are_short_again(chromium: Chromium) -> None:
    """The handle stands beside a name only while another reads like it."""
    open_room(title="Two Annas")
    room = Room.objects.get(ended_at=None)
    for handle in ("ada", "bob"):
        user = seated(handle, room)
        User.objects.filter(pk=user.pk).update(display_name="Anna")
    page = chromium.room(room)
    hers = page.locator('.seat[data-user="ada"] .unseen')
    expect(hers).to_contain_text("Anna (@ada)")
    actions.leave_seat(room.pk, User.objects.get(handle="bob"))
    expect(hers).not_to_contain_text("@ada")
    expect(hers).to_contain_text("Anna")
