"""Seconds from the click to the first sound, and from mouth to ear, by WebRTC and by HLS.

    python bench/sound.py [--rounds 5] [--seconds 45] [--paths near hls]

A site of ours (web, media, work, with PostgreSQL, Redis and Janus of its own). A Chromium whose microphone plays a
file speaks, other Chromiums listen; bench/ears.js notes in both when a sound begins, by the one clock of the machine.
Without microphone and loudspeaker, that is: from the samples that the page gets to the samples that it plays.

Click to first sound: somebody speaks without a pause. In a browser that wants a click, from the click on "Listen"; in
one where sound may start by itself, from the navigation. Mouth to ear: short pieces of speech with silence between, at
distances that differ, so that each is known again however late it comes. The plain way is the same microphone through
two RTCPeerConnections in one page. HLS is what everybody gets here whose node has no near places left
(MEDIA_NEAR_LISTENERS=0); who falls to it because WebRTC does not connect waits four seconds more.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import load, share, site
from tests.support.processes import Site

EARS = Path(__file__).with_name("ears.js")
RATE = 48000
LOUD = 0.08  # of full scale: where a piece of speech is cut to begin
PAUSES = (1.3, 2.1, 1.6, 2.7, 1.2, 2.4, 1.9, 1.5)  # seconds between pieces
PIECE = 0.5  # seconds of each
LATEST = 15.0  # seconds; a later beginning is not matched
NEAR_ENOUGH = 0.6  # seconds by which one piece may be later or earlier than most
SETTLES = 8.0  # seconds until a player's latency is stable
FIRST_SOUND = 30.0  # seconds to wait for it
NEAR = {"near": "300", "hls": "0"}  # MEDIA_NEAR_LISTENERS
# Playwright's own actions may count as a click: where one is measured, nothing is done in the page before it.
WANTS_CLICK = """window.BaseAudioContext && Object.defineProperty(BaseAudioContext.prototype, "state", {
  get: () => (bench.clicked ? "running" : "suspended"),
});"""
MAY_START = "--autoplay-policy=no-user-gesture-required"
LATENCY = """() => {
  const player = bench.player;
  return player && player.latency ? [player.latency, (Date.now() - player.playingDate) / 1000] : null;
}"""


# --- what is spoken -----------------------------------------------------------------------------------------------


def speech() -> np.ndarray[Any, Any]:
    """Return a clip without its silences, at half of full scale."""
    from rooms.guests.peers import read_clip
    from tests.support.speech import clip

    parts = [read_clip(clip(number)[0]) for number in range(3)]
    samples = np.concatenate([part / np.abs(part).max() / 2 for part in parts])
    frames: np.ndarray[Any, Any] = samples[: len(samples) // 960 * 960].reshape(-1, 960)
    spoken: np.ndarray[Any, Any] = frames[np.abs(frames).max(axis=1) > LOUD / 2].reshape(-1)
    return spoken


def write(path: Path, samples: np.ndarray[Any, Any]) -> Path:
    from rooms.guests.peers import write_wave

    write_wave(path, (samples * 32767).astype(np.int16))
    return path


def pieces() -> np.ndarray[Any, Any]:
    """Return pieces of speech that begin sharply, each with its pause."""
    samples, parts, at = speech(), [], 0
    for pause in PAUSES:
        begins = at + int(np.argmax(np.abs(samples[at:]) > LOUD))
        at = begins + int(PIECE * RATE)
        parts += [samples[begins:at], np.zeros(int(pause * RATE))]
    return np.concatenate(parts)


# --- pages --------------------------------------------------------------------------------------------------------


def a_page(chromium: Any, path: str, user: Any = None, *, click: bool = False, **options: Any) -> Any:
    """Open a page with ears.js; with `click` autoplay is only allowed after one."""
    context = chromium.context(user, bypass_csp=True, **options)
    context.add_init_script(path=EARS)
    if click:
        context.add_init_script(WANTS_CLICK)
    page = context.new_page()
    page.goto(chromium.url + path)
    return page


def connected(page: Any) -> Any:
    """Wait until the page's connection to the room is open."""
    page.wait_for_selector('[data-do="share"]:not([disabled])')
    return page


@contextmanager
def speaking(chromium: Any, host: str, sound: Path) -> Iterator[tuple[Any, Any]]:
    """Open a room whose host plays a file in a loop; yield the room and the host's page."""
    from rooms import actions
    from tests.e2e.browser import sit_down_and_speak
    from tests.support.rooms import open_room

    room = open_room(host)
    browser = chromium.with_microphone(sound)
    page = connected(a_page(chromium, room.get_absolute_url(), room.host, browser=browser))
    sit_down_and_speak(page)
    time.sleep(5)  # until HLS has pieces enough
    try:
        yield room, page
    finally:
        actions.end_room(room.pk, room.host)
        browser.close()


def first_sound(chromium: Any, browser: Any, path: str, click: bool) -> float:
    """Return the seconds from click or navigation to the first audible sound."""
    page = a_page(chromium, path, browser=browser, click=click)
    if click:
        connected(page)
        page.locator('[data-do="listen"]').click()
    page.wait_for_function("() => bench.heard.length > 0", timeout=FIRST_SOUND * 1000)
    began, heard = page.evaluate("(click) => [click ? bench.clicked : performance.timeOrigin, bench.heard[0]]", click)
    page.context.close()
    return float(heard - began) / 1000


