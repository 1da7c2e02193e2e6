"""One room from its opening until nothing is left of it: real browsers, real processes, real voices, nothing beside."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import subprocess
import time
import zipfile
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db.models import F
from playwright.sync_api import Page, expect

from ledger.models import Entry
from people.models import User
from retention.models import PurgeReceipt
from retention.tasks import sweep
from rooms.guests import peers
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.models import Recording, Room
from rooms.recording import store
from tests.e2e.browser import Chromium, sit_down_and_speak
from tests.e2e.hearing import LOUDNESS, ending
from tests.e2e.test_replay import current, now, replay, until
from tests.support.people import person
from tests.support.processes import Site, watched
from tests.support.rooms import make_public
from tests.support.sounds import RATE, WORDS, in_turn, is_by, laid, plain_words
from tests.support.speech import share_of_words, understood
from tests.support.traces import everywhere as found_anywhere
from tests.support.waiting import wait_until

pytestmark = pytest.mark.alone

CLIPS = {"host": ("0870",), "ada": ("jfk",)}
SAID = {who: " ".join(WORDS[name] for name in names) for who, names in CLIPS.items()}
ALONE = 20  # seconds at the end of the room, in which Ada says all of it once (12) and perhaps begins anew
FORMATS = ("vtt", "srt", "txt", "json")


@dataclass(frozen=True)
class Line:
    """A line as it stands on the page."""

    user: str
    name: str
    from_s: float
    to_s: float
    text: str


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The site that tests share. Nothing in the log of its web process may be a failure of ours."""
    yield from watched(lent_site)


def test_a_room_from_its_opening_until_nothing_is_left(web: Site, chromium: Chromium, tmp_path: Path) -> None:
    host = person("host", creator=True)
    page = open_a_room(chromium, host, tmp_path)
    room = Room.objects.get(host=host)
    ada = person("ada")
    talk(page, room, Browser(web.url))
    see_it_written(page, room, web)
    lines = lines_of(page)
    each_line_is_its_speaker_s(lines)
    hear_a_line(page, next(line for line in lines if line.user == "ada"))
    follow_links(chromium, room, lines)
    search_and_find_the_way(page)
    listener = publish(chromium, page, room)
    address = take_everything(page, room, tmp_path)
    take_ones_own(chromium, room, ada)
    forget(room)
    nothing_is_left(chromium, page, listener, room, address)


# --- live ---------------------------------------------------------------------------------------------------------


def voice(who: str) -> np.ndarray[Any, Any]:
    """Return a person's speech, followed by a second of silence, as samples at 16 kHz."""
    places, end_ms = in_turn(CLIPS[who], 0, 300)
    return laid(places, end_ms + 700)


