"""The stage with real voices in browsers: what the buttons of a page do is judged by what others play, and of whom."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rooms import actions
from rooms.models import Seat
from tests.e2e.browser import Chromium, sit_down_and_speak, start_sound
from tests.e2e.conftest import watched
from tests.e2e.hearing import ABSENT, LOOK, PRESENT, PageEar, microphone_of, wait_playing
from tests.e2e.test_devices import PEERS
from tests.e2e.test_host_menu import heard, press_on_card
from tests.e2e.test_manners import WATCH
from tests.e2e.test_room import open_card
from tests.e2e.test_two_pages import SILENT, another, is_quiet, speaks
from tests.rooms.media.listeners import speaking_handles
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room, seated
from tests.support.voices import Voice
from tests.support.waiting import say

pytestmark = pytest.mark.alone

AT_ONCE = 20.0  # seconds; half a second where nothing else runs: a busy machine has seconds of sound in its buffers
SETTLE = 1.0  # seconds at both ends of a time in which nothing may be heard
UNBROKEN = 2.0  # seconds; a tenth where little else runs, 1.3 where two cores have the work of thirty
INSISTS = 4  # times, a second apart: acts have a limit
# From now on the page's microphone is open to WebRTC, whatever the page does about it.
FORCE_OPEN = """() => {
  window.forcing = setInterval(() => {
    for (const peer of window.peers) for (const { track } of peer.getSenders()) if (track) track.enabled = true;
  }, 20);
}"""
LEAVE_BE = "() => clearInterval(window.forcing)"
# The energy, a sum over time, of what the page's microphone gave to WebRTC.
ENERGY = """async () => {
  const connected = window.peers.filter((peer) => peer.connectionState === "connected");
  const stats = [...(await connected.at(-1).getStats()).values()];
  return stats.find((one) => one.type === "media-source").totalAudioEnergy;
}"""


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The site that tests share. Nothing in the log of its web process may be a failure of ours."""
    yield from watched(lent_site)