def delays(spoken: list[float], heard: list[float]) -> list[float]:
    """Return the seconds from each spoken beginning to the same one heard, by the delay that matches most of them."""
    spoken, heard = ([moment / 1000 for moment in moments] for moments in (spoken, heard))
    tried = [after - before for before in spoken for after in heard if 0 <= after - before <= LATEST]

    def explained(delay: float) -> list[float]:
        found = []
        for before in spoken:
            late = [after - before for after in heard if abs(after - before - delay) < NEAR_ENOUGH]
            if late:
                found.append(min(late, key=lambda each: abs(each - delay)))
        return found

    return max(map(explained, tried), key=len, default=[])


def once(moments: list[float]) -> list[float]:
    """Merge beginnings that two taps of one microphone recorded."""
    kept: list[float] = []
    for moment in sorted(moments):
        if not kept or moment - kept[-1] > 300:
            kept.append(moment)
    return kept


def mouth_to_ear(speaker: Any, listener: Any, seconds: float) -> tuple[list[float], int, list[list[float]]]:
    """Return delays, the number of beginnings expected, and the latencies that hls.js reported."""
    since, said = time.time() * 1000, []
    while time.time() * 1000 - since < seconds * 1000:
        listener.wait_for_timeout(500)
        if found := listener.evaluate(LATENCY):
            said.append(found)
    spoken = [moment for moment in once(speaker.evaluate("() => bench.spoken")) if moment > since]
    listener.wait_for_timeout(500)
    heard = [moment for moment in listener.evaluate("() => bench.heard") if moment > since]
    found_delays = delays(spoken, heard)
    until = time.time() * 1000 - max(found_delays, default=0.0) * 1000
    return found_delays, sum(moment < until for moment in spoken), said


# --- the bench ----------------------------------------------------------------------------------------------------


def line(name: str, values: list[float], worst: str, extra: str = "") -> None:
    late = max(values) if worst == "worst" else share(values, 0.95)
    print(f"{name:<44}{median(values):>8.3f} s median{late:>9.3f} s {worst}   {extra}", flush=True)


def click_to_sound(chromium: Any, path: str, sound: Path, rounds: int) -> None:
    """Measure the first sound after a click and after a navigation."""
    with speaking(chromium, f"{path}1", sound) as (room, _host):
        for name, click in (("the click", True), ("the navigation", False)):
            browser = chromium.launch(MAY_START)
            waits = [first_sound(chromium, browser, room.get_absolute_url(), click) for _round in range(rounds)]
            browser.close()
            line(f"{path}: from {name} to the first sound", waits, "worst", load())


def mouth(chromium: Any, path: str, sound: Path, seconds: float) -> float:
    """Measure one path; return the median."""
    browser = chromium.launch(MAY_START)
    with speaking(chromium, f"{path}2", sound) as (room, host):
        listener = connected(a_page(chromium, room.get_absolute_url(), browser=browser, click=path == "hls"))
        if path == "hls":
            listener.evaluate("() => bench.watchPlayer()")
            listener.locator('[data-do="listen"]').click()
        listener.wait_for_function("() => bench.heard.length > 0", timeout=FIRST_SOUND * 1000)
        listener.wait_for_timeout(SETTLES * 1000)
        late, due, said = mouth_to_ear(host, listener, seconds)
    browser.close()
    line(f"{path}: from mouth to ear", late, "p95", f"{len(late)} of {due} beginnings; {load()}")
    if said:
        for place, name in enumerate(("hls.js `latency`", "clock less the time of day in the playlist")):
            line(f"{path}: {name}", [each[place] for each in said], "worst")
    return median(late)


def plain(chromium: Any, sound: Path, seconds: float) -> float:
    """Measure the same microphone through two RTCPeerConnections in one page."""
    browser = chromium.with_microphone(sound)
    page = a_page(chromium, "/", browser=browser)
    page.locator("h1").first.click()  # so that it may play
    page.evaluate("() => bench.loop({ echoCancellation: true, noiseSuppression: true, autoGainControl: true })")
    page.wait_for_timeout(SETTLES * 1000)
    late, due, _said = mouth_to_ear(page, page, seconds)
    browser.close()
    line("plain: from mouth to ear", late, "p95", f"{len(late)} of {due} beginnings; {load()}")
    return median(late)


def measure(options: argparse.Namespace, running: Site, folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    from tests.e2e.browser import Chromium

    without_pause, sharp = write(folder / "speech.wav", speech()), write(folder / "pieces.wav", pieces())
    medians = {}
    with sync_playwright() as playwright:
        chromium = Chromium(playwright, running.url)
        for path in options.paths:
            running.start("media", MEDIA_NEAR_LISTENERS=NEAR[path])
            click_to_sound(chromium, path, without_pause, options.rounds)
            medians[path] = mouth(chromium, path, sharp, options.seconds)
            running.stop("media")
        reference = plain(chromium, sharp, options.seconds)
        chromium.close()
    for path, late in medians.items():
        print(f"{path} / plain                   {late / reference:6.2f}")
    if len(medians) == len(NEAR):
        print(f"hls / near                     {medians['hls'] / medians['near']:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--paths", nargs="+", choices=NEAR, default=list(NEAR))
    options = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop and Django share this thread
    with site() as (running, parts):
        from django.core.management import call_command

        call_command("collectstatic", "--no-input", "--verbosity", "0")
        running.stop("web")
        running.start("web", "work")
        measure(options, running, parts.folder)


if __name__ == "__main__":
    main()
