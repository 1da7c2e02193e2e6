"""Remove and block in browsers: each once by keyboard alone; who is told what, and what is heard meanwhile."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, WebSocket, expect

from rooms import actions
from rooms.models import Removal, Room, Seat
from social.actions.blocks import block
from social.models import Block
from tests.e2e.browser import (
    DESK,
    PHONE,
    Chromium,
    axe,
    in_every_look,
    overflow,
    resize,
    sit_down_and_speak,
    start_sound,
)
from tests.e2e.test_manners import WATCH
from tests.e2e.test_room import open_card, press_until, seat_of
from tests.support.cohosts import with_cohosts
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import is_connected, open_room, seated
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
OUT = "This room is not open to everybody: its host chooses who may come in."
# Remembers the gains that a page makes: the last one is what a speaker hears the others through.
GAINS = """
window.gains = [];
const Made = window.GainNode;
window.GainNode = class extends Made { constructor(...all) { super(...all); window.gains.push(this); } };
"""
VOLUME = "() => window.gains.at(-1).gain.value"
SILENT = "() => document.querySelector('[data-sound]').muted"


def press(page: Page, wanted: str, key: str = "Enter") -> None:
    """Reach an element by Tab, and press a key on it."""
    press_until(page, "Tab", wanted, most=80)
    page.keyboard.press(key)


def fine(page: Page) -> None:
    """Nothing is wrong for axe or stands out of the page, in both sizes; what there is to press is large enough."""
    for size in (PHONE, DESK):
        resize(page, **size)
        assert axe(page) == [] and overflow(page) == []
        small = page.locator("dialog[open] .button:visible").evaluate_all(
            "(all) => all.map((e) => e.getBoundingClientRect()).filter((r) => r.height < 44 || r.width < 44).length"
        )
        assert small == 0


def sits(room: Room, handle: str) -> bool:
    return Seat.objects.filter(room=room, user__handle=handle, left_at=None).exists()


def told(page: Page) -> list[str]:
    return page.evaluate("() => window.told")  # type: ignore[no-any-return]


def test_a_removal_by_keyboard_with_the_room_closed_and_undone(chromium: Chromium) -> None:
    """The dialog says that one can still listen signed out, and closes that; the person reads why, with the focus
    on it, and their page tries nothing more."""
    room = open_room()
    ada = seated("ada", room)
    host, hers, nobody = chromium.room(room, room.host), chromium.room(room, ada, viewport=PHONE), chromium.room(room)
    lines: list[WebSocket] = []
    hers.on("websocket", lambda line: lines.append(line))
    host.evaluate(WATCH)
    press(host, f"{seat_of('ada')} .seat-who")
    press(host, "[data-card-do=remove]")
    sheet = host.get_by_role("dialog", name="Remove Ada from the room?")
    expect(sheet.get_by_text("they can still hear it signed out")).to_be_visible()
    fine(host)
    host.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(host.locator(f"{seat_of('ada')} .seat-who")).to_be_focused()
    assert sits(room, "ada") and not Removal.objects.exists()

    host.keyboard.press("Enter")
    press(host, "[data-card-do=remove]")
    press(host, "#remove-close", "Space")
    press(host, '#remove-sheet [value="remove"]')
    expect(hers.get_by_text(OUT)).to_be_focused()
    for gone in ("listen", "sound", "unmute", "mute", "take_seat", "leave_seat", "raise_hand"):
        expect(hers.locator(f'[data-bar] [data-do="{gone}"]')).to_be_hidden()
    assert hers.evaluate("() => document.querySelector('[data-sound]').paused")
    assert axe(hers) == [] and overflow(hers) == []
    expect(nobody.get_by_text("Only people who are signed in come into this room.")).to_be_focused()
    panel = host.locator("[data-removed]")
    expect(panel.get_by_role("listitem")).to_contain_text("@ada")
    expect(panel).to_be_focused()
    wait_until(lambda: Room.objects.get(pk=room.pk).entry_policy == "signed_in", 30, "the room is closed")
    assert "Ada is removed from the room." in " ".join(told(host))
    fine(host)
    hers.wait_for_timeout(6000)  # a line that is lost is tried again within five seconds
    assert lines == [] and not is_connected(room.pk, ada.pk)
    again = chromium.page(room.get_absolute_url(), ada, expect=403)
    expect(again.get_by_text(OUT)).to_be_visible()

    press(host, "[data-let-in]")
    expect(panel).to_be_hidden()
    expect(host.locator("#main")).to_be_focused()
    expect(host.get_by_text("@ada may come in again, as a listener.")).to_be_visible()
    assert not Removal.objects.filter(undone_at=None).exists()
    hers.reload()
    hers.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    assert not sits(room, "ada"), "as a listener"


def test_undo_in_the_notice_and_what_the_other_helper_reads(chromium: Chromium) -> None:
    """Cohosts act neither on the host nor on each other; guests see no button."""
    room, (helper, _second) = with_cohosts("helper", "second")
    seated("ada", room)
    host, his = chromium.room(room, room.host), chromium.room(room, helper)
    hers = chromium.room(room, person("lea"))
    for page, handle, may in (
        *((his, "host", False), (his, "second", False), (his, "helper", False), (his, "ada", True)),
        *((hers, "ada", False), (hers, "host", False), (host, "second", True), (host, "host", False)),
    ):
        card = open_card(page, handle)
        expect(card.locator("[data-person-page]")).to_be_visible()
        expect(card.locator("[data-card-do=remove]")).to_be_visible(visible=may)
        card.get_by_role("button", name="Close").click()
    expect(hers.locator("[data-removed]")).to_be_hidden()
    open_card(his, "ada").get_by_role("button", name="Remove from the room").click()
    his.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(host.get_by_text(re.compile("Helper removed .* from the room."))).to_be_visible()
    his.locator("[data-notice]").get_by_role("button", name="Undo").click()
    expect(host.get_by_text("Helper let @ada come in again.")).to_be_visible()
    for page in (host, his):
        expect(page.locator("[data-removed]")).to_be_hidden()
    assert Removal.objects.get().undone_at is not None
    assert Room.objects.get(pk=room.pk).entry_policy == "anyone", "the offer was not taken"


def test_a_host_blocks_from_the_card(chromium: Chromium) -> None:
    room, (helper,) = with_cohosts("helper")
    host, his = chromium.room(room, room.host), chromium.room(room, helper)
    open_card(host, "helper").get_by_role("button", name="Block").click()
    sheet = host.get_by_role("dialog", name="Block Helper?")
    expect(sheet.get_by_text("They are removed from this room now")).to_be_visible()
    expect(sheet.get_by_text("They stop being a co-host first.")).to_be_visible()
    expect(sheet.get_by_text("You both stay")).to_be_hidden()
    expect(sheet.get_by_text("you leave it now")).to_be_hidden()
    expect(sheet.get_by_text("they can still hear it signed out")).to_be_visible()
    fine(host)
    sheet.get_by_role("button", name="Block").click()
    expect(host.get_by_text("Helper is blocked.")).to_be_visible()
    expect(his.get_by_text(OUT)).to_be_focused()
    expect(host.locator("[data-removed]").get_by_role("listitem")).to_contain_text("@helper")
    assert Block.objects.filter(blocker=room.host, blocked=helper).exists() and not sits(room, "helper")


def test_a_guest_who_blocks_the_host_by_keyboard_leaves(chromium: Chromium) -> None:
    """And undoes it on the list in the settings, after which the room is open to them again."""
    room = open_room()
    ada = seated("ada", room)
    page, host = chromium.room(room, ada, viewport=PHONE), chromium.room(room, room.host)
    host.evaluate(WATCH)
    press(page, f"{seat_of('host')} .seat-who")
    press(page, "[data-card-do=block]")
    sheet = page.get_by_role("dialog", name="Block Host?")
    expect(sheet.get_by_text("you leave it now")).to_be_visible()
    expect(sheet.locator("[data-still-heard]")).to_be_hidden()
    fine(page)
    press(page, '#block-sheet [value="block"]')
    expect(page.get_by_text("You blocked the host of this room.")).to_be_focused()
    assert not sits(room, "ada")
    page.goto(chromium.url + "/settings/")
    page.get_by_role("link", name="People you block").click()
    expect(page.get_by_text("@host")).to_be_visible()
    press(page, 'form[action="/people/host/unblock/"] button')
    expect(page.get_by_text("You block nobody.")).to_be_visible()
    page.goto(chromium.url + room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    host.wait_for_function("() => told.some((text) => text.includes('Ada left the table.'))")
    assert [text for text in told(host) if "lock" in text] == [], "the host learns of no block"


def test_whom_one_blocks_is_asked_about_before_they_are_heard(chromium: Chromium) -> None:
    """When the page opens, when they come on stage, and after one's own block; Escape answers nothing."""
    room = open_room()
    bert, anna = seated("bert", room), person("anna")
    block(anna, bert)
    page, his = chromium.room(room, anna, viewport=PHONE), chromium.room(room, bert)
    his.evaluate(WATCH)
    question = page.get_by_role("dialog", name="Somebody whom you block is on stage")
    expect(question.get_by_role("listitem")).to_have_text(["Bert"])
    fine(page)
    for _twice in range(2):
        page.keyboard.press("Escape")
        expect(question).to_be_visible()
    press(page, '#blocked-sheet [value="stay"]')
    expect(question).to_be_hidden()
    page.reload()
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    expect(question).to_be_hidden()
    start_sound(page)
    assert page.evaluate(SILENT) is False

    actions.leave_seat(room.pk, bert)
    expect(page.locator(seat_of("bert"))).to_have_count(0)
    actions.take_seat(room.pk, bert)
    expect(question).to_be_visible()
    assert page.evaluate(SILENT) is True
    actions.leave_seat(room.pk, bert)
    expect(question).to_be_hidden()
    page.wait_for_function(f"() => !({SILENT})()")  # nobody is there any more
    actions.take_seat(room.pk, bert)
    press(page, '#blocked-sheet [value="stay"]')
    expect(question).to_be_hidden()

    open_card(page, "bert").get_by_role("button", name="Unblock").click()
    expect(page.get_by_text("Bert is no longer blocked. Follows and invitations do not come back")).to_be_visible()
    assert not Block.objects.exists()
    open_card(page, "bert").get_by_role("button", name="Block").click()
    sheet = page.get_by_role("dialog", name="Block Bert?")
    expect(sheet.get_by_text("You both stay in this room.")).to_be_visible()
    sheet.get_by_role("button", name="Block").click()
    expect(question).to_be_visible()
    assert page.evaluate(SILENT) is True
    question.get_by_role("button", name="Leave the room").click()
    expect(page).to_have_url(chromium.url + "/")
    assert sits(room, "bert")
    assert [text for text in told(his) if "lock" in text] == [], "the blocked person notices nothing"
    expect(his.locator("dialog[open]")).to_have_count(0)