def open_a_room(chromium: Chromium, host: User, folder: Path) -> Page:
    """By the form, in a browser whose microphone says the host's words over and over."""
    wave = folder / "host.wav"
    samples = (voice("host") * 32767).astype(np.int16)
    peers.write_wave(wave, np.repeat(samples, peers.RATE // RATE))
    page = chromium.page("/rooms/open/", host, browser=chromium.with_microphone(wave))
    page.get_by_label("What is it about?").fill("An evening at the table")
    expect(page.get_by_label("Write down what is said")).to_be_checked()
    page.get_by_role("button", name="Open the table").click()
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    return page


def talk(page: Page, room: Room, browser: Browser) -> None:
    """Both talk, together at first, then Ada alone; the host ends the room."""
    sit_down_and_speak(page)
    talker = Talker(browser, room.slug, peers.Clip(np.repeat((voice("ada") * 32767).astype(np.int16), 3), loop=True))
    with speaking(talker, browser) as talking:
        expect(page.locator('.seat.talking[data-user="ada"]')).to_have_count(1)
        clip_over(talker, talking)
        page.locator('[data-do="mute"]').click()
        expect(page.locator('[data-do="unmute"]')).to_be_visible()
        for _turn in ("the one that she is in", "a whole one, alone"):
            clip_over(talker, talking)
        ending(page, [], room)


@contextmanager
def speaking(talker: Talker, browser: Browser) -> Generator[Future[None]]:
    """Ada, without a browser of her own; she goes when the room ends, or what went wrong for her is raised."""
    browser.sign_in("ada", "a long enough password")
    with ThreadPoolExecutor(1) as hands:
        talking = hands.submit(asyncio.run, talker.run(time.monotonic() + 300))
        yield talking
        talking.result(60)


def clip_over(talker: Talker, talking: Future[None]) -> None:
    """Until she comes to the end of what she says."""
    talker.clip.finished.clear()
    wait_until(lambda: talker.clip.finished.is_set() or talking.done(), 90)
    assert not talking.done(), "she left before the end"


# --- afterwards ---------------------------------------------------------------------------------------------------


def see_it_written(page: Page, room: Room, site: Site) -> None:
    """From the host's rooms to the replay; the page shows by itself how far recording and transcript are."""
    page.get_by_role("link", name="Your rooms").click()
    page.locator(f'a[href="/r/{room.slug}/replay/"]').first.click()
    page.wait_for_selector("[data-replay][data-ready]", timeout=60_000)
    expect(page.locator("[data-progress]")).to_contain_text("The transcript is being written 0 %")
    expect(page.locator(".line")).to_have_count(0)
    site.start("speech")
    percents = []

    def state() -> str:
        answer = page.request.get(f"{site.url}/api/v1/rooms/{room.slug}/transcript/").json()
        percents.append(answer["percent"])
        return str(answer["state"])

    wait_until(lambda: state() not in ("waiting", "running"), 400, every=1.0)
    assert state() == "ready"
    assert percents == sorted(percents) and any(0 < percent < 100 for percent in percents), percents
    site.stop("speech")
    expect(page.locator("[data-lines]")).to_be_visible()
    page.wait_for_selector("[data-replay][data-ready]")


def lines_of(page: Page) -> list[Line]:
    rows = page.locator(".line").evaluate_all(
        """lines => lines.map((line) => ({
          user: line.dataset.user, name: line.querySelector(".who").textContent,
          from_s: line.dataset.from / 1000, to_s: line.dataset.to / 1000,
          text: line.querySelector("[data-text]").textContent,
        }))"""
    )
    return [Line(**row) for row in rows]


def each_line_is_its_speaker_s(lines: list[Line]) -> None:
    """Words and person belong together, also where both talk; of each at least four words in five are there."""
    wrong = [line for line in lines if not is_by(line.user, line.text, SAID) or line.name.lower() != line.user]
    assert not wrong, wrong
    for who, words in SAID.items():
        heard = " ".join(" ".join(plain_words(line.text)) for line in lines if line.user == who)
        assert share_of_words(words, heard) >= 0.8, f"{who}: {heard}"
    hers = [line for line in lines if line.user == "ada"]
    his = [line for line in lines if line.user == "host"]
    assert any(one.from_s < other.to_s and one.to_s > other.from_s for one in hers for other in his), "never at once"


def hear_a_line(page: Page, line: Line) -> None:
    """A click on a line leads there, and what plays there is no silence."""
    page.locator(".line", has_text=line.text).first.locator("[data-text]").click()
    assert abs(now(page) - line.from_s) < 0.2 and current(page) == line.text
    assert page.evaluate(LOUDNESS, 0.3) == 0
    page.get_by_role("button", name="Play", exact=True).click()
    assert page.evaluate(LOUDNESS, 3) > 0.05
    until(page, f"document.querySelector('[data-audio]').currentTime > {line.from_s + 0.8}")
    page.get_by_role("button", name="Pause").click()


def follow_links(chromium: Chromium, room: Room, lines: list[Line]) -> None:
    """To a second, and to a part that ends by itself."""
    line = lines[len(lines) // 2]
    page = replay(chromium, room, "ada", f"#t={line.from_s:.1f}")
    assert abs(now(page) - line.from_s) < 0.2 and page.locator("[data-span]").is_hidden()
    page = replay(chromium, room, "ada", f"#t={line.from_s:.1f}-{line.from_s + 1.5:.1f}")
    assert page.locator(".line.marked").count() >= 1
    page.get_by_role("button", name="Play", exact=True).click()
    until(
        page, "document.querySelector('[data-audio]').currentTime > 0 && document.querySelector('[data-audio]').paused"
    )
    assert abs(now(page) - line.from_s - 1.5) < 1.5, "it stops where the part ends, as soon as the page is told"
    page.context.close()


def search_and_find_the_way(page: Page) -> None:
    """Search, speed, and on to whoever speaks next."""
    page.locator("#q").fill("Dashwood")
    expect(page.locator(".line:visible mark").first).to_have_text("Dashwood")
    assert set(page.locator(".line:visible .who").all_inner_texts()) == {"Host"}
    page.locator("#q").fill("")
    page.get_by_label("Speed").select_option("1.5")
    assert page.evaluate("document.querySelector('[data-audio]').playbackRate") == 1.5
    page.evaluate("document.querySelector('[data-audio]').currentTime = 0")
    page.get_by_role("button", name="Next speaker").click()
    until(page, "document.querySelector('[data-audio]').currentTime > 0.3")
    first = now(page)
    page.get_by_role("button", name="Next speaker").click()
    until(page, f"document.querySelector('[data-audio]').currentTime > {first + 0.3}")


def publish(chromium: Chromium, page: Page, room: Room) -> Page:
    """Nothing for a listener until a day after the host publishes, here shortened; returns the listener's page."""
    page.get_by_role("link", name="Publish the replay").click()
    expect(page.get_by_role("heading", name="Voices in it")).to_be_visible()
    page.get_by_role("button", name="Publish in 24 hours").click()
    expect(page.get_by_text("Until then everybody who speaks in it can object.")).to_be_visible()
    chromium.page(f"/r/{room.slug}/replay/", expect=404).context.close()
    make_public(room)
    listener = chromium.page(f"/r/{room.slug}/replay/")
    listener.wait_for_selector("[data-replay][data-ready]")
    assert listener.locator(".line").count() > 2 and listener.get_by_text("Download").count() == 0
    listener.locator(".line [data-text]").first.click()  # nobody speaks before the host has sat down
    listener.get_by_role("button", name="Play", exact=True).click()
    assert listener.evaluate(LOUDNESS, 3) > 0.05
    return listener


# --- taken along ----------------------------------------------------------------------------------------------------


def take_everything(page: Page, room: Room, folder: Path) -> str:
    """The zip by the host's button, and what is in it; returns its address."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything").click()
    download.value.save_as(folder / "all.zip")
    with zipfile.ZipFile(folder / "all.zip") as read:
        assert read.testzip() is None
        read.extractall(folder)
    files = {path.relative_to(folder / room.slug).as_posix(): path for path in (folder / room.slug).rglob("*.*")}
    manifest = json.loads(files["manifest.json"].read_text())
    assert {file["path"]: file["sha256"] for file in manifest["files"]} == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != "manifest.json"
    }
    sound_is_right(files)
    texts_are_right(files)
    return download.value.url


def sound_is_right(files: dict[str, Path]) -> None:
    """Check the words in the sound files with a model that had no part in the transcript."""
    tracks = {name.split("-")[1].removesuffix(".opus"): path for name, path in files.items() if "tracks/" in name}
    assert set(tracks) == set(SAID)
    for who, path in tracks.items():
        assert share_of_words(SAID[who], " ".join(plain_words(understood(path)))) >= 0.8, who
    # Where both talk, a model hears one of them, or says the same words on and on; Ada's last turn is hers alone.
    last = files["mix.m4a"].with_name("last.wav")
    subprocess.run(["ffmpeg", "-v", "error", "-sseof", f"-{ALONE}", "-i", files["mix.m4a"], last], check=True)
    assert share_of_words(SAID["ada"], understood(last)) >= 0.8


def texts_are_right(files: dict[str, Path]) -> None:
    """The transcript in all formats, and no e-mail or IP address anywhere."""
    for kind in FORMATS:
        text = files[f"transcript/transcript.{kind}"].read_text()
        assert "Dashwood" in text and "country" in text, kind
    vtt = files["transcript/transcript.vtt"].read_text()
    assert (
        vtt.startswith("WEBVTT") and re.search("<v Host>[^<]*Dashwood", vtt) and re.search("<v Ada>[^<]*country", vtt)
    )
    assert "-->" in files["transcript/transcript.srt"].read_text()
    assert json.loads(files["transcript/transcript.json"].read_text())
    for name, path in files.items():
        content = path.read_bytes()
        assert b"example.org" not in content and b"127.0.0.1" not in content, name
        if not name.endswith((".m4a", ".opus")):
            text = content.decode()
            assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text), name
            assert not re.search(r"\b\d{1,3}(\.\d{1,3}){3}\b|::1\b|([0-9a-f]{1,4}:){4}", text), name


def take_ones_own(chromium: Chromium, room: Room, ada: User) -> None:
    """A speaker takes her own lines, and nobody else's; everything is not for her."""
    page = replay(chromium, room, "ada")
    expect(page.get_by_role("button", name="Download everything")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download what you said").click()
    said = Path(download.value.path()).read_text()
    assert share_of_words(SAID["ada"], " ".join(plain_words(said))) >= 0.8 and "Dashwood" not in said
    page.context.close()


# --- forgotten ------------------------------------------------------------------------------------------------------


def forget(room: Room) -> None:
    """Thirty days go by; a day too early nothing happens, then the worker sweeps as beat has it do."""
    let_days_go_by(room, settings.RECORDING_DAYS - 1)
    assert sweep() == 0 and store.mix_path(room.pk).exists()
    let_days_go_by(room, 1)
    sweep.delay()
    wait_until(lambda: PurgeReceipt.objects.filter(room=room.pk).exclude(finished_at=None).exists(), 90)
    assert not store.folder(room.pk).exists()


def let_days_go_by(room: Room, days: int) -> None:
    """For every process alike: the room began and ended so much earlier."""
    past = timedelta(days=days)
    Room.objects.filter(pk=room.pk).update(started_at=F("started_at") - past, ended_at=F("ended_at") - past)


def nothing_is_left(chromium: Chromium, page: Page, listener: Page, room: Room, address: str) -> None:
    """The host is told, nobody else finds anything, the links are dead, and a receipt says what went."""
    page.reload()
    expect(page.get_by_text("This recording has been deleted")).to_be_visible()
    assert page.locator(".line, audio").count() == 0
    for who in (None, User.objects.get(handle="ada")):
        chromium.page(f"/r/{room.slug}/replay/", who, expect=404)
    assert page.request.get(address).status == 404
    assert listener.request.get(str(listener.evaluate("document.querySelector('[data-audio]').src"))).status == 404
    assert not found_anywhere("Dashwood") and not found_anywhere("dashwood")
    receipt = PurgeReceipt.objects.get(room=room.pk)
    assert receipt.finished_at is not None and receipt.file_count >= 4
    assert {"mix.m4a"} <= {file["path"] for file in receipt.files}
    outside = "".join(path.read_text() for path in Path(settings.RECEIPTS_DIR).glob("*.jsonl"))
    assert room.slug in outside
    assert Entry.objects.filter(subject=f"room:{room.pk}", kind="purged").count() == 1
    assert Recording.objects.get(room=room).state == Recording.State.PURGED
