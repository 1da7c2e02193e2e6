"""Deleting the account in a real browser, by keyboard: what is said before it, and that it is gone after it."""

from __future__ import annotations

from people.models import User
from tests.e2e.browser import Chromium, in_every_look
from tests.support.people import PASSWORD, person
from tests.support.rooms import prepared_room


def test_a_person_reads_what_goes_and_deletes_the_account_by_keyboard(chromium: Chromium) -> None:
    anna = person("anna", creator=True)
    prepared_room(anna)
    page = chromium.page("/settings/delete/", anna)
    wrong = [f"words: {text}" for text in in_every_look(page)]
    go_on = page.locator('a[href="/settings/delete/confirm/"]')
    go_on.focus()
    page.keyboard.press("Enter")
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/delete/confirm/")
    wrong += [f"confirmation: {text}" for text in in_every_look(page)]
    page.locator("#id_handle").focus()
    page.keyboard.type("@Anna")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "id_sure", "without the tick nothing is sent"
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/goodbye/")
    wrong += [f"goodbye: {text}" for text in in_every_look(page)]
    assert wrong == []
    assert User.objects.get(pk=anna.pk).deleted_at is not None
    chromium.go(page, "/settings/")
    assert "/accounts/login/" in page.url
