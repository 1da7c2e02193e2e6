"""Real voices through real browsers: spoken into one, heard in others by both ways, understood by Whisper, also after
what they hear by was killed."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from rooms import actions
from rooms.guests.hls_listener import HlsListener
from rooms.guests.visitor import Browser
from rooms.models import Room
from rooms.recording.hls.tickets import NEW_EVERY
from tests.e2e.browser import PHONE, Chromium, sit_down_and_speak, start_sound
from tests.e2e.hearing import ending, wait_playing
from tests.support.people import person
from tests.support.processes import Site, watched
from tests.support.rooms import open_room
from tests.support.services import services
from tests.support.speech import clip, share_of_words, understood
from tests.support.waiting import say

pytestmark = pytest.mark.alone
MOST_WORDS = 0.8  # of all
ONCE_OVER = 9.0  # seconds: more than what is said over and over takes
BY_HLS = "#by-hls"  # at the end of a page's address, by which its complaints are known
STANDS = 6.0  # seconds that a page may stand still on a busy machine; what it has in hand is two
WATCHED = 7.0  # seconds
# The longest time, in seconds, in which the element did not go on.
STOOD = """async (seconds) => {
  const element = document.querySelector("[data-sound]");
  const began = performance.now();
  let [at, since, longest] = [element.currentTime, began, 0];
  while (performance.now() - began < seconds * 1000) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (element.currentTime !== at) [at, since] = [element.currentTime, performance.now()];
    longest = Math.max(longest, performance.now() - since);
  }
  return longest / 1000;
}"""
AWAY = 5.0  # seconds: longer than hls.js tries by itself
AGAIN = 8.0  # seconds from its return until everybody hears
LOST = "The connection was lost"

# What the element plays, itself: who talks is told by web.
LISTEN = """async (seconds) => {
  const element = document.querySelector("[data-sound]");
  const context = new AudioContext();
  await context.resume();
  const ears = new AnalyserNode(context, { fftSize: 2048 });
  const samples = new Float32Array(ears.fftSize);
  const began = performance.now();
  let source = null;
  let heard = null;
  while (heard === null && performance.now() - began < seconds * 1000) {
    const stream = element.srcObject ?? (source?.stream.active ? source.stream : element.captureStream());
    if (source?.stream !== stream && stream.getAudioTracks().length > 0) {
      source?.node.disconnect();
      source = { stream, node: context.createMediaStreamSource(stream) };
      source.node.connect(ears);
    }
    ears.getFloatTimeDomainData(samples);
    if (samples.some((sample) => Math.abs(sample) > 0.02)) heard = (performance.now() - began) / 1000;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  context.close();
  return heard;
}"""

# Nothing but a relay, and there is none: what a network that blocks UDP does to a browser.
NO_WAY = """
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(config) { super({ ...config, iceTransportPolicy: "relay" }); }
};
"""
RECORD = """async (seconds) => {
  const element = document.querySelector("[data-sound]");
  const recorder = new MediaRecorder(element.srcObject ?? element.captureStream());
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const done = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  setTimeout(() => recorder.stop(), seconds * 1000);
  await done;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}"""


def microphone(folder: Path, number: int) -> tuple[Path, str]:
    """A WAV as Chromium's microphone wants it, with a second of silence after it, and its words."""
    path, words = clip(number)
    target = folder / f"microphone-{number}.wav"
    convert = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(path),
        "-af",
        "apad=pad_dur=1",
        "-ar",
        "48000",
        "-ac",
        "1",
        str(target),
    ]
    subprocess.run(convert, check=True)
    return target, words


