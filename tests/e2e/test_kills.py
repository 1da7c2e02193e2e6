"""Killed processes under pages in real Chromium: sound comes back both ways without a reload."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Chromium, sit_down_and_speak, start_sound
from tests.e2e.test_sound import NO_WAY, microphone, sounding, wait_playing
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import say

__all__ = ["sounding"]
pytestmark = pytest.mark.alone

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


def hears(page: Page, seconds: float) -> float:
    """Until it plays something that is not silence."""
    found = page.evaluate(LISTEN, seconds)
    assert found is not None, f"no sound within {seconds} s"
    return float(found)


def test_pages_hear_on_while_web_is_away(sounding: Site, chromium: Chromium, tmp_path: Path) -> None:
    room = open_room()
    host = chromium.room(room, room.host, browser=chromium.with_microphone(microphone(tmp_path, 0)[0]))
    sit_down_and_speak(host)
    near = chromium.room(room)
    start_sound(near)
    far = chromium.context().new_page()
    far.add_init_script(NO_WAY)
    far.goto(chromium.url + room.get_absolute_url())
    far.wait_for_selector('[data-do="share"]:not([disabled])')
    start_sound(far)
    wait_playing(near, 15)
    wait_playing(far, 60)
    for page in (host, near, far):
        page.evaluate("() => (window.neverReloaded = true)")
    try:
        web_dies(sounding, host, near, far)
    finally:
        chromium.complaints.clear()  # that the site did not answer


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
        assert page.evaluate("() => window.neverReloaded")
    host.locator('[data-do="mute"]').click()
    near.wait_for_selector('.seat[data-user="host"]:not(.open)')
