"""A member of staff before the console's pages in Chromium: what they press, and what they see.

The page of a case asks by itself who was on stage: leave it (`go`) before its room is purged, or Chromium complains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page, expect

from moderation.models import Case, Review
from people.models import User
from tests.e2e.browser import Chromium
from tests.e2e.hearing import LOUDNESS
from tests.support.waiting import wait_until

QUEUE = "/admin/moderation/case/"
REVIEWS = "/admin/moderation/review/"
FACTS = "You insulted a guest at 0:10, and went on when you were asked to stop."
PUBLIC = "A speaker insulted a guest."
AUDIBLE = 0.02  # of full scale
EVERY = "(all) => all.map((one) => one.dataset.queueCase)"
EVERY_REVIEW = "(all) => all.map((one) => one.dataset.queueReview)"
Measure = tuple[str, int | None]


@contextmanager
def answering(chromium: Chromium, page: Page, status: int) -> Iterator[None]:
    """Do what the site answers with this status: where it refuses, Chromium complains, as it should."""
    before = len(chromium.complaints)
    yield
    if status < 400:
        return
    refused = f"status of {status}"

    def complained() -> bool:
        page.wait_for_timeout(20)  # in which is read what Chromium says
        return any(refused in text for text in chromium.complaints[before:])

    wait_until(complained, 10, refused)
    chromium.complaints[before:] = [text for text in chromium.complaints[before:] if refused not in text]


class Console:
    """One window of a person; cases are opened in it one after another."""

    def __init__(self, chromium: Chromium, user: User, context: BrowserContext | None = None) -> None:
        self.chromium, self.user = chromium, user
        self.page = (context or chromium.context(user)).new_page()
        chromium.listen_to(self.page)

    def another(self, case: Case) -> Console:
        """A case in one more tab of the same browser."""
        tab = Console(self.chromium, self.user, self.page.context)
        tab.open(case)
        return tab

    def go(self, path: str, expect: int = 200) -> None:
        with answering(self.chromium, self.page, expect):
            self.chromium.go(self.page, path, expect)

    def press(self, name: str) -> None:
        """A button that leads to another page, or to this one anew."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=re.compile(rf"^{name}\b")).click()

    # --- the queue ----------------------------------------------------------------------------------------------------

    def cases(self, show: str = "open") -> list[int]:
        """Keys of the cases that the queue lists."""
        self.go(f"{QUEUE}?show={show}")
        return [int(key) for key in self.page.locator("[data-queue-case]").evaluate_all(EVERY)]

    def counted(self, tab: str, number: int) -> None:
        """See this number beside the name of a tab of the queue that is shown."""
        expect(self.page.get_by_role("link", name=f"{tab} {number}", exact=True)).to_be_visible()

    def next_case(self) -> int | None:
        """Take the next case; returns its key, None where no case is free."""
        if not re.search(rf"{QUEUE}(\?|$)", self.page.url):
            self.go(QUEUE)
        self.press("Next case")
        found = re.search(r"/case/(\d+)/", self.page.url)
        if found is None:
            expect(self.page.get_by_text("No case is free")).to_be_visible()
            return None
        self.ready()
        return int(found[1])

    # --- the page of a case -------------------------------------------------------------------------------------------

    def ready(self) -> None:
        self.page.wait_for_selector("body[data-ready]")

    def open(self, case: Case) -> None:
        self.go(f"{QUEUE}{case.pk}/")
        self.ready()

    def claim(self) -> None:
        self.press("Claim")
        expect(self.page.locator('[data-part="claim"]')).to_contain_text("Yours for 30 minutes")
        self.ready()

    def listen(self, seconds: str) -> None:
        """Play the range to its end, not muted: there is sound. `seconds` as the button has it, 0:10–0:14."""
        play = self.page.locator('[data-do="play"]')
        expect(play).to_contain_text(f"Listen to {seconds}")
        self.page.get_by_label("Speed").select_option("1.5")
        self.page.get_by_role("button", name="Unmute").click()
        play.click()
        expect(play).to_contain_text("Pause")
        wait_until(lambda: self.page.evaluate(LOUDNESS, 0.3) > AUDIBLE, 20, "the sound of recorded speech", 0)
        expect(play).to_contain_text(f"Listen to {seconds}")

    def read(self, *quoted: str) -> None:
        """Open the lines of the range, and quote some of them, each known by a few of its words."""
        self.page.get_by_role("button", name="Open the lines").click()
        expect(self.page.locator(".cue.inside").first).to_be_visible()
        for words in quoted:
            line = self.page.locator(".cue").filter(has_text=words)
            line.get_by_role("button", name="Quote").click()
            expect(line.get_by_role("button", name="Take back")).to_be_visible()

    def mark(self, seconds: str) -> None:
        self.page.get_by_role("button", name="Mark as evidence").click()
        expect(self.page.locator('[data-part="evidence"]')).to_contain_text(seconds)

    def show(self) -> None:
        """Open what was reported."""
        self.page.get_by_role("button", name="Open what was reported").click()
        expect(self.page.get_by_role("button", name="Open what was reported")).to_be_hidden()

    # --- deciding -----------------------------------------------------------------------------------------------------

    def draft(self, *measures: Measure, facts: str = FACTS, public: str = PUBLIC) -> None:
        """Fill in a violation; without days an account is suspended for good."""
        self.page.locator("[data-decide]").get_by_role("radio", name="Violation", exact=True).check()
        self.fill_in(*measures, facts=facts, public=public)

    def fill_in(self, *measures: Measure, facts: str = FACTS, public: str = PUBLIC) -> None:
        """Fill in rule, facts and measures of a violation."""
        form = self.page.locator("[data-decide]")
        form.get_by_label("Rule", exact=True).select_option(label="No harassment")
        form.get_by_label("Facts, as the person will read them").fill(facts)
        for key, days in measures:
            form.locator(f'[name="measure"][value="{key}"]').check()
            if days is not None:
                form.locator(f'[name="days_{key}"]').fill(str(days))
            elif key == "suspend":
                form.get_by_role("checkbox", name="for good").check()
        form.get_by_text("Ground, and facts for the public register").click()
        form.get_by_label("Facts without personal data").fill(public)

    def preview(self) -> None:
        self.press("Preview")
        expect(self.page.get_by_role("heading", name="Preview of the decision")).to_be_visible()

    def confirm(self) -> None:
        """Decide, or propose, from the preview."""
        sure = self.page.get_by_label("Yes, I am sure")
        if sure.count():
            sure.check()
        self.press("(Decide|Propose)")

    def decide(self, *measures: Measure) -> None:
        """Draft a violation, look at its preview, and decide."""
        self.draft(*measures)
        self.preview()
        self.confirm()
        expect(self.page.get_by_text("Decided. It is in force")).to_be_visible()

    def propose(self, *measures: Measure) -> None:
        self.draft(*measures)
        self.preview()
        self.confirm()
        expect(self.page.get_by_text("It waits for a second moderator").first).to_be_visible()

    def dismiss(self) -> None:
        """Decide that there was no violation."""
        self.page.locator("[data-decide]").get_by_role("radio", name="No violation").check()
        self.preview()
        expect(self.page.get_by_text("Nobody gets a statement.")).to_be_visible()
        self.confirm()
        expect(self.page.get_by_text("Decided. It is in force")).to_be_visible()

    def second_look(self, case: Case) -> None:
        """Open the proposal of a case from the queue."""
        assert self.cases("second") == [case.pk]
        self.page.get_by_role("link", name="Look and approve").click()
        expect(self.page.get_by_role("heading", name="Second look")).to_be_visible()

    def approve(self, case: Case) -> None:
        self.second_look(case)
        self.page.get_by_label("Yes, I am sure").check()
        self.press("Approve")
        expect(self.page.get_by_text("Approved. The decision is in force.")).to_be_visible()

    def turn_down(self, case: Case, reason: str) -> None:
        self.second_look(case)
        self.page.get_by_label("Why, for whoever proposed it").fill(reason)
        self.press("Turn down")
        expect(self.page.get_by_text("Turned down. The case is open again")).to_be_visible()

    def at_once(self, act: str) -> None:
        """Open an act before a decision, and tick that it is meant. The button is left to be pressed."""
        self.page.locator(".at-once summary").filter(has_text=act).click()
        self.page.locator(".at-once details[open]").get_by_label("Yes, I am sure").check()

    def clocks(self) -> list[str]:
        """Read the page's clocks: one on a case; on a preview two, now and after it."""
        return clocks(self.page)