class Evening:
    """A host and a guest whose microphones speak, a co-host to be, who says nothing, and one who listens."""

    def __init__(self, chromium: Chromium, folder: Path) -> None:
        self.chromium = chromium
        chromium.within = 60_000
        self.room = open_room(transcription=False)
        self.cora = seated("cora", self.room)
        actions.set_speak_policy(self.room.pk, self.room.host, "invited")
        self.voices = {"host": Voice("0870"), "ada": Voice("6930-75918-0000")}
        browsers = {name: chromium.with_microphone(microphone_of(voice, folder)) for name, voice in self.voices.items()}
        self.host = chromium.room(self.room, self.room.host, browser=browsers["host"])
        sit_down_and_speak(self.host)
        self.new_host = chromium.room(self.room, self.cora)
        self.near = chromium.room(self.room)
        start_sound(self.near)
        wait_playing(self.near, 15)
        assert self.near.evaluate("() => document.querySelector('[data-sound]').srcObject !== null"), "not WebRTC"
        self.ear = PageEar(self.near)
        self.context = chromium.context(person("ada"), browser=browsers["ada"])
        self.context.add_init_script(PEERS)
        self.guest = another(chromium, self.context, self.room)
        self.guest.evaluate(WATCH)

    def seat(self) -> Seat:
        """The guest's."""
        return Seat.objects.get(room=self.room, user__handle="ada", left_at=None)

    def mute_host(self) -> None:
        """So that what is heard is the guest, or silence."""
        self.host.locator('[data-do="mute"]').click()
        expect(self.host.locator('[data-do="unmute"]')).to_be_visible()

    def unmute_host(self) -> None:
        self.host.locator('[data-do="unmute"]').click()
        expect(self.host.locator('[data-do="mute"]')).to_be_visible()

    # --- the story --------------------------------------------------------------------------------------------------

    def a_hand_is_let_up(self) -> None:
        """By the hand's own page and the host's; not heard until the microphone is open."""
        host, guest, voice = self.host, self.guest, self.voices["ada"]
        start_sound(guest)
        guest.get_by_role("button", name="Raise hand").click()
        guest.locator("[data-check-consent]").check()
        guest.locator("[data-check-go]").click()
        expect(host.locator('[data-do="hands"]')).to_have_text("1 hand")
        host.locator("[data-hands]").get_by_role("button", name="Let the next one up").click()
        unmute = guest.locator('[data-do="unmute"]')
        expect(unmute).to_be_visible()
        self.ear.hear(self.voices["host"])
        before = self.ear.level(voice, time.time() - LOOK)
        pressed = time.time()
        unmute.click()
        expect(guest.locator('[data-do="mute"]')).to_be_visible(timeout=30_000)
        took = self.ear.hear(voice, since=pressed) - pressed
        after = self.ear.level(voice, pressed)
        say(f"let up: {before:.0f} dB before, then {after:.0f}, known {took:.1f} s after Unmute (2 s of sound)")
        assert before < ABSENT and after > PRESENT
        self.ear.hear(*self.voices.values(), since=pressed)

    def policies_cut_nobody(self) -> None:
        host, since = self.host, time.time()
        form = host.locator("[data-speak-form]")
        handles = speaking_handles(self.room.pk)
        for policy in ("followed", "everyone"):
            host.locator("#speak-policy").select_option(policy)
            form.get_by_role("button", name="Change").click()
            if policy == "followed":
                sheet = host.get_by_role("dialog", name="What about those who sit at the table already?")
                expect(sheet.get_by_role("listitem")).to_have_count(2)
                sheet.get_by_role("button", name="They stay").click()
                expect(host.locator("[data-speak]")).to_have_text("People Host follows.")
        expect(self.near.locator("[data-speak]")).to_have_text("Everyone with an account, as long as a chair is free.")
        self.goes_on("two policies", since, handles)

    def goes_on(self, what: str, since: float, handles: set[int]) -> None:
        """Both have been heard since then, by the same connections."""
        until = self.ear.hear(*self.voices.values(), since=since)
        gap = self.ear.longest_gap(since, until)
        levels = [self.ear.level(voice, since, until) for voice in self.voices.values()]
        say(f"{what}: longest gap {gap:.2f} s, host {levels[0]:.0f} dB, guest {levels[1]:.0f}")
        assert gap < UNBROKEN
        assert speaking_handles(self.room.pk) == handles

    def a_mute_is_held(self) -> None:
        """The guest's page sends on, and asks by its button, by key, and by the verb that the button hides."""
        guest, ear = self.guest, self.ear
        self.mute_host()
        ear.hear(self.voices["ada"], since=time.time())
        open_card(self.host, "ada")
        held_at = time.time()
        self.host.locator("#person-sheet").get_by_role("button", name="Keep muted", exact=True).click()
        say(f"held: something heard for {ear.be_silent(held_at, AT_ONCE):.1f} s")
        silent_from = time.time()
        expect(guest.locator('[data-do="held"]')).to_be_visible()
        guest.evaluate(FORCE_OPEN)
        energy = float(guest.evaluate(ENERGY))
        for _try in range(INSISTS):
            guest.locator('[data-do="held"]').click()
            guest.keyboard.press("m")
            guest.evaluate("() => document.querySelector('[data-do=unmute]').click()")
            guest.wait_for_timeout(1000)
        heard(guest, "The host keeps your microphone off for now.")
        sent = float(guest.evaluate(ENERGY)) - energy
        loud = [round(at - held_at, 1) for at in ear.moments(silent_from, time.time())["loud"]]
        say(f"held: the page sent {sent:.3f} of sound's energy in {time.time() - silent_from:.1f} s, heard at {loud}")
        is_held = self.seat().mute_held
        guest.evaluate(LEAVE_BE)
        press_on_card(self.host, "ada", "Let them speak again")
        unmute = guest.locator('[data-do="unmute"]')
        expect(unmute).to_be_visible()
        lifted = time.time()
        unmute.click()
        say(f"lifted: sound {ear.first_sound(lifted):.1f} s after Unmute")
        ear.hear(self.voices["ada"], since=lifted)
        assert sent > 0.005 and not loud and is_held

    def a_second_tab_takes_the_microphone(self) -> None:
        ear, voice, first = self.ear, self.voices["ada"], self.guest
        handles = speaking_handles(self.room.pk)
        second = another(self.chromium, self.context, self.room)
        is_quiet(second)
        speaks(first)
        pressed = time.time()
        second.locator('[data-do="speak_here"]').click()
        speaks(second)
        is_quiet(first)
        expect(first.get_by_text(SILENT)).to_be_visible()
        ear.hear(voice, since=pressed)
        second.wait_for_timeout(1000)
        say(f"another tab: longest gap {ear.longest_gap(pressed, time.time()):.1f} s")
        # Once in the mix: by handles, since a browser changes the loudness of a microphone by more than twice.
        assert len(speaking_handles(self.room.pk)) == len(handles)
        states = first.evaluate("() => window.peers.map((peer) => peer.connectionState)")
        assert set(states) == {"closed"}, states


def test_a_guest_on_stage_from_the_hand_to_another_tab(web: Site, chromium: Chromium, tmp_path: Path) -> None:
    began = time.time()
    evening = Evening(chromium, tmp_path)
    evening.a_hand_is_let_up()
    evening.policies_cut_nobody()
    evening.a_mute_is_held()
    evening.a_second_tab_takes_the_microphone()
    say(f"all in {time.time() - began:.0f} s")