def hear_words(pages: dict[str, Page], words: str, folder: Path) -> None:
    """Record what pages play, all at once, and find the words in each: in one of three recordings, where a busy machine
    drops some of them."""
    left = dict(pages)
    for _try in range(3):
        for page in left.values():
            page.evaluate(f"(seconds) => void (window.recorded = ({RECORD})(seconds))", ONCE_OVER)
        for name, page in list(left.items()):
            target = folder / f"{name}.webm"
            target.write_bytes(base64.b64decode(page.evaluate("() => window.recorded")))
            if share_of_words(words, understood(target)) >= MOST_WORDS:
                del left[name]
        if not left:
            return
    raise AssertionError(f"not the words: {', '.join(left)}")


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The site that tests share. Nothing in the log of its web process may be a failure of ours."""
    yield from watched(lent_site)


def test_what_is_said_is_heard_whatever_happens(web: Site, chromium: Chromium, tmp_path: Path) -> None:
    """The host speaks into a browser; one listener hears it by WebRTC, one whose network blocks that by HLS.

    They hear the words, hear on through a new epoch, and again after the media server, then web, was killed; no page
    is loaded again meanwhile. The end is the end for all.
    """
    sound, words = microphone(tmp_path, 2)
    room = open_room()
    host = chromium.room(room, room.host, browser=chromium.with_microphone(sound))
    sit_down_and_speak(host)
    near = chromium.room(room)
    start_sound(near)
    wait_playing(near, 15)
    assert near.evaluate("() => document.querySelector('[data-sound]').srcObject !== null"), "this is not WebRTC"
    expect(near.locator(".seat.talking")).to_have_count(1, timeout=30_000)
    expect(near.locator("[data-who-talks]")).to_have_text("Host")
    loud_ring(near, 0.2)
    far, lists = listening_far(chromium, room)
    assert far.evaluate("() => document.querySelector('[data-sound]').srcObject === null"), "this is not HLS"
    for page in (host, near, far):
        page.evaluate("() => (window.neverReloaded = true)")
    hear_words({"near": near, "far": far}, words, tmp_path)
    assert not chromium.complaints, chromium.complaints
    ticket_after_ticket(far, lists)
    new_epoch(web, room, far)
    last = lists[-1]
    assert is_ticket(last) and last not in lists[: lists.index(last)], "by a ticket of the new epoch again"
    # Addresses of the last epoch are dead: a page that asked for one then complains of it.
    chromium.complaints[:] = [text for text in chromium.complaints if BY_HLS not in text]
    media_server_dies(near, words, tmp_path)
    assert not chromium.complaints, chromium.complaints
    web_dies(web, host, near, far)
    ending(host, [near, far], room)
    assert all(page.evaluate("() => window.neverReloaded") for page in (host, near, far))
    chromium.complaints.clear()  # that the site did not answer


def listening_far(chromium: Chromium, room: Room) -> tuple[Page, list[str]]:
    """A page whose network lets no WebRTC through: four seconds of trying, then HLS, without a click. Returned with the
    paths of the lists that it asks for."""
    page = chromium.context().new_page()
    chromium.listen_to(page)
    lists: list[str] = []
    page.on("request", lambda asked: lists.append(asked.url[len(chromium.url) :]) if "live.m3u8" in asked.url else None)
    page.add_init_script(NO_WAY)
    page.goto(chromium.url + room.get_absolute_url() + BY_HLS)
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    start_sound(page)
    wait_playing(page, 60)
    return page, lists


def is_ticket(path: str) -> bool:
    """Whether a list is asked for by its address for all, and not by the one that is checked for each."""
    return path.startswith("/hls/")


def ticket_after_ticket(far: Page, lists: list[str]) -> None:
    """The address of the list changes under a page that hears on: nothing is loaded anew, nothing stands still."""
    first = lists[-1]
    assert all(map(is_ticket, lists)), lists
    stood = float(far.evaluate(STOOD, NEW_EVERY + 6.0))
    assert lists[-1] != first, f"still by {first}"
    assert stood < STANDS / 2, f"it stood still for {stood:.1f} s"


def new_epoch(site: Site, room: Room, far: Page) -> None:
    """Every address that people have is dead, and they hear on."""
    guest = HlsListener(Browser(site.url), room.slug)
    playlist = f"{site.url}/r/{room.slug}/live.m3u8"
    with ThreadPoolExecutor(1) as hands:
        heard = hands.submit(asyncio.run, guest.run(9.0))
        hears(far, 20)
        old = [line for line in far.request.get(playlist).text().splitlines() if line.startswith("/hls/")]
        with transaction.atomic():
            actions.new_epoch(Room.objects.select_for_update().get(pk=room.pk))
        stood = float(far.evaluate(STOOD, WATCHED))
        say(f"a page by HLS stood still for {stood:.1f} s after a new epoch")
        assert stood < STANDS
        hears(far, 20)
        heard.result()
    assert list(guest.pieces) == list(range(min(guest.pieces), max(guest.pieces) + 1)), "no piece is missing"
    assert len(guest.pieces) >= 6 and {far.request.get(site.url + one).status for one in old} == {404}


def media_server_dies(near: Page, words: str, folder: Path) -> None:
    """Janus is killed: speaker and listener connect anew by themselves, and the words arrive again."""
    services().restart("janus", down=1.0)
    expect(near.locator(".seat.talking")).to_have_count(0, timeout=30_000)
    expect(near.locator(".seat.talking")).to_have_count(1, timeout=60_000)
    hears(near, 30)  # by its new connection
    hear_words({"again": near}, words, folder)


def web_dies(site: Site, host: Page, near: Page, far: Page) -> None:
    """And comes back. Who hears directly needs no web process; who hears by HLS does."""
    site.kill("web")
    ends = time.monotonic() + AWAY
    hears(near, AWAY)
    expect(near.get_by_text(LOST)).to_be_visible()
    time.sleep(max(0.0, ends - time.monotonic()))
    site.start("web")
    say(f"HLS again after {hears(far, AGAIN):.1f} s")
    for page in (host, near, far):
        expect(page.get_by_text(LOST)).to_be_hidden(timeout=AGAIN * 1000)
    host.locator('[data-do="mute"]').click()
    near.wait_for_selector('.seat[data-user="host"]:not(.open)')


def hears(page: Page, seconds: float) -> float:
    """Until it plays something that is not silence."""
    found = page.evaluate(LISTEN, seconds)
    assert found is not None, f"no sound within {seconds} s"
    return float(found)


def loud_ring(page: Page, wanted: float, handle: str = "") -> None:
    """Wait until the ring around who talks shows more than so much: it follows what is heard."""
    loudest, ends = 0.0, time.monotonic() + 20
    while loudest <= wanted:
        assert time.monotonic() < ends, f"{handle or 'nobody'} is heard at more than {loudest}"
        time.sleep(0.1)
        loudest = max(loudest, level_of(page, handle))


def level_of(page: Page, handle: str) -> float:
    ring = f'.talking[data-user="{handle}"]' if handle else ".talking"
    found = page.evaluate("(ring) => document.querySelector(ring)?.style.getPropertyValue('--level')", ring)
    return float(found or 0)


def test_speakers_hear_each_other_and_survive_a_reload(chromium: Chromium, tmp_path: Path) -> None:
    """Two at the table, each hears the other as loud as a listener does; a reload brings one back, muted."""
    room, ada = open_room(), person("ada")
    host = chromium.room(room, room.host, browser=chromium.with_microphone(microphone(tmp_path, 0)[0]))
    sit_down_and_speak(host)
    hers = chromium.room(room, ada, browser=chromium.with_microphone(microphone(tmp_path, 3)[0]), viewport=PHONE)
    start_sound(hers)
    sit_down_and_speak(hers)
    for page, other in ((hers, "host"), (host, "ada")):
        expect(page.locator(f'.seat.talking[data-user="{other}"]')).to_have_count(1, timeout=30_000)
        loud_ring(page, 0.5, other)
    hers.reload()
    hers.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    hers.mouse.click(5, 300)
    expect(hers.locator('.seat.you[data-user="ada"]')).to_be_visible()
    expect(hers.locator(".seat.you.open")).to_have_count(0)
    hers.locator('[data-do="unmute"]').click()
    expect(host.locator('.seat.open[data-user="ada"]')).to_have_count(1)
    expect(host.locator('.seat.talking[data-user="ada"]')).to_have_count(1, timeout=30_000)
