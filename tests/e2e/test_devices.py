"""Microphones that change while one talks, and connections that get weak or break, in browsers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from people.models import User
from rooms.models import Room, Seat
from tests.e2e.browser import PHONE, Chromium, axe, in_every_look, overflow, resize, sit_down_and_speak, start_sound
from tests.rooms.media.listeners import speaking_handles
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room, seated
from tests.support.waiting import wait_until

# Keeps the page's connections, so that a test sees which microphone is sent and has them tell of trouble.
PEERS = """
window.peers = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(config) { super(config); window.peers.push(this); }
};
"""
SENT = """() => {
  const connected = window.peers.filter((peer) => peer.connectionState === "connected");
  const { track } = connected.at(-1).getSenders()[0];
  return { device: track.getSettings().deviceId, state: track.readyState, open: track.enabled };
}"""
# A router without a network: browsers say nothing of it. `cut` ends the line and all sound; what the page would try by
# itself later on (the waits before sound's next tries) never comes.
ROUTER = """
for (const kind of ["online", "offline"]) addEventListener(kind, (event) => event.stopImmediatePropagation());
window.lines = [];
window.withheld = 0;
const Line = window.WebSocket;
window.WebSocket = class extends Line {
  constructor(url) { super(url); window.lines.push(this); }
};
const soon = window.setTimeout;
window.setTimeout = (work, ms, ...more) => {
  const waits = ms >= 500 && /=== ?this\\.#\\w+ ?&&/.test(String(work)); // "if it is still my run": files are joined
  window.withheld += waits;
  return waits ? 0 : soon(work, ms, ...more);
};
window.cut = () => {
  window.lines.at(-1).close();
  for (const peer of window.peers.filter((one) => one.connectionState === "connected")) {
    Object.defineProperty(peer, "connectionState", { get: () => "failed" });
    peer.dispatchEvent(new Event("connectionstatechange"));
  }
};
"""
IS_HEARD = """() => window.peers.some((peer) => peer.connectionState === "connected")"""
# The device is unplugged: the browser ends the track, and lists it no more.
UNPLUG = """() => {
  const { track } = window.peers.flatMap((peer) => peer.getSenders()).findLast((sender) => sender.track);
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""
# A microphone that takes its time, as on a phone that asks its system, and how often it was opened.
SLOWLY = """
window.opened = 0;
const openAtOnce = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.opened += 1;
  await new Promise((done) => setTimeout(done, 1500));
  return openAtOnce(wanted);
};
"""
NONE_LEFT = """() => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("none", "NotFoundError"));
}"""
# What the page's connections tell from now on: `window.lost` is the share of what is sent that gets lost.
TELL = """(share) => {
  window.lost = share;
  if (window.told) return;
  window.told = { at: performance.now(), sent: 0, lost: 0 };
  RTCPeerConnection.prototype.getStats = async () => {
    const { told } = window;
    const sent = Math.floor((performance.now() - told.at) / 20);
    told.lost += (sent - told.sent) * window.lost;
    told.sent = sent;
    return new Map([
      ["sent", { type: "outbound-rtp", packetsSent: sent }],
      ["lost", { type: "remote-inbound-rtp", packetsLost: told.lost, roundTripTime: 0.05, jitter: 0 }],
    ]);
  };
}"""
# The page measures its connection each second instead of every five: still fifty packets.
SOONER = """
const every = window.setInterval;
window.setInterval = (work, ms, ...more) => every(work, ms === 5000 ? 1000 : ms, ...more);
"""


def in_the_room(
    chromium: Chromium,
    room: Room,
    *scripts: str,
    user: User | None = None,
    line: Callable[[WebSocketRoute], None] | None = None,
    **options: Any,
) -> Page:
    """A room's page with sound, and with scripts that run before its own; `line` stands between it and the server."""
    context = chromium.context(user, **options)
    if line:
        context.route_web_socket("**/ws/rooms/**", line)
    for script in (PEERS, *scripts):
        context.add_init_script(script)
    page = context.new_page()
    chromium.listen_to(page)
    chromium.go(page, room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    start_sound(page)
    return page


def at_the_table(chromium: Chromium, *scripts: str, **options: Any) -> tuple[Room, Page]:
    room = open_room()
    page = in_the_room(chromium, room, *scripts, user=person("ada"), **options)
    sit_down_and_speak(page)
    return room, page


def test_another_microphone_while_one_talks(live_sound: Site, chromium: Chromium) -> None:
    room, page = at_the_table(chromium, viewport=PHONE)
    before = page.evaluate(SENT)
    assert before["open"] and before["state"] == "live"
    opener = page.get_by_role("button", name="Choose the microphone")
    opener.focus()
    page.keyboard.press("Enter")
    choice = page.get_by_label("Your microphone", exact=True)
    expect(choice).to_be_visible()
    assert in_every_look(page) == []
    resize(page, **PHONE)
    expect(choice).to_be_focused()
    known = choice.locator("option").evaluate_all("all => all.map((one) => one.value)")
    other = known[known.index(before["device"]) + 1]
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("You speak through")
    after = page.evaluate(SENT)
    assert after == {"device": other, "state": "live", "open": True}
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.locator('[data-do="mute"]').click()
    expect(page.locator('[data-do="unmute"]')).to_be_visible()
    opener.click()
    choice.select_option(before["device"])
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("You speak through")
    assert page.evaluate(SENT) == {**before, "open": False}, "a closed microphone stays closed"
    seat = Seat.objects.get(room=room, user__handle="ada", left_at=None)

    def is_muted() -> bool:
        seat.refresh_from_db()
        return seat.muted

    wait_until(is_muted, 60, "a microphone that the server knows to be closed")
    assert not page.evaluate(SENT)["open"], "and it is still closed once the server said so"


def test_a_microphone_that_vanishes(live_sound: Site, chromium: Chromium) -> None:
    _room, page = at_the_table(chromium)
    page.evaluate(UNPLUG)
    expect(page.locator("[data-notice]")).to_contain_text("Your microphone is gone. You go on through")
    expect(page.locator('[data-do="mute"]')).to_be_visible()
    sent = page.evaluate(SENT)
    assert sent["state"] == "live" and sent["open"]
    page.evaluate(NONE_LEFT)
    page.evaluate(UNPLUG)
    expect(page.locator("[data-notice]")).to_contain_text("Your microphone stopped.")
    expect(page.locator('[data-do="unmute"]')).to_be_visible()


def test_a_microphone_connects_once_however_often_it_is_asked_for(live_sound: Site, chromium: Chromium) -> None:
    """Back at the table after a reload: the first click, which lets sound start, is one on Unmute."""
    room, page = at_the_table(chromium, SLOWLY)
    page.reload()
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    unmute = page.locator('[data-do="unmute"]')
    unmute.click()
    page.keyboard.press("m")
    unmute.click()
    expect(page.locator('[data-do="mute"]')).to_be_visible(timeout=30_000)
    page.wait_for_timeout(2000)  # a second connection would be made by now
    connections = page.evaluate("() => window.peers.filter((peer) => peer.getSenders().length).length")
    assert (page.evaluate("() => window.opened"), connections) == (1, 1)
    assert page.evaluate(SENT)["open"] and len(speaking_handles(room.pk)) == 1


def test_a_later_snapshot_leaves_sound_that_is_connecting_as_it_is(live_sound: Site, chromium: Chromium) -> None:
    """It comes while the page waits for the answer to its offer; the line was open all the time."""
    offers: list[str | bytes] = []

    def ask_in_between(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def go(text: str | bytes) -> None:
            if json.loads(text).get("do") != "speak_offer":
                return server.send(text)
            offers.append(text)
            return server.send(json.dumps({"id": 1_000_000, "do": "snapshot"}))

        def come(text: str | bytes) -> None:
            line.send(text)
            if offers and json.loads(text).get("type") == "snapshot":
                server.send(offers[-1])

        line.on_message(go)
        server.on_message(come)

    room, page = at_the_table(chromium, line=ask_in_between)
    page.wait_for_timeout(2000)  # a second one would be made by now
    assert len(offers) == 1
    assert page.evaluate(SENT)["open"] and len(speaking_handles(room.pk)) == 1


def test_a_weak_connection_is_said_to_the_person_and_the_host(live_sound: Site, chromium: Chromium) -> None:
    room, page = at_the_table(chromium, SOONER)
    bert = seated("bert", room)
    host = chromium.room(room, room.host, viewport=PHONE)
    other, listener = chromium.room(room, bert), chromium.room(room)
    mark = ".seat[data-user=ada] .seat-net"
    page.evaluate(TELL, 0.5)
    expect(page.locator("[data-notice]")).to_contain_text("others hear you only in parts", timeout=60_000)
    expect(host.locator(mark)).to_be_visible(timeout=60_000)
    expect(host.locator(".seat[data-user=ada] .seat-who")).to_have_accessible_name(re.compile("bad connection$"))
    for elsewhere in (other, listener):
        expect(elsewhere.locator(mark)).to_be_hidden()
        elsewhere.close()
    host.locator(".seat[data-user=ada] .seat-who").click()
    expect(host.locator("[data-person-quality]")).to_contain_text("Bad connection: others hear only parts.")
    assert in_every_look(host) == [] and axe(page) == [] and overflow(page) == []
    page.evaluate(TELL, 0)
    expect(host.locator(mark)).to_be_hidden(timeout=120_000)
    expect(page.locator("[data-notice]")).not_to_contain_text("others hear you only in parts")


def test_sound_is_back_with_the_line(live_sound: Site, chromium: Chromium) -> None:
    """A router without a network, of which the browser says nothing: a speaker and a listener connect the moment that
    their line to the room is back, however long the wait for the next try would have been."""
    room, page = at_the_table(chromium, ROUTER)
    listener = in_the_room(chromium, room, ROUTER)
    for each in (page, listener):
        each.wait_for_function(IS_HEARD, timeout=60_000)
        each.context.set_offline(True)
        each.evaluate("() => window.cut()")
    for each in (page, listener):
        expect(each.locator("[data-live]")).to_have_text("Not connected")
    page.wait_for_timeout(3000)  # the tries that come at once have failed by then
    assert page.evaluate("() => window.withheld") > 0, "a try that would have come by itself"
    for each in (page, listener):
        assert not each.evaluate(IS_HEARD)
        each.context.set_offline(False)
    for each in (page, listener):
        expect(each.locator("[data-live]")).to_have_text("Live", timeout=60_000)
        each.wait_for_function(IS_HEARD, timeout=60_000)
    sent = page.evaluate(SENT)
    assert sent["state"] == "live" and sent["open"]
    expect(page.locator('[data-do="mute"]')).to_be_visible()
    chromium.complaints[:] = [text for text in chromium.complaints if "ERR_INTERNET_DISCONNECTED" not in text]
