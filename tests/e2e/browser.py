"""A browser for each person of a test: Debian's Chromium, with a microphone that plays a file."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from people.models import User
from rooms.models import Room
from tests.support.people import session_cookie


def program(*paths: str) -> str | None:
    """The browser that the environment names, else Debian's at the first of `paths`, else (Ubuntu packs it as a snap)
    None for the one that Playwright brought."""
    return os.environ.get("CHROMIUM") or next((path for path in paths if Path(path).exists()), None)


# Draws no windows around pages, which takes a third of the processor.
BROWSER = program("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """(options) => {
  if (!window.axe) return false;
  window.violations = null;
  axe.run(document, options).then((results) => { window.violations = results.violations; });
  return true;
}"""
WITHIN = 10_000  # ms to wait for something to appear
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
Scheme = Literal["light", "dark"]
Look = tuple[dict[str, int], Scheme]
LOOKS: tuple[Look, ...] = ((PHONE, "light"), (PHONE, "dark"), (DESK, "dark"), (DESK, "light"))
# The rules of axe-core that a colour can break.
COLOUR_RULES = ("color-contrast", "link-in-text-block")
# Has the page as it would be loaded in the window and scheme that it has now: Chromium leaves what lies on a path that
# is as wide as its container where it was until its style is touched, and what moves or fades is between two states.
SETTLE = """async () => {
  await new Promise(requestAnimationFrame);
  const onPaths = [...document.querySelectorAll(".seat")];
  for (const path of ["none", ""]) {
    for (const each of onPaths) each.style.offsetPath = path;
    document.body.getBoundingClientRect();
  }
  await new Promise(requestAnimationFrame);
  for (const each of document.getAnimations()) if (each instanceof CSSTransition) each.finish();
  await new Promise(requestAnimationFrame);
}"""
# Chromium says so of every page that asks whether sound may start without a click: asking is how one finds out. And of
# a page whose next question for the list of pieces, or of the audience, comes just after the right to it ended.
EXPECTED = re.compile(r"AudioContext was not allowed to start|status of (403|410) .*/(live\.m3u8|audience/)")

# Pages of all contexts share a process: starting one is a quarter of what a page costs.
ONE_RENDERER = "--renderer-process-limit=1"
# Pages live for seconds: compilers that make long-lived ones quick cost more than they save here.
QUICK_COMPILER = "--js-flags=--no-opt --no-maglev"
# A microphone that is no device, allowed without a question.
MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")

# Keeps what pages set, so that a test can press what a headset or a lock screen would.
MEDIA_HANDLERS = """
window.handlers = {};
const set = MediaSession.prototype.setActionHandler;
MediaSession.prototype.setActionHandler = function (name, handler) {
  window.handlers[name] = handler;
  return set.call(this, name, handler);
};
"""
MEDIA_SHOWN = """() => {
  const { title, artist, artwork } = navigator.mediaSession.metadata;
  return { title, artist, artwork: artwork.map((one) => one.src) };
}"""

# What draws on each frame does so ten times a second, as on a slow screen: painting without a graphics card takes a
# third of the time of pages with sound. What waits for one frame waits no longer than ever.
SLOW_SCREEN = """{
  const next = window.requestAnimationFrame.bind(window);
  let drawing = false;
  window.requestAnimationFrame = (draw) => {
    const frame = (at) => {
      drawing = true;
      try { draw(at); } finally { drawing = false; }
    };
    return drawing ? setTimeout(() => next(frame), 100) : next(frame);
  };
}"""


class Chromium:
    """Opens pages and remembers what they complain of.

    `shared` is where the browser of everybody who needs nothing special is kept from test to test: whoever made the
    list closes it. Contexts, which have the cookies, caches and storage, are closed here.
    """

    def __init__(self, playwright: Playwright, url: str, shared: list[Browser] | None = None) -> None:
        self.playwright, self.url = playwright, url
        self.complaints: list[str] = []
        self.browsers: list[Browser] = []
        self.contexts: list[BrowserContext] = []
        self.shared = shared
        self.within = WITHIN  # for every page opened from then on
        self._plain: Browser | None = None

    def launch(self, *flags: str) -> Browser:
        """Another browser process; microphones are chosen by process."""
        browser = self._start(*flags)
        self.browsers.append(browser)
        return browser

    def _start(self, *flags: str) -> Browser:
        return self.playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", *flags])

    def with_microphone(self, sound: Path, *flags: str) -> Browser:
        """A browser whose microphone plays this WAV over and over, allowed without a question."""
        return self.launch(*MICROPHONE, f"--use-file-for-fake-audio-capture={sound}", *flags)

    @property
    def plain(self) -> Browser:
        """The browser of everybody who needs nothing special; its microphone beeps."""
        if self._plain is None:
            self._plain = next((browser for browser in self.shared or () if browser.is_connected()), None)
        if self._plain is None:
            self._plain = self._start(ONE_RENDERER, QUICK_COMPILER, *MICROPHONE)
            (self.browsers if self.shared is None else self.shared).append(self._plain)
        return self._plain

    def context(self, user: User | None = None, *, browser: Browser | None = None, **options: Any) -> BrowserContext:
        """One person's cookies and window."""
        # Without a window it wants to be told that the microphone is allowed.
        options = {"viewport": DESK, "locale": "en-GB", "permissions": ["microphone"], **options}
        context = (browser or self.plain).new_context(**options)
        self.contexts.append(context)
        context.add_init_script(SLOW_SCREEN)
        context.set_default_timeout(self.within)
        if user is not None:
            name, value = session_cookie(user).split("=", 1)
            context.add_cookies([{"name": name, "value": value, "url": self.url}])
        return context

    def page(self, path: str, user: User | None = None, *, expect: int = 200, **options: Any) -> Page:
        """A page, loaded."""
        page = self.context(user, **options).new_page()
        self.listen_to(page, expect)
        self.go(page, path, expect)
        return page

    def go(self, page: Page, path: str, expect: int = 200) -> None:
        """Load another page in the same window."""
        answer = page.goto(self.url + path)
        assert answer is not None and answer.status == expect, f"{path}: {answer and answer.status}"

    def room(self, room: Room, user: User | None = None, **options: Any) -> Page:
        """A room's page, with its line to the room open."""
        page = self.page(room.get_absolute_url(), user, **options)
        page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
        return page

    def listen_to(self, page: Page, expect: int = 200) -> None:
        def complain(text: str) -> None:
            if not EXPECTED.search(text) and not (expect >= 400 and f"status of {expect}" in text):
                self.complaints.append(f"{page.url}: {text}")

        page.on("pageerror", lambda error: complain(str(error)))
        page.on("console", lambda line: complain(told_by(line)) if is_trouble(line) else None)

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        for browser in self.browsers:
            browser.close()


