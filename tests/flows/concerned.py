"""People concerned by a case, each before a page in Chromium: who reports, the host, listeners."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from moderation.models import Case, Report
from people.models import User
from rooms.models import Room
from tests.e2e.browser import PHONE, Chromium, overflow
from tests.e2e.hearing import LOUDNESS
from tests.flows.console import AUDIBLE, answering, clocks
from tests.flows.letters import link_in
from tests.flows.line import ADA_SPOKE, clock_time
from tests.support.people import PASSWORD
from tests.support.waiting import wait_until

AROUND = 5  # seconds of the clip on both sides of what was decided
GONE = "This recording is not available."


def send_report(page: Page, category: str, **typed: str) -> Case:
    """Fill in the form of a report that is open, fields by their labels, and send it: there is a receipt."""
    main = page.get_by_role("main")
    main.get_by_label("What happened?").select_option(category)
    for label, text in typed.items():
        main.get_by_label(label.replace("_", " "), exact=True).fill(text)
    main.get_by_label("As far as I know, what I say is true").check()
    main.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("heading", name="We received it")).to_be_visible()
    return Report.objects.select_related("case").get(receipt=page.locator("main code").inner_text()).case


def report_by_form(
    chromium: Chromium, reporter: User, room: Room, about: str, seconds: tuple[int, int] = ADA_SPOKE
) -> tuple[Case, Page]:
    """Report somebody in a room for harassment by the page's form; returns the case, and the page with the receipt."""
    page = chromium.page(f"/rooms/{room.slug}/report/?about={about}", reporter)
    expect(page.get_by_label("Whom is it about?")).to_have_value(about)
    page.get_by_label("In your own words (may stay empty)").fill("She insults him.")
    start, end = (clock_time(second) for second in seconds)
    return send_report(page, "harassment", From=start, To=end), page


class HostPages:
    """The dashboard and the replay of a host with one ended room, in one window."""

    def __init__(self, chromium: Chromium, room: Room) -> None:
        self.chromium, self.room = chromium, room
        self.page = chromium.page("/dashboard/", room.host)

    def clock(self) -> str:
        """Read what the clock of the room says to its host."""
        self.chromium.go(self.page, "/dashboard/")
        (text,) = clocks(self.page)
        return text

    def shows(self, state: str) -> None:
        """Look at the replay: playing, closed or gone."""
        shows_replay(self.chromium, self.page, self.room, state)


def shows_replay(chromium: Chromium, page: Page, room: Room, state: str) -> None:
    """Look at the replay of a room: playing, closed or gone."""
    chromium.go(page, f"/r/{room.slug}/replay/")
    expect(page.locator("[data-replay]")).to_have_attribute("data-state", state)
    if state == "closed":
        expect(page.get_by_text(GONE)).to_be_visible()
        expect(page.get_by_text("ill-disposed")).to_have_count(0)
    expect(page.locator("[data-audio]")).to_have_count(1 if state == "playing" else 0)


def suspended(chromium: Chromium, page: Page, until: str) -> None:
    """The only page that is left to a suspended account; `until` is part of what it says."""
    with answering(chromium, page, 403):
        chromium.go(page, "/dashboard/", 403)
    expect(page.get_by_role("heading", name="Your account is suspended")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(until)


def delete_account(chromium: Chromium, page: Page, user: User, note: str) -> None:
    """Delete the account of the person before a page; `note` is part of what the page says of theirs in particular."""
    chromium.go(page, "/settings/delete/")
    expect(page.get_by_role("region", name="For you, now")).to_contain_text(note)
    page.get_by_role("link", name="Go on to delete").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Your handle").fill(user.handle)
    page.get_by_label("Delete my account for good").check()
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Your account is deleted")).to_be_visible()


class AppealPage:
    """The page on which one side reads a decision, appeals it, and sees what becomes of that."""

    def __init__(self, chromium: Chromium, page: Page) -> None:
        self.chromium, self.page = chromium, page
        self.main = page.get_by_role("main")
        self.words = self.main.get_by_label("Why you see it differently")

    @classmethod
    def by_mail(cls, chromium: Chromium, letter: str) -> AppealPage:
        """Open the link of a mail on a phone that is signed in nowhere: the address has no secret any more."""
        page = chromium.page(link_in(letter), viewport=PHONE)
        assert page.url == f"{chromium.url}/appeal/"
        return cls(chromium, page)

    def hear(self, seconds: tuple[int, int]) -> None:
        """Play the clip by keyboard: there is sound, of these seconds with five on both sides and no more."""
        label = "–".join(clock_time(second) for second in seconds)
        audio = self.main.locator("audio").and_(self.page.get_by_label(label, exact=True))
        audio.evaluate("(one) => { one.defaultPlaybackRate = one.playbackRate = 3; }")  # it begins with silence
        audio.focus()
        self.page.keyboard.press("Space")
        wait_until(lambda: self.page.evaluate(LOUDNESS, 0.3) > AUDIBLE, 20, "the sound of the clip", 0)
        lasts = audio.evaluate("(one) => one.duration")
        wanted = seconds[1] - max(0, seconds[0] - AROUND) + AROUND
        assert abs(lasts - wanted) < 0.5, lasts
        audio.evaluate("(one) => one.pause()")

    def hear_again(self, code: str, seconds: tuple[int, int]) -> None:
        """Hear the clip after the appeal was filed, by a code that came by mail."""
        self.main.get_by_label("The code").fill(code)
        self.main.get_by_role("button", name="Listen", exact=True).click()
        self.hear(seconds)

    def type(self, words: str) -> None:
        """Type, and see that it is kept on the server."""
        self.words.fill(words)
        expect(self.page.locator("[data-saved]")).to_have_text("Saved.")

    def send(self) -> None:
        with self.page.expect_navigation():
            self.main.get_by_role("button", name="Send the appeal").click()
        self.shows("Your appeal has arrived")
        expect(self.main.get_by_role("button", name="Send the appeal")).to_have_count(0)

    def shows(self, state: str, *texts: str) -> None:
        """Load the page anew: it has the heading of a state, and says this. Nothing stands out of it."""
        self.page.reload()
        expect(self.main.get_by_role("heading", name=state, exact=True)).to_be_visible()
        for text in texts:
            expect(self.main).to_contain_text(text)
        assert overflow(self.page) == []
