"""A title that moderators remove, on pages that are open."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from rooms import actions
from tests.e2e.browser import Chromium
from tests.support.people import person
from tests.support.rooms import open_room


def test_a_title_that_moderators_remove_goes_from_open_pages_in_the_words_of_their_reader(chromium: Chromium) -> None:
    """With its topic, from the heading, the table and what is told about the room; both come back."""
    room = open_room(title="Insulting title", topic="More of it")
    page = chromium.room(room, person("nel", language="nl"))
    heading, topic = page.get_by_role("heading", level=1), page.locator("[data-on-table]")
    expect(topic).to_have_text("More of it")
    row = actions.take_down_title(room, None)
    expect(heading).to_have_text("Titel verwijderd")
    expect(heading).to_have_attribute("lang", "nl")
    expect(page).to_have_title(re.compile("^Titel verwijderd"))
    assert "More of it" not in page.locator("main").inner_text() and topic.inner_text() == ""
    actions.put_back_title(row, None)
    expect(heading).to_have_text("Insulting title")
    expect(heading).to_have_attribute("lang", "en")
    expect(topic).to_have_text("More of it")