def start_sound(page: Page) -> None:
    """Press Listen, unless sound started by itself: what Playwright does counts as a click to Chromium, sometimes."""
    button = page.locator('[data-do="listen"]')
    page.wait_for_timeout(600)  # script asks for a quarter of a second whether sound may start
    if button.is_visible():
        button.click()
    expect(button).to_be_hidden()


def sit_down_and_speak(page: Page) -> None:
    """Through the check to the table, and open the microphone."""
    button = page.locator('[data-do="take_seat"], [data-do="unmute"]').locator("visible=true")
    sits = button.get_attribute("data-do") == "unmute"
    button.click()
    page.locator("[data-check-consent]").check()
    page.locator("[data-check-open]").click()
    expect(page.get_by_text("This network lets you speak.")).to_be_visible(timeout=30_000)
    page.locator("[data-check-go]").click()
    if not sits:  # who pressed Unmute has said so already
        expect(page.get_by_text("You sit at the table.")).to_be_visible(timeout=30_000)
        page.locator('[data-do="unmute"]').click()
    expect(page.locator('[data-do="mute"]')).to_be_visible(timeout=30_000)


def is_trouble(line: ConsoleMessage) -> bool:
    """Errors and warnings, but for a playlist that is not there yet: listeners ask until it is."""
    early = line.location.get("url", "").endswith("/live.m3u8") and re.search(r"status of (404|503)", line.text)
    return line.type in ("error", "warning") and not early


def told_by(line: ConsoleMessage) -> str:
    """The line and, where something did not load, its address: it need not be the page's."""
    return f"{line.text} ({line.location.get('url', '')})"


def axe(page: Page, rules: Sequence[str] = (), but_for: Sequence[str] = ()) -> list[str]:
    """List axe-core's violations on the page as it is now: WCAG 2.2 AA and its best practices, or of these rules;
    `but_for` leaves some out."""
    # It would load style sheets that others import by a style element, which the pages' policy forbids.
    options = {
        "resultTypes": ["violations"],
        "preload": False,
        "rules": {rule: {"enabled": False} for rule in but_for},
        **({"runOnly": {"type": "rule", "values": rules}} if rules else {}),
    }
    if not page.evaluate(RUN_AXE, options):
        page.evaluate(AXE.read_text())
        page.evaluate(RUN_AXE, options)
    # A page without script never finishes: this ends, where waiting for a promise would not.
    found = page.wait_for_function("() => window.violations", timeout=60_000).json_value()
    return [f"{one['id']}: {one['help']}: {[_place(node) for node in one['nodes'][:3]]}" for one in found]


def _place(node: dict[str, Any]) -> str:
    return f"{node['html'][:160]} ({node['failureSummary'][:200]})"


def overflow(page: Page) -> list[str]:
    """List elements beyond the page's right edge, apart from those in a box that scrolls."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1)
            .map((e) => e.outerHTML.slice(0, 120)).slice(0, 5);
        }"""
    )


def resize(page: Page, width: int, height: int) -> None:
    """Give the page another window, and wait until it fits."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(SETTLE)


def in_every_look(page: Page, looks: Sequence[Look] = LOOKS) -> list[str]:
    """List what `axe` and `overflow` find on a page in each look. It is loaded once: a look is style alone.

    Another size shows and hides parts, so axe runs in full in each. Another scheme changes colours alone
    (`tests/test_styles.py` sees to it), so in a size that was looked at only the rules about colours run again.
    """
    wrong, sizes = [], list[dict[str, int]]()
    for size, scheme in looks:
        page.emulate_media(color_scheme=scheme)
        resize(page, **size)
        found = axe(page, COLOUR_RULES if size in sizes else ()) + overflow(page)
        wrong += [f"{size['width']} px, {scheme}: {text}" for text in found]
        sizes.append(size)
    return wrong


def in_every_size(page: Page) -> list[str]:
    """List what `axe` and `overflow` find in either size, but for colours: for a page that `in_every_look` looked at in
    another language. Words may be nameless, too long or too many, and have the colours that they had
    (`tests/test_styles.py` sees to it)."""
    wrong = []
    for size in (PHONE, DESK):
        resize(page, **size)
        wrong += [f"{size['width']} px: {text}" for text in axe(page, but_for=COLOUR_RULES) + overflow(page)]
    return wrong
