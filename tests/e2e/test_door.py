"""The door and the ways of the stage in browsers: following the host to come in, policies without script, hands without
a microphone, and leaving with one of two pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from rooms import actions
from rooms.models import Hand, Room, Seat
from social.actions.follows import follow
from social.models import Block
from tests.e2e.browser import PHONE, Chromium, axe, in_every_look, overflow, start_sound
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated
from tests.support.waiting import wait_until

IS_OPEN = '[data-do="share"]:not([disabled])'
# A person who says no, or a computer without a microphone: the browser's own answer, whatever it would ask.
NO_MICROPHONE = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
navigator.permissions.query = async () => ({ state: "denied" });
"""


def test_following_at_the_door_lets_one_in(chromium: Chromium) -> None:
    room = open_room(entry_policy="followers")
    page = chromium.page(room.get_absolute_url(), person("ada"), expect=403, viewport=PHONE)
    expect(page.get_by_role("heading", name="You cannot come in")).to_be_visible()
    assert in_every_look(page) == []
    page.get_by_role("button", name="Follow Host").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(IS_OPEN, state="attached")
    expect(page.get_by_role("heading", name=room.title).first).to_be_visible()


def test_the_door_without_script_and_to_somebody_blocked(chromium: Chromium) -> None:
    room = open_room(entry_policy="followers")
    ada, blocked = person("ada"), person("blocked")
    Block.objects.create(blocker=room.host, blocked=blocked)
    address = room.get_absolute_url()
    hers, theirs = (
        chromium.page(address, user, expect=403, java_script_enabled=False, viewport=PHONE) for user in (ada, blocked)
    )
    texts = [page.locator("main").inner_text() for page in (hers, theirs)]
    assert texts[0] == texts[1]
    for page in (hers, theirs):
        page.get_by_role("button", name="Follow Host").click()
    expect(hers.locator("[data-entry]")).to_have_text("People who follow Host can come in with this address.")
    expect(theirs.locator("main")).to_contain_text("You follow Host, but not everybody who does can come in.")


def test_who_is_put_out_finds_the_door(chromium: Chromium) -> None:
    room = open_room()
    page = chromium.room(room, person("ada"), viewport=PHONE)
    actions.set_entry_policy(room.pk, room.host, "followers")
    again = page.locator("[data-bar]").get_by_role("link", name="Try again")
    expect(again).to_be_visible()
    assert axe(page) == [] and overflow(page) == []
    with page.expect_navigation():
        again.click()
    page.get_by_role("button", name="Follow Host").click()
    page.wait_for_selector(IS_OPEN, state="attached")
    # The browser complains of the page that says no, which is what one wants here.
    chromium.complaints[:] = [line for line in chromium.complaints if "status of 403" not in line]


def test_the_host_changes_the_speak_policy_without_script(chromium: Chromium) -> None:
    room = open_room()
    guest = seated("guest", room)
    page = chromium.page(room.get_absolute_url(), room.host, java_script_enabled=False, viewport=PHONE)
    form = page.locator("[data-speak-form]")
    form.get_by_role("combobox").select_option("invited")
    form.get_by_role("button", name="Change").click()
    expect(page.get_by_role("heading", name="What about those who sit at the table already?")).to_be_visible()
    assert overflow(page) == []
    assert Seat.objects.filter(room=room, user=guest, left_at=None).exists()
    page.locator("button[value=guest]", has_text="To the audience").click()
    expect(page.locator("[data-speak]")).to_have_text("People Host invites.")
    assert not Seat.objects.filter(room=room, user=guest, left_at=None).exists()
    actions.set_speak_policy(room.pk, room.host, "everyone")
    seated("other", room)
    actions.set_speak_policy(room.pk, room.host, "invited")
    scripted = chromium.page(room.get_absolute_url() + "speak/", room.host)
    assert in_every_look(scripted) == []


