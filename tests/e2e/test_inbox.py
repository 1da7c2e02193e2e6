"""Messages in browsers: two people write to each other, what arrives appears at once on every page, nothing is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import Creator, Session, User
from rooms import actions
from rooms.wire.official_texts import PUBLICATION
from social.actions.blocks import block
from social.actions.messages import deliver_messages, send_official, send_text
from social.actions.takedowns import put_back_message, take_down_message
from social.models import Follow, Message
from tests.e2e.browser import PHONE, Chromium, in_every_look, in_every_size, overflow, resize
from tests.e2e.test_host_menu import heard
from tests.e2e.test_manners import WATCH
from tests.e2e.test_room import open_card
from tests.support.people import person, session_cookie
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 60_000  # ms: a second, where nothing else runs
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
TOUCH: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


def friends() -> tuple[User, User]:
    anna, bert = person("anna"), person("bert")
    Follow.objects.create(follower=anna, followed=bert)
    Follow.objects.create(follower=bert, followed=anna)
    return anna, bert


def say(sender: User, receiver: User, body: str) -> Message:
    """A line that has arrived."""
    message = send_text(sender, receiver, body)
    deliver_messages([message.pk])
    return message


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    target = page.get_by_label(name, exact=True).or_(page.get_by_role("button", name=name, exact=True))
    for _step in range(60):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached")


def test_two_people_write_to_each_other(web: Site, chromium: Chromium) -> None:
    """By keyboard only on a desk, by touch on a phone: the number appears on the home page, both lines at once."""
    web.start("work")
    anna, bert = friends()
    phone = chromium.page("/", bert, **TOUCH)
    expect(phone.get_by_role("link", name="Messages", exact=True)).to_be_visible()
    desk = chromium.page("/people/bert/", anna)
    desk.get_by_role("link", name="Write a message").focus()
    desk.keyboard.press("Enter")
    desk.wait_for_url(re.compile("/messages/bert/"))
    tab_to(desk, "Message to Bert")
    desk.keyboard.type("Hello Bert,")
    desk.keyboard.press("Shift+Enter")
    desk.keyboard.type("are you there?")
    desk.keyboard.press("Enter")
    expect(desk.locator(".talk-line.mine .bubble")).to_have_text("Hello Bert,\nare you there?", use_inner_text=True)
    expect(desk.get_by_label("Message to Bert")).to_be_focused()
    expect(desk.get_by_label("Message to Bert")).to_have_value("")

    link = phone.get_by_role("link", name="Messages, 1 unread")
    expect(link).to_be_visible(timeout=SOON)
    expect(phone).to_have_title(re.compile(r"^\(1\) "))
    expect(phone.locator("[data-unread-told]")).to_have_text("Messages, 1 unread")
    link.tap()
    phone.get_by_role("link", name="Anna", exact=True).tap()
    expect(phone.locator(".talk-line .bubble")).to_be_in_viewport()
    expect(phone.get_by_role("link", name="Messages", exact=True)).to_be_visible(timeout=SOON)
    phone.get_by_label("Message to Anna").fill("Yes!")
    phone.get_by_label("Message to Anna").press("Enter")
    phone.get_by_label("Message to Anna").press_sequentially("What is it?")
    phone.get_by_role("button", name="Send").tap()
    expect(desk.locator(".talk-line:not(.mine) .bubble")).to_have_text(
        "Yes!\nWhat is it?", use_inner_text=True, timeout=SOON
    )
    expect(desk.get_by_role("link", name="Messages", exact=True)).to_be_visible(timeout=SOON)
    assert desk.get_by_role("log").locator(".talk-line").count() == 2
    assert Message.objects.filter(read=True).count() == 2, "what the page showed is read"


def test_what_moderators_remove_is_redrawn_on_every_open_page(chromium: Chromium) -> None:
    """On the list of one side and in the conversation of the other, with the focus on it; also when it comes back."""
    anna, bert = friends()
    message = say(anna, bert, "Rude words")
    conversation, inbox = chromium.page("/messages/bert/", anna), chromium.page("/messages/", bert)
    line, last = conversation.locator(f"#m{message.pk}"), inbox.locator(".inbox-last")
    for page in (conversation, inbox):
        expect(page.get_by_text("Rude words")).to_be_visible()
    line.focus()
    row = take_down_message(message.pk, None)
    assert row is not None
    expect(last).to_have_text("Message removed by moderators", timeout=SOON)
    expect(line.locator(".bubble")).to_have_text("Message removed by moderators", timeout=SOON)
    expect(line).to_be_focused()
    put_back_message(row, None)
    expect(line.locator(".bubble")).to_have_text("Rude words", timeout=SOON)
    expect(last).to_have_text("Rude words", timeout=SOON)


def test_a_blocked_sender_notices_nothing(web: Site, chromium: Chromium) -> None:
    """The line stands in their own conversation, now and later, as one that was not read; the blocker sees none."""
    web.start("work")
    anna, bert = friends()
    say(anna, bert, "Before")
    page, hers = chromium.page("/messages/anna/", bert), chromium.page("/messages/", anna)
    block(anna, bert)
    page.get_by_label("Message to Anna").fill("Are you there?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".talk-line.mine .bubble")).to_have_text(["Are you there?"], timeout=SOON)
    expect(page.locator("[data-wrong]")).to_be_empty()
    wait_until(lambda: Message.objects.filter(sender=bert, withheld=True).exists(), 60)
    page.reload()
    expect(page.locator(".talk-line.mine .bubble")).to_have_text(["Are you there?"])
    expect(page.locator(".thread-note")).to_have_count(0)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    chromium.go(page, "/people/anna/")
    expect(page.get_by_role("button", name="Unfollow Anna")).to_be_visible()
    hers.reload()
    expect(hers.get_by_role("link", name="Messages", exact=True)).to_be_visible()
    expect(hers.get_by_text("Are you there?")).to_have_count(0)


def test_nothing_is_lost_when_one_is_signed_out(chromium: Chromium) -> None:
    """The text stays where it is; signed in again, with another token, the same press sends it, once."""
    anna, _bert = friends()
    page = chromium.page("/messages/bert/", anna)
    Session.objects.all().delete()
    page.get_by_label("Message to Bert").fill("Half a page of words")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("You were signed out.")
    expect(page.get_by_label("Message to Bert")).to_have_value("Half a page of words")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert not Message.objects.exists() and in_every_look(page) == []
    page.reload()  # leads to signing in
    name, value = session_cookie(anna).split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": chromium.url}])
    chromium.go(page, "/messages/bert/")
    expect(page.get_by_label("Message to Bert")).to_have_value("Half a page of words")
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".talk-line.mine")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Message to Bert")).to_have_value("")
    assert Message.objects.get().body == "Half a page of words"
    # The server refused what it should, and said so to the console.
    expected = re.compile(r"status of 403")
    chromium.complaints[:] = [text for text in chromium.complaints if not expected.search(text)]


def test_without_script(chromium: Chromium) -> None:
    anna, bert = friends()
    say(bert, anna, "Hello Anna")
    page = chromium.page("/messages/", anna, java_script_enabled=False, viewport=PHONE)
    page.get_by_role("link", name="Bert", exact=True).click()
    page.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_role("link", name="Messages", exact=True)).to_be_visible()
    page.get_by_label("Message to Bert").fill("Hello Bert")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".talk-line.mine")).to_be_in_viewport()
    page.locator(".talk-line:not(.mine) summary").click()
    page.get_by_role("link", name="Report this message").click()
    page.get_by_label("What happened?").select_option("spam_or_fraud")
    page.get_by_label("As far as I know").check()
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("heading", name="We received it")).to_be_visible()


def test_a_message_that_arrives_leaves_the_queue_of_hands_as_it_is(chromium: Chromium) -> None:
    """Hands that were raised since the page was loaded stay in the host's list."""
    anna, bert = friends()
    Creator.objects.create(user=anna, added_at=timezone.now())
    room = open_room(anna, speak_policy="invited")
    host = chromium.room(room, anna)
    for handle in ("cas", "dee"):
        actions.raise_hand(room.pk, consented(person(handle), room))
    hands = host.locator("[data-hands] li[data-user]")
    expect(hands).to_have_count(2)
    say(bert, anna, "Now")
    expect(host.get_by_role("link", name="Messages, 1 unread")).to_be_visible(timeout=SOON)
    expect(hands).to_have_count(2)


