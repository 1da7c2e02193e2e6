"""The stage with real voices in browsers: what the buttons of a page do is judged by what others play, and of whom."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from rooms import actions
from rooms.models import HandOver, Room, Seat
from tests.e2e.browser import Chromium, sit_down_and_speak, start_sound
from tests.e2e.hearing import ABSENT, LOOK, PRESENT, PageEar, ending, microphone_of, wait_playing
from tests.e2e.test_devices import PEERS
from tests.e2e.test_host_menu import heard, press_on_card
from tests.e2e.test_manners import WATCH
from tests.e2e.test_removals_page import OUT
from tests.e2e.test_room import open_card, seat_of
from tests.e2e.test_two_pages import SILENT, another, is_quiet, speaks
from tests.rooms.media.listeners import WITHIN, files_of, speaking_handles
from tests.support.outages import no_packets, other_network
from tests.support.people import person
from tests.support.processes import Site, watched
from tests.support.rooms import open_room, seated
from tests.support.voices import SILENCE, Voice, longest_silence, loudest, recorded_sound
from tests.support.waiting import say, wait_until

pytestmark = pytest.mark.alone

AT_ONCE = 20.0  # seconds; half a second where nothing else runs: a busy machine has seconds of sound in its buffers
SETTLE = 1.0  # seconds at both ends of a time in which nothing may be heard
UNBROKEN = 2.0  # seconds of silence in a track, which a busy machine does not lengthen: a tenth
INSISTS = 4  # times, a second apart: acts have a limit
OUTAGE = 10.0  # seconds without network
NO_RING = 8.0  # seconds until a seat whose packets cease no longer talks; Janus waits two for a packet
BACK = 5.0  # seconds from the network's return until there is sound
GRACE = 8  # seconds that a room waits for its host
NO_LINE = re.compile(r"net::ERR_|WebSocket connection to .* failed")  # what Chromium says of a lost network
# From now on the page's microphone is open to WebRTC, whatever the page does about it.
FORCE_OPEN = """() => {
  window.forcing = setInterval(() => {
    for (const peer of window.peers) for (const { track } of peer.getSenders()) if (track) track.enabled = true;
  }, 20);
}"""
PEERS_SO_FAR = "() => window.peers.length"
HAS_ANOTHER = "(before) => window.peers.length > before && window.peers.at(-1).connectionState === 'connected'"
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
        self.browsers = {
            name: chromium.with_microphone(microphone_of(voice, folder)) for name, voice in self.voices.items()
        }
        # When the steps were that the recording is searched for; when whom was to be heard without a break.
        self.times: dict[str, tuple[float, float]] = {}
        self.unbroken: list[tuple[str, float, float]] = []
        self.host = chromium.room(self.room, self.room.host, browser=self.browsers["host"])
        sit_down_and_speak(self.host)
        self.new_host = chromium.room(self.room, self.cora)
        self.near = chromium.room(self.room)
        start_sound(self.near)
        wait_playing(self.near, 15)
        assert self.near.evaluate("() => document.querySelector('[data-sound]').srcObject !== null"), "not WebRTC"
        self.ear = PageEar(self.near)
        self.context = chromium.context(person("ada"), browser=self.browsers["ada"])
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
        before = self.ear.settled_level(voice, time.time() - LOOK)
        pressed = time.time()
        unmute.click()
        expect(guest.locator('[data-do="mute"]')).to_be_visible(timeout=30_000)
        took = self.ear.hear(voice, since=pressed) - pressed
        after = self.ear.level(voice, pressed)
        say(f"let up: {before:.0f} dB before, then {after:.0f}, known {took:.1f} s after Unmute (2 s of sound)")
        assert before < ABSENT
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
        self.unbroken += [(name, since, until) for name in self.voices]
        # Others may come: the co-host's microphone connects, closed, with the first click on her page.
        assert handles <= speaking_handles(self.room.pk)

    def a_mute_is_held(self) -> None:
        """The guest's page sends on and insists, and does so again once its connections have ended by themselves."""
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
        energy = self.insist()
        away, peers = self.near.locator(f"{seat_of('ada')}.away"), guest.evaluate(PEERS_SO_FAR)
        with self.noisy():
            with other_network(self.context):
                expect(away).to_have_count(1)
            expect(away).to_have_count(0, timeout=60_000)
            guest.wait_for_function(HAS_ANOTHER, arg=peers, timeout=60_000)
        again = self.insist()
        loud = [round(at - held_at, 1) for at in ear.moments(silent_from, time.time())["loud"]]
        say(f"held: sent {energy:.3f} of sound's energy, {again:.3f} by another network, heard at {loud}")
        is_held = self.seat().mute_held
        guest.evaluate(LEAVE_BE)
        press_on_card(self.host, "ada", "Let them speak again")
        unmute = guest.locator('[data-do="unmute"]')
        expect(unmute).to_be_visible()
        lifted = time.time()
        unmute.click()
        say(f"lifted: sound {ear.first_sound(lifted):.1f} s after Unmute")
        ear.hear(self.voices["ada"], since=lifted)
        assert min(energy, again) > 0.005 and not loud and is_held

    def insist(self) -> float:
        """Try to be heard although held: by button, by key, and by the verb that the button hides. Returns the energy
        of the sound that the page sent meanwhile."""
        before = float(self.guest.evaluate(ENERGY))
        for _try in range(INSISTS):
            self.guest.locator('[data-do="held"]').click()
            self.guest.keyboard.press("m")
            self.guest.evaluate("() => document.querySelector('[data-do=unmute]').click()")
            self.guest.wait_for_timeout(1000)
        heard(self.guest, "The host keeps your microphone off for now.")
        return float(self.guest.evaluate(ENERGY)) - before

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
        self.guest = second

    def ten_seconds_without_network(self) -> None:
        """The guest's seat no longer talks, nothing is heard of it, and it is as it was afterwards."""
        ear, near, before = self.ear, self.near, self.seat()
        rings = near.locator(f"{seat_of('ada')}.talking")
        expect(rings).to_have_count(1)
        lost_at = time.time()
        with self.noisy():
            with no_packets(self.browsers["ada"]):
                expect(rings).to_have_count(0, timeout=NO_RING * 1000)
                rang = time.time() - lost_at
                quiet = ear.be_silent(lost_at, OUTAGE)
                near.wait_for_timeout(max(0.0, lost_at + OUTAGE - time.time()) * 1000)
                assert not ear.moments(lost_at + quiet + SETTLE, time.time())["loud"]
            back_at = time.time()
            first = ear.first_sound(back_at)
            known = ear.hear(self.voices["ada"], since=back_at) - back_at
        say(f"no network: talks for {rang:.1f} s, heard for {quiet:.1f}; back: {first:.1f}, known after {known:.1f} s")
        speaks(self.guest)
        expect(rings).to_have_count(1)
        expect(near.locator(f"{seat_of('ada')}.away")).to_have_count(0)
        now = self.seat()
        assert (now.pk, now.place, now.mic_page, now.muted) == (before.pk, before.place, before.mic_page, False)
        assert first < BACK
        self.times["outage"] = lost_at + quiet + SETTLE, back_at

    @contextmanager
    def noisy(self) -> Iterator[None]:
        """Forgive pages what they say in their consoles about a network that is not there."""
        known = len(self.chromium.complaints)
        yield
        complaints = self.chromium.complaints
        complaints[known:] = [text for text in complaints[known:] if not NO_LINE.search(text)]

    def the_host_is_gone_and_comes_back(self) -> None:
        """The co-host gets the room, while the guest speaks on, and gives it back."""
        self.unmute_host()
        self.ear.hear(*self.voices.values(), since=time.time())
        press_on_card(self.host, "cora", "Make co-host")
        self.confirm(self.host, "Make Cora co-host?", "Make co-host")
        handles = speaking_handles(self.room.pk)
        gone_at = time.time()
        self.host.close()
        wait_until(self.host_is_missed, WITHIN, "a host who is missed", 1.0)
        expect(self.near.get_by_text("A co-host becomes host at")).to_be_visible()
        wait_until(self.is_handed_over, WITHIN, "a hand-over", 1.0)
        took = time.time() - gone_at
        expect(self.near.locator(".hosted")).to_have_text("Hosted by Cora @cora")
        expect(self.new_host.get_by_role("button", name="End room")).to_be_visible()
        until = self.ear.hear(self.voices["ada"], since=time.time() - LOOK)
        gap, level = self.ear.longest_gap(gone_at, until), self.ear.settled_level(self.voices["host"], until - LOOK)
        say(f"the host gone: handed over after {took:.1f} s, guest with a gap of {gap:.2f} s, host at {level:.0f} dB")
        assert HandOver.objects.get(room=self.room).reason == "host_gone" and took > GRACE
        assert level < ABSENT
        assert speaking_handles(self.room.pk) < handles
        self.times["gone"] = gone_at, until
        self.unbroken.append(("ada", gone_at, until))
        self.the_room_goes_back()

    def the_room_goes_back(self) -> None:
        before = len(speaking_handles(self.room.pk))
        self.host = another(self.chromium, self.host.context, self.room)
        expect(self.host.get_by_role("button", name="End room")).to_have_count(0)
        self.host.mouse.click(5, 300)  # some browsers want one before there is sound
        wait_until(lambda: len(speaking_handles(self.room.pk)) > before, WITHIN, "the host's microphone, closed")
        self.unmute_host()
        self.ear.hear(self.voices["host"], since=time.time())
        handles, since = speaking_handles(self.room.pk), time.time()
        press_on_card(self.new_host, "host", "Make host")
        self.confirm(self.new_host, "Make Host the host?", "Make host")
        expect(self.near.locator(".hosted")).to_have_text("Hosted by Host @host")
        expect(self.host.get_by_role("button", name="End room")).to_be_visible()
        self.goes_on("the room given back", since, handles)

    def confirm(self, page: Page, question: str, answer: str) -> None:
        page.get_by_role("dialog", name=question).get_by_role("button", name=answer, exact=True).click()

    def host_is_missed(self) -> bool:
        actions.sweep_rooms()  # as beat has it done
        return Room.objects.get(pk=self.room.pk).host_lost_at is not None

    def is_handed_over(self) -> bool:
        actions.sweep_rooms()
        return Room.objects.get(pk=self.room.pk).host.handle == "cora"

    def the_guest_is_removed(self) -> None:
        """Both tabs say so and offer no microphone; the host is heard on."""
        self.mute_host()
        self.ear.hear(self.voices["ada"], since=time.time())
        open_card(self.host, "ada").get_by_role("button", name="Remove from the room").click()
        removed_at = time.time()
        self.confirm(self.host, "Remove Ada from the room?", "Remove")
        quiet = self.ear.be_silent(removed_at, AT_ONCE)
        for page in self.context.pages:
            expect(page.get_by_text(OUT)).to_be_visible()
            for gone in ("unmute", "mute", "speak_here", "held"):
                expect(page.locator(f'[data-bar] [data-do="{gone}"]')).to_be_hidden()
        expect(self.near.locator(seat_of("ada"))).to_have_count(0)
        self.unmute_host()
        said = time.time()
        until = self.ear.hear(self.voices["host"], since=said)
        level = self.ear.settled_level(self.voices["ada"], said)
        say(f"removed: heard for {quiet:.1f} s; the host is heard, the guest at {level:.0f} dB")
        assert level < ABSENT
        self.times["removed"] = said, until

    def check_recording(self) -> None:
        """The recording has what was heard: the tracks by seat, the mix of all."""
        files, (gone, until) = files_of(self.room), self.times["gone"]
        # In the mix: what waited in a process that stood still comes late, and has its place in the track.
        away = loudest(recorded_sound(files["mix"], *self.times["outage"]))
        gaps = [longest_silence(recorded_sound(files[name], *times)) for name, *times in self.unbroken]
        absent = loudest(recorded_sound(files["host"], gone + SETTLE, until))
        after = recorded_sound(files["mix"], *self.times["removed"])
        levels = [voice.level(after) for voice in self.voices.values()]
        say(f"recording: {away:.0f} dB without network; longest silence {max(gaps):.2f} s, host gone {absent:.0f} dB")
        say(f"mix after the removal: host {levels[0]:.0f} dB, guest {levels[1]:.0f}")
        assert max(away, absent) < SILENCE and max(gaps) < UNBROKEN
        assert levels[0] > PRESENT and levels[1] < ABSENT


def test_a_guest_on_stage_from_the_hand_to_the_removal(
    web: Site, chromium: Chromium, tmp_path: Path, settings: Any
) -> None:
    settings.ROOM_HOST_GRACE_SECONDS = settings.ROOM_HAND_OVER_SECONDS = GRACE
    began = time.time()
    evening = Evening(chromium, tmp_path)
    evening.a_hand_is_let_up()
    evening.policies_cut_nobody()
    evening.a_mute_is_held()
    evening.a_second_tab_takes_the_microphone()
    evening.ten_seconds_without_network()
    evening.the_host_is_gone_and_comes_back()
    evening.the_guest_is_removed()
    ending(evening.host, [evening.near, evening.new_host], evening.room)
    evening.check_recording()
    say(f"all in {time.time() - began:.0f} s")
