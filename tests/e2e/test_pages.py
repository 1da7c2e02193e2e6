"""Every page: for everybody, on a phone and a desk, by day and by night, before script and within its budget."""

from __future__ import annotations

import gzip
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import User
from rooms import actions
from rooms.models import Recording, Room
from tests.e2e.browser import PHONE, Chromium, in_every_look, overflow, resize, start_sound
from tests.support.cohosts import with_cohosts
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated

LONG = "Wolfeschlegelsteinhausenbergerdorff Hubert Blaine van der Middelburgerhouten"[:60]
LONG_TITLE = (
    "Arbeidsongeschiktheidsverzekeringsmaatschappijen en de toekomst van de Nederlandse dorpsbibliotheek, deel twee"
)
SPEAKERS = "ada", "bob", "cas", "dee", "eva", "fay", "gus", "hal", "ivy", "joe"


def full_room(host: User | None = None) -> Room:
    """Everything that makes a page narrow: ten speakers, long names, a long title and topic."""
    host = host or person("host", creator=True, name=LONG)
    room = actions.open_room(host, title=LONG_TITLE, topic="Neem één vraag mee. " * 13, language="nl")
    for handle in SPEAKERS:
        seated(handle, room)
    User.objects.filter(handle__in=SPEAKERS[:3]).update(display_name=LONG)
    return room


def ended_room(host: User, title: str = "Yesterday's table") -> Room:
    room = actions.open_room(host, title=title)
    actions.end_room(room.pk, host)
    Recording.objects.filter(room=room).update(state=Recording.State.READY)
    yesterday = timezone.now() - timedelta(days=1)
    Room.objects.filter(pk=room.pk).update(started_at=yesterday - timedelta(minutes=42), ended_at=yesterday)
    return room


# By who looks at them; the first is somebody without an account.
PAGES = {
    None: (
        *("/", "{live}", "{ended}", "/rules/", "/rules/no-hate/1/", "/privacy/", "/contact/"),
        *("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/confirm-email/"),
    ),
    "host": ("/", "/dashboard/", "{live}", "{ended}", "{ended}replay/publish/"),
    "ada": ("{live}",),
    "free": ("/rooms/open/",),
    "guest": (
        *("/", "/rooms/open/", "/dashboard/", "{live}", "/people/host/"),
        *("/settings/", "/creators/", "/settings/sessions/"),
    ),
}


def test_pages_are_for_everybody(chromium: Chromium) -> None:
    """axe-core finds nothing on any page in any look, and nothing stands out of it, in English or Dutch."""
    host = person("host", creator=True)
    ended = ended_room(host)
    live = full_room(host)
    people = {"host": host, "guest": person("guest", name=LONG, language="nl"), "free": person("free", creator=True)}
    people["ada"] = User.objects.get(handle="ada")
    wrong = []
    for who, paths in PAGES.items():
        page = chromium.context(people[who] if who else None).new_page()
        chromium.listen_to(page)
        for path in paths:
            chromium.go(page, path.format(live=live.get_absolute_url(), ended=ended.get_absolute_url()))
            wrong += [f"{path} for {who}: {text}" for text in in_every_look(page)]
        page.context.close()
    wrong += [f"not found: {text}" for text in in_every_look(chromium.page("/nothing/here/", expect=404))]
    assert not wrong, "\n".join(wrong)


def test_a_look_finds_what_only_it_breaks(chromium: Chromium) -> None:
    """A colour in the dark in either size, and a part that a desk alone shows."""
    page = chromium.page("/rules/", bypass_csp=True)
    page.add_style_tag(
        content="""
          @media (prefers-color-scheme: dark) { main { color: #433; } }
          #desk { display: none; }
          @media (width > 600px) { #desk { display: block; } }
        """
    )
    page.evaluate("""() => { document.querySelector("main").innerHTML += '<button id="desk"></button>'; }""")
    found = [(one.split(": ")[0], one.split(": ")[1]) for one in in_every_look(page)]
    dark, nameless = "color-contrast", "button-name"
    assert found == [("390 px, dark", dark), ("1280 px, dark", nameless), ("1280 px, dark", dark)]


