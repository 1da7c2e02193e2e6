"""The bar of staff on a room's page, in a browser. The app that knows cases is played by the test: it writes the
reader's part of each snapshot, and answers the end of the room."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from django.conf import settings
from playwright.sync_api import Page, Request, Route, WebSocketRoute, expect

from core.joined_files import ESBUILD
from rooms import actions
from rooms.models import Room
from rooms.wire.sides import tell_staff
from tests.e2e.browser import Chromium, in_every_look
from tests.support.people import person
from tests.support.rooms import open_room
from tests.support.staff import may_see_cases

END = "/case/7/end-room/"


def with_case(page: Page, part: dict[str, Any]) -> None:
    """Give every snapshot that reaches the page this part, as it is then."""

    def pass_on(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def changed(text: str | bytes) -> None:
            message = json.loads(text)
            if message.get("type") == "snapshot":
                message["you"]["parts"]["staff"] = part
            line.send(json.dumps(message))

        server.on_message(changed)

    page.route_web_socket("**/ws/rooms/**", pass_on)


def test_a_moderator_opens_the_case_and_ends_the_room(chromium: Chromium) -> None:
    room = open_room()
    moderator = may_see_cases(person("mod", is_staff=True))
    page = chromium.context(moderator).new_page()
    chromium.listen_to(page)
    part = {"case": "/admin/cases/7/", "report_count": 1, "may_end": True, "end_url": END}
    with_case(page, part)
    asked: list[Request] = []
    refusing = True

    def answer(route: Route) -> None:
        asked.append(route.request)
        body = {"error": {"code": "claimed", "text": "Somebody else has this case."}} if refusing else {"url": "/w/"}
        route.fulfill(status=200 if not refusing else 409, json=body)

    page.route(f"**{END}", answer)
    chromium.go(page, room.get_absolute_url())
    bar = page.get_by_role("region", name="Trust and safety")
    expect(bar).to_contain_text("1 report.")
    expect(bar.get_by_role("link", name="Open the case")).to_have_attribute("href", "/admin/cases/7/")
    part["report_count"] = 3
    tell_staff({"type": "report_received", "room": room.slug, "data": {"urgent": False, "case": 7}})
    expect(bar).to_contain_text("3 reports.", timeout=2_000)
    assert in_every_look(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("End this room (asks first)")
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.get_by_role("dialog", name="End this room?").get_by_role("button", name="Not now").click()
    assert asked == [] and Room.objects.get(pk=room.pk).is_live
    bar.get_by_role("button", name="End this room").click()
    chromium.complaints.clear()
    page.get_by_role("button", name="End room").last.click()
    expect(page.locator("[data-notice]")).to_contain_text("Somebody else has this case.")
    chromium.complaints.clear()  # of the 409
    refusing = False
    bar.get_by_role("button", name="End this room").click()
    page.get_by_role("button", name="End room").last.click()
    expect(bar).to_contain_text("within 24 hours")
    assert [one.method for one in asked] == ["POST", "POST"] and asked[0].headers["x-csrftoken"]
    actions.end_room(room.pk, room.host)
    expect(bar.get_by_role("link", name="Write down rule and facts")).to_have_attribute("href", "/w/")
    expect(bar.get_by_role("button", name="End this room")).to_be_hidden()


def test_nobody_else_has_the_bar(chromium: Chromium) -> None:
    room = open_room()
    for user in (None, person("ada"), person("carl", is_staff=True)):
        expect(chromium.room(room, user).locator("[data-staff]")).to_have_count(0)
    refused = chromium.page(f"{room.get_absolute_url()}?staff=1", person("bert", is_staff=True), expect=403)
    expect(refused.get_by_role("main")).to_contain_text("You cannot listen to this room as staff")


def bundled(module: str) -> str:
    """A module of ours with all that it imports, as an expression of what it exports. Pages have no module by name."""
    command = [str(ESBUILD), f"static/js/{module}.js", "--bundle", "--format=iife", "--global-name=made"]
    text = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True).stdout
    return f"(() => {{ {text} return made; }})()"


def test_pages_of_the_console_hear_staff_messages(chromium: Chromium) -> None:
    moderator = may_see_cases(person("mod", is_staff=True))
    page, other = chromium.page("/", moderator), chromium.page("/", person("ada"))
    listen = """(types) => {
      const live = MODULE;
      const hear = (message) => (document.querySelector("h1").textContent += ` ${message.type}`);
      document.querySelector("h1").textContent = "Heard:";
      for (const type of types) live.onStaffMessage(type, hear);
    }""".replace("MODULE", bundled("console/live"))
    for one in (page, other):
        one.evaluate(listen, ["resync", "report_received", "case_changed", "ended"])
    heard = page.locator("h1")
    expect(heard).to_have_text("Heard: resync")
    expect(other.locator("h1")).to_have_text("Heard: ended")
    tell_staff({"type": "case_changed", "room": "", "data": {"case": 7}})
    expect(heard).to_have_text("Heard: resync case_changed", timeout=2_000)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(heard).to_have_text("Heard: resync case_changed resync")
    tell_staff({"type": "case_changed", "room": "", "data": {"case": 7}})
    expect(heard).to_have_text("Heard: resync case_changed resync case_changed")
    expect(other.locator("h1")).to_have_text("Heard: ended")