def test_messages_while_in_a_room(chromium: Chromium) -> None:
    """The room's own line says how many are unread: there is no second one; and its card leads to a conversation."""
    room, (anna, bert) = open_room(), friends()
    seated("cas", room)
    say(bert, anna, "Before")
    context = chromium.context(anna, viewport={"width": 320, "height": 700})
    page = context.new_page()
    chromium.listen_to(page)
    lines: list[str] = []
    page.on("websocket", lambda line: lines.append(line.url))
    chromium.go(page, room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    expect(page.get_by_role("link", name="Messages, 1 unread")).to_be_visible()
    assert not overflow(page)
    page.evaluate(WATCH)
    say(bert, anna, "Now")
    expect(page.get_by_role("link", name="Messages, 2 unread")).to_be_visible(timeout=SOON)
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    for text in ("And", "then", "some"):
        say(bert, anna, text)
    heard(page, "Messages, 5 unread")
    assert page.evaluate("told.filter((one) => one.includes('unread')).length") <= 4
    assert [re.sub(r"\?.*", "", line) for line in lines] == [
        f"{chromium.url.replace('http', 'ws')}/ws/rooms/{room.slug}/"
    ]
    write = open_card(page, "cas").get_by_role("link", name="Write a message")
    expect(write).to_have_attribute("href", "/messages/@cas/#id_body")


def test_pages_of_messages_are_for_everybody(chromium: Chromium) -> None:
    """In every look and both languages, with words wider than a phone."""
    anna, bert = friends()
    User.objects.filter(pk=bert.pk).update(display_name=LONG[:60])
    page = chromium.page("/messages/", anna)
    wrong = [f"empty: {text}" for text in in_every_look(page)]
    first = say(bert, anna, f"{LONG}\n\nA second line of it, of many words, so that it goes on and on to the edge.")
    say(anna, bert, LONG)
    with transaction.atomic():
        sent = send_official([anna], PUBLICATION, {"room": 1, "by": 1, "at": "2026-11-26T12:00:00+00:00"})
    deliver_messages([message.pk for message in sent])
    paths = ("/messages/", "/messages/bert/", "/messages/bert/delete/", "/messages/official/")
    for language, look in (("en", in_every_look), ("nl", in_every_size)):
        User.objects.update(language=language)
        for path in (*paths, f"/messages/bert/{first.pk}/report/", "/settings/"):
            chromium.go(page, path)
            wrong += [f"{path}, {language}: {text}" for text in look(page)]
            resize(page, 320, 700)
            wrong += [f"{path}, {language}, 320 px: {text}" for text in overflow(page)]
    assert not wrong, "\n".join(wrong)