def raise_hand_without_a_microphone(page: Page) -> None:
    start_sound(page)
    bar = page.locator("[data-bar]")
    bar.get_by_role("button", name="Raise hand").click()
    sheet = page.get_by_role("dialog", name="Before you speak")
    go = sheet.get_by_role("button", name="Raise hand")
    expect(go).to_be_disabled()
    expect(sheet).to_contain_text("You need it only once you are let up.")
    sheet.locator("[data-check-consent]").check()
    assert axe(page) == [] and overflow(page) == []
    go.click()
    expect(bar).to_contain_text("Number 1")


def test_hand_and_stage_without_a_microphone(chromium: Chromium) -> None:
    room = open_room(speak_policy="followed")
    context = chromium.context(person("ada"), viewport=PHONE)
    context.add_init_script(NO_MICROPHONE)
    page = context.new_page()
    chromium.listen_to(page)
    chromium.go(page, room.get_absolute_url())
    page.wait_for_selector(IS_OPEN, state="attached")
    bar = page.locator("[data-bar]")
    raise_hand_without_a_microphone(page)
    bar.get_by_role("button", name="Lower hand").click()
    bar.get_by_role("button", name="Raise hand").click()  # agreed already: no question
    expect(bar.get_by_role("button", name="Lower hand")).to_be_visible()
    actions.let_up(room.pk, room.host)
    sheet = page.get_by_role("dialog", name="Before you speak")
    expect(sheet).to_contain_text("Host let you up.")
    expect(sheet).to_contain_text("The browser does not let this page use the microphone.")
    expect(sheet.get_by_role("button", name="Connect the microphone")).to_be_disabled()
    sheet.get_by_role("button", name="Not now").click()
    expect(bar.get_by_role("button", name="Unmute")).to_be_visible()
    bar.get_by_role("button", name="Stand up").click()
    expect(page.locator(".seat.you")).to_have_count(0)
    assert list(Hand.objects.order_by("id").values_list("outcome", flat=True)) == ["lowered", "seated"]


def test_a_microphone_that_is_allowed_connects_closed_once_one_is_let_up(live_sound: Site, chromium: Chromium) -> None:
    room = open_room(speak_policy="followed")
    ada = consented(person("ada"), room)
    page = chromium.room(room, ada, permissions=["microphone"])
    start_sound(page)
    page.locator("[data-bar]").get_by_role("button", name="Raise hand").click()
    expect(page.locator("[data-bar]")).to_contain_text("Number 1")
    actions.let_up(room.pk, room.host)
    expect(page.locator("[data-notice]")).to_contain_text("Host let you up.")
    wait_until(lambda: Seat.objects.get(user=ada).mic_page, 60, "a page that holds the microphone")
    assert Seat.objects.get(user=ada).muted
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator('[data-do="unmute"]').click()
    expect(page.locator('[data-do="mute"]')).to_be_visible(timeout=60_000)


def test_leaving_with_one_of_two_pages_keeps_the_hand(chromium: Chromium) -> None:
    room = open_room(speak_policy="invited")
    ada = consented(person("ada"), room)
    first, second = chromium.room(room, ada), chromium.room(room, ada)
    actions.raise_hand(room.pk, ada)
    for page in (first, second):
        expect(page.locator("[data-bar]").get_by_role("button", name="Lower hand")).to_be_visible()
    for page, left in ((first, ""), (second, "left")):
        page.locator("[data-bar]").get_by_role("link", name="Leave").click()
        page.wait_for_url(chromium.url + "/")
        if left:
            wait_until(lambda: outcome(room) == "left", 30, "a hand that is down")
        else:
            second.wait_for_timeout(1000)  # what should not happen would be published by now
            assert outcome(room) == ""
            expect(second.locator("[data-bar]").get_by_role("button", name="Lower hand")).to_be_visible()


def outcome(room: Room) -> str:
    return Hand.objects.get(room=room).outcome


def test_a_follower_is_shown_no_door(chromium: Chromium) -> None:
    room = open_room(entry_policy="followers")
    ada = person("ada")
    follow(ada, room.host)
    page = chromium.room(room, ada)
    expect(page.locator('[data-do="door"]')).to_be_hidden()