class Reviews(Console):
    """The queue of appeals, and the page of a review, which plays and reads as that of a case does."""

    def reviews(self, show: str = "open") -> list[int]:
        """Keys of the reviews that the queue lists."""
        self.go(f"{REVIEWS}?show={show}")
        return [int(key) for key in self.page.locator("[data-queue-review]").evaluate_all(EVERY_REVIEW)]

    def next_review(self) -> int | None:
        """Take the next appeal; returns the key of its review, None where none is free."""
        self.go(REVIEWS)
        self.press("Next appeal")
        found = re.search(r"/review/(\d+)/", self.page.url)
        if found is None:
            expect(self.page.get_by_text("No appeal is free")).to_be_visible()
            return None
        self.ready()
        expect(self.page.locator('[data-part="claim"]')).to_contain_text("Yours for 30 minutes")
        return int(found[1])

    def open_review(self, review: Review, expect: int = 200) -> None:
        self.go(f"{REVIEWS}{review.pk}/", expect)

    def sees_no_review(self, review: Review) -> None:
        """A review that is not for somebody is like one that does not exist: no row, no next one, no page."""
        assert review.pk not in self.reviews() and self.next_review() is None
        self.open_review(review, 404)

    def give(self, review: Review, outside: User, why: str) -> None:
        """Give a review that nobody of the staff may decide to an outside reviewer."""
        self.go(REVIEWS)
        self.page.locator(f'[data-stranded="{review.pk}"]').click()
        self.page.get_by_label("Outside reviewer", exact=True).select_option(str(outside.pk))
        self.page.get_by_label("Why").fill(why)
        self.press("Give it")
        expect(self.page.get_by_text("Given. They see this appeal from now on, and nothing else.")).to_be_visible()

    def uphold(self, reasons: str) -> None:
        self._outcome("upheld", reasons)
        self._decide()

    def overturn(self, reasons: str) -> None:
        self._outcome("overturned", reasons)
        self._decide()

    def replace(self, reasons: str, *measures: Measure) -> None:
        """Overturn a decision by a new one."""
        self._outcome("replaced", reasons)
        self.fill_in(*measures)
        self._decide()

    def _outcome(self, verdict: str, reasons: str) -> None:
        form = self.page.locator("[data-decide]")
        form.locator(f'[name="verdict"][value="{verdict}"]').check()
        form.get_by_label("Reasons", exact=True).fill(reasons)

    def _decide(self) -> None:
        """Look at the preview, and decide."""
        self.press("Preview")
        expect(self.page.get_by_role("heading", name="Preview of the outcome")).to_be_visible()
        self.confirm()
        expect(self.page.get_by_text("Decided. Everybody whom it concerns is told.")).to_be_visible()


def clocks(page: Page) -> list[str]:
    """Read what the clocks of a page say, each in one line."""
    return [" ".join(text.split()) for text in page.locator("[data-retention]").all_inner_texts()]