def test_a_speaker_hears_nothing_until_it_is_answered(live_sound: Site, chromium: Chromium) -> None:
    """A speaker hears the others another way; leaving from the stage frees the seat without another question."""
    room = open_room()
    anna, bert = person("anna"), seated("bert", room)
    actions.leave_seat(room.pk, bert)
    block(anna, bert)
    context = chromium.context(anna)
    context.add_init_script(GAINS)
    page = context.new_page()
    chromium.listen_to(page)
    page.goto(chromium.url + room.get_absolute_url())
    start_sound(page)
    sit_down_and_speak(page)
    assert page.evaluate(VOLUME) == 1
    actions.take_seat(room.pk, bert)
    question = page.get_by_role("dialog", name="Somebody whom you block is on stage")
    expect(question).to_be_visible()
    assert page.evaluate(VOLUME) == 0
    question.get_by_role("button", name="Stay and listen").click()
    expect(question).to_be_hidden()
    page.wait_for_function(f"({VOLUME})() === 1")  # the browser's thread for sound sets it
    expect(page.locator('[data-do="mute"]')).to_be_visible()
    actions.leave_seat(room.pk, bert)
    expect(page.locator(seat_of("bert"))).to_have_count(0)
    actions.take_seat(room.pk, bert)
    question.get_by_role("button", name="Leave the room").click()
    expect(page).to_have_url(chromium.url + "/")
    wait_until(lambda: not sits(room, "anna"), 30, "the seat is free")
    assert sits(room, "bert")


def test_the_pages_are_for_everybody(chromium: Chromium) -> None:
    room = open_room()
    seated("ada", room)
    name = "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff"
    lea, out = person("lea"), person("out")
    for handle in ("bert", "carl"):
        block(lea, person(handle, name=name))
    block(room.host, out)
    report = f"/rooms/{room.slug}/report/"
    page = chromium.page(f"{report}?about=ada", lea)
    wrong = [f"form: {text}" for text in in_every_look(page)]
    page.get_by_label("What happened?").select_option("hate")
    page.get_by_label("As far as I know").check()
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("heading", name="We received it")).to_be_visible()
    wrong += [f"receipt: {text}" for text in in_every_look(page)]
    for path in ("/settings/", "/settings/blocks/", "/people/bert/", "/people/host/", "/people/host/block/"):
        chromium.go(page, path)
        wrong += [f"{path}: {text}" for text in in_every_look(page)]
    page = chromium.page(room.get_absolute_url(), out, expect=403)
    wrong += [f"refused: {text}" for text in in_every_look(page)]
    assert not wrong, "\n".join(wrong)
