"""Own data in a real browser, made by a real worker: asked for with the password, downloaded, opened."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from mail.devmail import newest_mails
from people.models import DataExport
from tests.e2e.browser import PHONE, Chromium, in_every_look
from tests.support.people import PASSWORD, person
from tests.support.processes import Site, watched
from tests.support.waiting import wait_until


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The shared site, with a worker."""
    yield from watched(lent_site)


def test_a_person_asks_with_the_keyboard_waits_downloads_and_reads(chromium: Chromium, tmp_path: Path) -> None:
    anna = person("anna", about="I like trains")
    page = chromium.page("/settings/data/", anna, viewport=PHONE, java_script_enabled=False)
    page.get_by_role("button", name="Ask for my data").press("Enter")
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("We tell you when it is ready.")).to_be_visible()
    wait_until(lambda: DataExport.objects.filter(state="ready").exists(), seconds=60)
    wait_until(lambda: any("/settings/data/" in letter.text for letter in newest_mails(5)), seconds=10)
    page.reload()
    with page.expect_download() as got:
        page.get_by_role("link", name="Download the file").press("Enter")
    assert got.value.suggested_filename == f"own-data-anna-{timezone.now():%Y-%m-%d}.zip"
    got.value.save_as(tmp_path / "own.zip")
    with zipfile.ZipFile(tmp_path / "own.zip") as zipped:
        zipped.extractall(tmp_path)
    folder = tmp_path / "own-data-anna"
    assert json.loads((folder / "account.json").read_text())["about"] == "I like trains"
    guide = chromium.plain.new_page()
    guide.goto(f"file://{folder}/index.html")
    assert in_every_look(guide) == []
    guide.get_by_role("link", name="account.json").click()
    expect(guide.get_by_text("I like trains")).to_be_visible()
    guide.close()


def test_the_page_is_fine_in_every_state_and_look(chromium: Chromium) -> None:
    anna, now = person("anna", language="nl"), timezone.now()
    page = chromium.page("/settings/data/", anna)
    whole = {
        "file": "x" * 40,
        "sha256": "x",
        "size": 2_500_000,
        "ready_at": now,
        "expires_at": now + timedelta(days=7),
    }
    states: tuple[dict[str, object], ...] = (
        {"state": "waiting"},
        {"state": "ready", **whole},
        {"state": "failed", "ended_at": now},
        {"state": "expired", "ended_at": now},
    )
    for values in states:
        DataExport.objects.all().delete()
        DataExport.objects.create(person=anna, **values)
        chromium.go(page, "/settings/data/")
        assert in_every_look(page) == [], values["state"]
