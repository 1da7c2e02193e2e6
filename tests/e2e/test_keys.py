"""Acts of the stage by keyboard alone, with the focus where one goes on from after each.

Elsewhere by keyboard: sitting down, unmuting, standing up (test_room), co-hosts, hand-over, the end (test_host_menu),
leaving and the key M (test_manners), the microphone in use (test_devices), remove, block, report (test_removals_page).
"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from people.models import User
from rooms import actions
from rooms.models import Hand, Room, Seat
from social.actions.blocks import block
from tests.e2e.browser import DESK, PHONE, Chromium
from tests.e2e.test_door import NO_MICROPHONE
from tests.e2e.test_host_menu import heard
from tests.e2e.test_manners import WATCH
from tests.e2e.test_removals_page import press
from tests.e2e.test_room import press_until, seat_of
from tests.support.people import person
from tests.support.rooms import consented, open_room, seated
from tests.support.waiting import wait_until


def on_card(page: Page, handle: str, act: str) -> None:
    """Press an act on somebody's card. The focus is on their seat again once it is closed."""
    press(page, f"{seat_of(handle)} .seat-who")
    press(page, f"#person-sheet {act}")
    expect(page.locator("#person-sheet")).to_be_hidden()


def choose(page: Page, name: str, value: str) -> None:
    """Choose in a closed list by its arrow keys, and send its form."""
    press_until(page, "Tab", name, most=90)
    for key in ["ArrowUp"] * 3 + ["ArrowDown"] * 3:
        if page.locator(name).input_value() == value:
            break
        page.keyboard.press(key)
    expect(page.locator(name)).to_have_value(value)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def watched(chromium: Chromium, room: Room, user: User, *scripts: str) -> Page:
    """A room's page that keeps what its live region gets; its sound stops by the bar if it plays."""
    context = chromium.context(user, viewport=DESK if user.pk == room.host_id else PHONE)
    for script in scripts:
        context.add_init_script(script)
    page = context.new_page()
    chromium.listen_to(page)
    chromium.go(page, room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    page.evaluate(WATCH)
    return page


def state_of(room: Room, handle: str) -> tuple[bool, bool]:
    """Whether this speaker is muted, and kept muted."""
    return Seat.objects.values_list("muted", "mute_held").get(room=room, user__handle=handle, left_at=None)


def test_hands_by_keyboard_alone(chromium: Chromium) -> None:
    """Raised, lowered, declined, let up, locked: by the two whom it concerns."""
    room = open_room(speak_policy="followed")
    ada = consented(person("ada"), room)
    host, hers = watched(chromium, room, room.host), watched(chromium, room, ada, NO_MICROPHONE)
    bar, panel = hers.locator("[data-bar]"), host.locator("[data-hands]")
    hers.wait_for_timeout(600)  # script asks for a quarter of a second whether sound may start
    if hers.locator('[data-do="listen"]').is_visible():
        press(hers, '[data-do="listen"]')
    press(hers, '[data-do="raise_hand"]')
    heard(hers, "Your hand is up. You are number 1.")
    heard(host, "Ada raised a hand.")
    expect(bar.get_by_role("button", name="Lower hand")).to_be_focused()
    hers.keyboard.press("Enter")
    expect(bar.get_by_role("button", name="Raise hand")).to_be_focused()
    expect(panel.get_by_role("listitem")).to_have_count(0)

    hers.keyboard.press("Enter")
    expect(panel.get_by_role("listitem")).to_have_count(1)
    press(host, '[data-do="hands"]')
    expect(panel).to_be_focused()
    press(host, '[data-hand-do="decline_hand"]')
    expect(panel).to_be_focused()
    heard(hers, "The host cannot let you up right now.")
    expect(bar.get_by_role("button", name="Raise hand")).to_be_focused()

    press(host, '[data-hands-do="lock"]')
    expect(host.locator('[data-hands-do="lock"]')).to_have_attribute("aria-pressed", "true")
    expect(host.locator('[data-hands-do="lock"]')).to_be_focused()
    heard(hers, "The host takes no new hands at the moment.")
    expect(bar.get_by_role("button", name="Raise hand")).to_be_hidden()
    host.keyboard.press("Enter")
    heard(hers, "The host takes hands again.")

    for act in ('[data-hand-do="let_up"]', '[data-hands-do="next"]'):
        press(hers, '[data-do="raise_hand"]')
        expect(panel.get_by_role("listitem")).to_have_count(1)
        press(host, act)
        expect(host.locator(seat_of("ada"))).to_be_visible()
        expect(panel).to_be_focused()
        sheet = hers.get_by_role("dialog", name="Before you speak")
        expect(sheet.get_by_text("Host let you up.")).to_be_visible()
        press(hers, "[data-check-cancel]")
        expect(sheet).to_be_hidden()
        press(hers, '[data-do="leave_seat"]')
        expect(host.locator(seat_of("ada"))).to_have_count(0)
        heard(hers, "You left the table.")
        expect(bar.locator(":focus")).to_have_count(1)
    outcomes = list(Hand.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes == ["lowered", "declined", "seated", "seated"]


def test_the_hosts_side_by_keyboard_alone(chromium: Chromium) -> None:
    """Mute, mute all, hold, lift, ask, off the stage and back, who may speak and come in, leave or stay."""
    room = open_room()
    ada = seated("ada", room)
    chromium.room(room, ada)  # who is away is not asked to unmute
    host = watched(chromium, room, room.host)
    face = host.locator(f"{seat_of('ada')} .seat-who")

    actions.set_muted(room.pk, ada, False, by=ada)
    expect(host.locator(f"{seat_of('ada')}.open")).to_have_count(1)
    on_card(host, "ada", '[data-card-do="mute"]')
    expect(host.locator(f"{seat_of('ada')}.open")).to_have_count(0)
    expect(face).to_be_focused()
    for act, told, state in (
        ("hold_mute", "Ada stays muted until", (True, True)),
        ("lift_mute", "Ada may unmute again.", (True, False)),
        ("ask_unmute", "Ada was asked to unmute.", (True, False)),
    ):
        on_card(host, "ada", f'[data-card-do="{act}"]')
        heard(host, told)
        expect(face).to_be_focused()
        assert state_of(room, "ada") == state

    actions.set_muted(room.pk, ada, False, by=ada)
    expect(host.locator(f"{seat_of('ada')}.open")).to_have_count(1)
    press(host, "[data-mute-all] button")
    heard(host, "1 microphone was turned off.")
    expect(host.get_by_role("button", name="Mute all")).to_be_focused()
    assert state_of(room, "ada") == (True, False)

    on_card(host, "ada", '[data-card-do="unseat"]')
    expect(face).to_be_focused()
    press(host, "[data-notice] button")
    expect(host.locator("[data-notice] button")).to_have_count(0)
    expect(host.locator("#main")).to_be_focused()

    choose(host, "#speak-policy", "followed")
    sheet = host.get_by_role("dialog", name="What about those who sit at the table already?")
    expect(sheet.get_by_role("listitem")).to_have_text(["Ada"])
    press(host, '#admitted-sheet [value="unseat"]')
    expect(host.locator(seat_of("ada"))).to_have_count(0)
    expect(host.locator("[data-speak-form] button")).to_be_focused()
    heard(host, "The host changed who may speak.")
    choose(host, "#entry-policy", "signed_in")
    heard(host, "The host changed who may come in.")
    expect(host.locator("[data-entry-form] button")).to_be_focused()
    room.refresh_from_db()
    assert (room.speak_policy, room.entry_policy) == ("followed", "signed_in")

    press(host, ".brand")
    sheet = host.get_by_role("dialog", name="Leave the room?")
    expect(sheet.get_by_role("button", name="Stay")).to_be_focused()
    host.keyboard.press("Enter")
    expect(host.locator(".brand")).to_be_focused()


def test_a_removal_undone_and_a_block_by_keyboard_alone(chromium: Chromium) -> None:
    """Undo in the message itself; then a host blocks, and a speaker answers about somebody whom they block."""
    room = open_room()
    ada, bob = seated("ada", room), seated("bob", room)
    host, hers = watched(chromium, room, room.host), watched(chromium, room, ada)
    on_card(host, "bob", "[data-card-do=remove]")
    press(host, '#remove-sheet [value="remove"]')
    heard(host, "Bob is removed from the room.")
    press(host, "[data-notice] button")
    heard(host, "Bob may come in again, as a listener.")
    expect(host.locator("#main")).to_be_focused()

    block(ada, bob)
    actions.take_seat(room.pk, bob)
    question = hers.get_by_role("dialog", name="Somebody whom you block is on stage")
    expect(question.get_by_role("button", name="Stay and listen")).to_be_focused()
    hers.keyboard.press("Enter")
    expect(question).to_be_hidden()

    on_card(host, "bob", "[data-card-do=block]")
    sheet = host.get_by_role("dialog", name="Block Bob?")
    expect(sheet.locator(":focus")).to_have_count(1)
    press(host, '#block-sheet [value="block"]')
    heard(host, "Bob is blocked.")
    wait_until(lambda: not Seat.objects.filter(room=room, user=bob, left_at=None).exists(), 30, "an empty seat")
    expect(host.locator("#main, [data-removed]").and_(host.locator(":focus"))).to_have_count(1)
