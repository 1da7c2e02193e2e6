"""The sound of a page: how it starts and ends, and a record of it from which voices are known."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from rooms.guests import peers
from rooms.models import Room
from tests.support.voices import KNOWN_BY, Voice
from tests.support.waiting import wait_until

# Keeps all that the element plays: samples of full scale 32767, with the moment, in ms, at which they arrived.
KEEP = """() => {
  const element = document.querySelector("[data-sound]");
  const heard = (window.heard = []);
  let stream = null;
  let reading = null;
  const read = async (track) => {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 500 }).readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const sound = new Float32Array(value.numberOfFrames);
      value.copyTo(sound, { planeIndex: 0, format: "f32-planar" });
      const samples = Int16Array.from(sound, (one) => Math.max(-1, Math.min(1, one)) * 32767);
      const peak = sound.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      heard.push({ at: Date.now(), rate: value.sampleRate, samples, peak });
      value.close();
    }
  };
  setInterval(() => {
    if (element.srcObject) stream = element.srcObject;
    else if (element.src && !stream?.active) stream = element.captureStream();
    const [track] = stream?.getAudioTracks() ?? [];
    if (!track || track === reading) return;
    reading = track;
    read(track);
  }, 50);
}"""
SOUND = """([since, until]) => {
  const parts = window.heard.filter(({ at }) => since <= at && at < until);
  const all = new Int16Array(parts.reduce((sum, { samples }) => sum + samples.length, 0));
  let place = 0;
  for (const { samples } of parts) {
    all.set(samples, place);
    place += samples.length;
  }
  const bytes = new Uint8Array(all.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return { rate: parts[0]?.rate ?? 48000, sound: btoa(text) };
}"""
# The moments, in ms, of what was louder than `faint` and of all that arrived.
MOMENTS = """([since, until, faint]) => {
  const parts = window.heard.filter(({ at }) => since <= at && at < until);
  return { loud: parts.filter(({ peak }) => peak > faint).map(({ at }) => at), all: parts.map(({ at }) => at) };
}"""
# How loud the element of a recording's or an appeal's page really is, at most, in so many seconds.
LOUDNESS = """async (seconds) => {
  window.ear ??= (() => {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaElementSource(document.querySelector("[data-audio], .clip audio")).connect(analyser);
    analyser.connect(context.destination);
    return { context, analyser, samples: new Float32Array(analyser.fftSize) };
  })();
  await window.ear.context.resume();
  let loudest = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    window.ear.analyser.getFloatTimeDomainData(window.ear.samples);
    loudest = window.ear.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), loudest);
  }
  return loudest;
}"""
FAINT = 0.001  # of full scale: a peak below it is silence
LOOK = 3.0  # seconds of sound by which it is said who is in it
WITHIN = 60.0  # seconds for what takes a few
# Between the two nothing is said for sure. A browser takes noise out of a microphone and changes its loudness: a voice
# that is there is at -4 to -10 dB, one that is not at -35, at -22 where two cores have the work of twenty.
PRESENT = -15.0  # dB; above it a voice is there
ABSENT = -18.0  # dB; below it there is none of it
QUIET = 1.0  # seconds without sound after which it is over


def wait_playing(page: Page, seconds: float) -> float:
    """Until the element plays; returns how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if page.evaluate("() => document.querySelector('[data-sound]').currentTime > 0.05"):
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(f"no sound within {seconds} s")


def ending(host: Page, listeners: list[Page], room: Room) -> None:
    """The host ends the room: sound and pages stop for everybody within two seconds."""
    host.get_by_role("button", name="End room").click()
    host.get_by_role("dialog").get_by_role("button", name="End room").click()
    pressed = time.monotonic()
    for page in [host, *listeners]:
        page.get_by_text("This room has ended").wait_for()  # in the page itself: `expect` looks again every second only
    assert time.monotonic() - pressed < 2.0
    for page in [host, *listeners]:
        assert page.evaluate("() => document.querySelector('[data-sound]').paused")
    room.refresh_from_db()
    assert room.ended_at is not None


class PageEar:
    """A record of what a page plays, from now on. Moments are in seconds since 1970."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.evaluate(KEEP)

    def sound(self, since: float, until: float) -> peers.Samples:
        found = self.page.evaluate(SOUND, [since * 1000, until * 1000])
        samples = np.frombuffer(base64.b64decode(found["sound"]), np.int16)
        if found["rate"] == peers.RATE:
            return samples
        places = np.arange(int(len(samples) * peers.RATE / found["rate"])) * found["rate"] / peers.RATE
        return np.asarray(np.interp(places, np.arange(len(samples)), samples), np.int16)

    def level(self, voice: Voice, since: float, until: float | None = None) -> float:
        """How loud a voice was, at its loudest two seconds, in dB of what its microphone has; ABSENT where the time is
        too short to say."""
        heard = self.sound(since, until or time.time())
        return voice.level(heard) if len(heard) > KNOWN_BY * peers.RATE else ABSENT

    def settled_level(self, voice: Voice, since: float) -> float:
        """`level` since then, once enough has arrived to say it by."""
        enough = KNOWN_BY * peers.RATE
        wait_until(lambda: len(self.sound(since, time.time())) > enough, WITHIN, "enough sound to know a voice by")
        return self.level(voice, since)

    def hear(self, *voices: Voice, since: float = 0.0, within: float = WITHIN) -> float:
        """Wait until all of these are heard; returns the time. Of what came before `since` nothing counts."""
        for voice in voices:
            wait_until(
                lambda voice=voice: self.level(voice, max(since, time.time() - LOOK)) > PRESENT,  # type: ignore[misc]
                within,
                f"{voice.name} is heard",
            )
        return time.time()

    def moments(self, since: float, until: float) -> dict[str, list[float]]:
        """When something arrived: `all`, and what is no silence, `loud`."""
        found: dict[str, Any] = self.page.evaluate(MOMENTS, [since * 1000, until * 1000, FAINT])
        return {name: [at / 1000 for at in times] for name, times in found.items()}

    def longest_gap(self, since: float, until: float) -> float:
        """The longest time, in seconds, in which nothing but silence was heard, or nothing at all."""
        times = [since, *self.moments(since, until)["loud"], until]
        return float(np.diff(times).max())

    def first_sound(self, since: float) -> float:
        """Seconds from a moment, at which there was silence, until something is heard."""
        loud: list[float] = wait_until(
            lambda: self.moments(since, time.time())["loud"], WITHIN, "sound after silence", 0.05
        )
        return loud[0] - since

    def be_silent(self, since: float, within: float) -> float:
        """Wait until sound arrives that is silence, which is not the same as no sound; returns how many seconds from
        `since` something else was heard."""

        def is_silent() -> bool:
            now = time.time()
            found = self.moments(now - QUIET, now)
            return not found["loud"] and len(found["all"]) > 10

        wait_until(is_silent, within, "silence", 0.05)
        loud = self.moments(since, time.time())["loud"]
        return loud[-1] - since if loud else 0.0


def microphone_of(voice: Voice, folder: Path) -> Path:
    """A WAV for `Chromium.with_microphone`, in which the voice speaks without an end."""
    path = folder / f"{voice.name}.wav"
    peers.write_wave(path, voice.samples)
    return path