def bar_of(page: Page) -> dict[str, float]:
    return page.evaluate(  # type: ignore[no-any-return]
        """() => {
          const boxes = (which) => [...document.querySelectorAll(which)].filter((e) => !e.hidden && e.offsetWidth)
            .map((e) => e.getBoundingClientRect());
          const shown = boxes('[data-bar] > *');
          return {
            left: Math.min(...shown.map((r) => r.left)), right: innerWidth - Math.max(...shown.map((r) => r.right)),
            rows: new Set(shown.map((r) => Math.round(r.top + r.height / 2))).size,
            smallest: Math.min(...boxes('[data-bar] > [data-do]').map((r) => Math.min(r.width, r.height))),
            high: document.querySelector('[data-bar]').offsetHeight,
            cut: [...document.querySelectorAll('[data-bar] .button span')].filter((e) => e.offsetWidth > 1 &&
              (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)).length,
          };
        }"""
    )


def test_the_bar_never_wraps_or_overflows(chromium: Chromium) -> None:
    """The bar for every kind of reader in both languages: one row, nothing cut off, targets of at least 44 px."""
    room = full_room()
    for handle in ("host", "ada", "guest", None):
        for language in ("en", "nl"):
            user = handle and (User.objects.filter(handle=handle).first() or person(handle))
            if user:
                User.objects.filter(pk=user.pk).update(language=language)
            page = chromium.room(room, user or None, viewport={"width": 390, "height": 700}, locale=language)
            if handle == "guest":
                start_sound(page)
                expect(page.locator('[data-do="raise_hand"]')).to_be_visible()
            fits(page, f"{handle}, {language}")
            page.context.close()


def fits(page: Page, who: str) -> None:
    """The bar is one row on every phone, with one more for a sentence, and nothing sticks out; words are cut off on the
    narrowest alone."""
    sentences = page.locator("[data-hint]:visible").count()
    for width in (390, 360, 320):
        resize(page, width, 700)
        bar, where = bar_of(page), f"{who}, {width} px"
        assert bar["left"] >= 0 and bar["right"] >= 0, f"{where}: {bar}"
        assert bar["rows"] <= 1 + sentences and bar["smallest"] >= 44, f"{where}: {bar}"
        assert bar["high"] <= 90 + 50 * sentences, f"{where}: {bar}"
        assert width == 320 or bar["cut"] == 0, f"{where}: {bar}"
        assert not overflow(page), where


def test_the_bar_has_room_for_hands(chromium: Chromium) -> None:
    """For host and co-host with hands in the queue, and for the person whose hand is the eleventh."""
    room, _cohosts = with_cohosts("ada", "kept")
    host = room.host
    actions.set_speak_policy(room.pk, host, "invited")
    actions.hold_mute(room.pk, User.objects.get(handle="kept"), by=host)
    asking = [consented(person(f"asks{n}"), room) for n in range(11)]
    for user in asking:
        actions.raise_hand(room.pk, user)
    for language in ("en", "nl"):
        User.objects.update(language=language)
        for handle, shown in (("host", "panel"), ("ada", "panel"), ("kept", "panel"), ("asks10", "lower_hand")):
            user = User.objects.get(handle=handle)
            page = chromium.room(room, user, viewport={"width": 390, "height": 700})
            if handle == "asks10":
                start_sound(page)
            expect(page.locator(f'[data-do="{shown}"]')).to_be_visible()
            if handle == "asks10":
                expect(page.locator("[data-hint]")).to_contain_text("11")
            fits(page, f"{handle}, {language}")
            page.context.close()


def test_thirteen_seats_stand_apart(chromium: Chromium) -> None:
    """Host, two co-hosts and ten speakers on a phone: equally far apart along the table, none over another."""
    room = full_room()
    for place, handle in ((11, "kim"), (12, "lou")):
        room.seats.create(user=person(handle), role="cohost", place=place)
    page = chromium.room(room, viewport=PHONE)
    expect(page.locator(".seat[data-user]")).to_have_count(13)
    page.screenshot()
    middles = page.evaluate(
        """() => [...document.querySelectorAll('.seat')].sort((a, b) => a.dataset.at - b.dataset.at)
          .map((e) => e.querySelector('.seat-who').getBoundingClientRect())
          .map((r) => [r.left + r.width / 2, r.top + r.height / 2, r.width, r.left, r.right])"""
    )
    size = middles[0][2]
    apart = [
        ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5
        for a, b in zip(middles, [*middles[1:], middles[0]], strict=True)
    ]
    assert min(apart) >= size, f"pictures overlap: {min(apart)} of {size}"
    assert max(apart) / min(apart) < 1.1, f"not equally far: {min(apart)} to {max(apart)}"
    assert all(left >= 0 and right <= PHONE["width"] for *_, left, right in middles)


def test_first_paint_needs_no_script(chromium: Chromium) -> None:
    room = open_room(title="Voices at the table", topic="Bring one thing.")
    seated("ada", room)
    page = chromium.page(room.get_absolute_url(), java_script_enabled=False)
    expect(page.get_by_role("heading", name="Voices at the table")).to_be_visible()
    expect(page.locator(".seat[data-user]")).to_have_count(2)
    expect(page.locator(".seat.free")).to_have_count(settings.ROOM_MAX_SPEAKERS - 1)
    expect(page.get_by_text("Recorded · kept 30 days")).to_be_visible()
    around = page.evaluate(
        """() => [...document.querySelectorAll('.seat')].map((seat) => getComputedStyle(seat))
          .map((style) => [style.offsetPath, style.offsetDistance])"""
    )
    assert all(path.startswith("ellipse") for path, _ in around), "the seats stand around the table"
    assert len({distance for _, distance in around}) == 1 + settings.ROOM_MAX_SPEAKERS
    assert around[0][1].startswith("calc(75% + 0%") or around[0][1] == "75%", f"the host at its head: {around[0]}"


def test_the_stage_reads_as_a_list(chromium: Chromium) -> None:
    """Host first, then speakers by place, each with what the eye sees; free chairs are one number."""
    room = open_room()
    ada = seated("ada", room)
    seated("bob", room)
    actions.set_muted(room.pk, ada, False, by=ada)
    page = chromium.room(room)
    stage = page.get_by_role("region", name="Stage")
    expect(stage.get_by_role("listitem")).to_have_count(3)
    texts = stage.locator(".seat-who .unseen").all_inner_texts()
    assert texts == ["Host, host, connection lost", "Ada, connection lost", "Bob, connection lost"]
    expect(stage.get_by_text("8 places free")).to_have_count(1)


def test_script_stays_within_its_budget(chromium: Chromium) -> None:
    """All script that a room page loads, compressed, is under 150 kB, in few files; the HLS player waits until it is
    needed."""
    loaded: list[str] = []
    asked: list[str] = []
    page = chromium.context().new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("request", lambda request: loaded.append(request.url) if request.resource_type == "script" else None)
    room = open_room()
    page.goto(chromium.url + room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    total = sum(len(gzip.compress(_file(url).read_bytes(), 9)) for url in loaded)
    inline = len(gzip.compress("".join(page.locator("script:not([src])").all_inner_texts()).encode(), 9))
    assert 0 < len(loaded) <= 4 and all("/static/joined/" in url for url in loaded), loaded
    assert len(asked) <= 10, asked  # the page, script, style, a font, the mark
    assert not [url for url in asked if "hls" in url]
    assert total + inline < 150_000, f"{total} + {inline} bytes in {len(loaded)} files"


def _file(url: str) -> Path:
    return Path(staticfiles_storage.path(re.sub(r"^.*/static/", "", url)))


def test_errors_look_like_the_house(web: Site, chromium: Chromium) -> None:
    page = chromium.page("/r/nothere234/", expect=404)
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    expect(page.get_by_role("link", name="See who is live")).to_be_visible()


def test_zoomed_to_twice_the_size(chromium: Chromium) -> None:
    """200 % on a desk is half the width in CSS pixels: everything is still there."""
    room = full_room()
    page = chromium.room(room, viewport={"width": 640, "height": 450}, device_scale_factor=2)
    assert not overflow(page)
    expect(page.locator("[data-bar] .main:visible")).to_be_in_viewport(ratio=1)


def test_times_are_in_the_chosen_zone(chromium: Chromium) -> None:
    """A reader who chose Tokyo sees Tokyo's clock, also in a browser that stands in Amsterdam."""
    host = person("host", creator=True)
    reader = person("guest")
    reader.time_zone = "Asia/Tokyo"
    reader.save(update_fields=["time_zone"])
    room = actions.open_room(host, title="What time is it?")
    started = timezone.now().replace(hour=1, minute=30, second=0, microsecond=0) - timedelta(days=2)
    Room.objects.filter(pk=room.pk).update(started_at=started)
    for user, clock in ((reader, "10:30"), (None, "02:30" if _is_winter(started) else "03:30")):
        page = chromium.page(room.get_absolute_url(), user, timezone_id="Europe/Amsterdam", locale="en-GB")
        expect(page.locator("time").filter(has_text=clock).first).to_be_visible()
        page.context.close()


def _is_winter(at: datetime) -> bool:
    return ZoneInfo("Europe/Amsterdam").utcoffset(at) == timedelta(hours=1)
