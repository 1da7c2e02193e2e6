"""People in a real browser: signing up, a picture, another time zone, a passkey instead of a password."""

from __future__ import annotations

import io
import re

from allauth.mfa.models import Authenticator
from PIL import Image
from playwright.sync_api import Page, expect

from mail.devmail import newest_mails
from people.actions.standing import impose_sanction
from people.models import User
from tests.e2e.browser import DESK, PHONE, Chromium, axe, in_every_look, overflow
from tests.support.people import PASSWORD, api_client, person
from tests.support.staff import SECRET
from tests.support.ways_in import code_of


def enter(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.fill(f"#id_{name}", value)


def link_in_mail() -> str:
    """The link of the newest mail that the site has written down."""
    found = re.search(r"http://\S+/accounts/\S+", newest_mails(1)[0].text)
    assert found
    return found[0]


def fine(page: Page) -> None:
    assert axe(page) == [] and overflow(page) == []


def test_signing_up_with_keys_only_after_two_mistakes(chromium: Chromium) -> None:
    person("anna")
    page = chromium.page("/accounts/signup/?next=/creators/", viewport=PHONE, timezone_id="Asia/Tokyo")
    for words in ("Anna de Wit", "anna", "new@example.org", "a long walk home"):
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.tagName") != "INPUT":
            page.keyboard.press("Tab")
        page.keyboard.type(words)
    page.fill("#id_born", "2020-02-02")
    page.check("#id_rules")
    page.keyboard.press("Enter")
    expect(page.locator("[data-summary]")).to_be_focused()
    expect(page.get_by_role("link", name="You must be 16 or older to have an account")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Somebody has this handle already")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#id_email")).to_be_focused()  # the link has led to the handle's field, before it
    expect(page.locator("#id_email")).to_have_value("new@example.org")
    expect(page.locator("#id_username")).to_have_attribute("aria-invalid", "true")
    fine(page)
    enter(page, username="anna-w", password1="a long walk home", born="1990-05-04")
    page.get_by_role("button", name="Make my account").click()
    page.wait_for_url(re.compile("/accounts/confirm-email/$"))
    expect(page.get_by_role("heading", name="Look in your mail")).to_be_visible()
    fine(page)
    page.goto(link_in_mail())
    page.get_by_role("button", name="Yes, confirm it").click()
    page.wait_for_url(re.compile("/creators/$"))
    anna = User.objects.get(handle="anna-w")
    assert (anna.display_name, anna.time_zone) == ("Anna de Wit", "Asia/Tokyo")


def test_a_picture_and_the_zone_of_this_device(chromium: Chromium) -> None:
    anna = person("anna")
    page = chromium.page("/settings/", anna, timezone_id="Asia/Tokyo")
    page.get_by_role("button", name="Asia/Tokyo").click()
    expect(page.locator("#id_time_zone")).to_have_value("Asia/Tokyo")
    expect(page.locator("#zone-offer")).to_be_hidden()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    photo = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(photo, "JPEG")
    page.set_input_files("#id_picture", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()})
    page.get_by_role("button", name="Use this picture").click()
    expect(page.get_by_text("Your new picture is saved.")).to_be_visible()
    expect(page.locator("main .avatar img")).to_have_js_property("naturalWidth", 512)
    fine(page)
    anna.refresh_from_db()
    assert anna.time_zone == "Asia/Tokyo" and anna.picture


def test_following_without_script(chromium: Chromium) -> None:
    anna = person("anna")
    person("bert")
    page = chromium.page("/people/bert/", anna, java_script_enabled=False)
    page.get_by_role("button", name="Follow Bert", exact=True).click()
    page.get_by_role("button", name="Unfollow Bert", exact=True).click()
    expect(page.get_by_role("button", name="Follow Bert", exact=True)).to_be_visible()


def signed_in_with_a_device(chromium: Chromium) -> Page:
    """A page of somebody who has just signed in, in a browser with a device that makes passkeys without a question."""
    page = chromium.page("/accounts/login/")
    key = page.context.new_cdp_session(page)
    key.send("WebAuthn.enable")
    facts = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**facts, "isUserVerified": True, "automaticPresenceSimulation": True}
    key.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    enter(page, login="anna", password=PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile("/$"))
    return page


def fine_in_every_look(page: Page, heading: str) -> None:
    """Wait for a page, and look at it on a phone and a desk, light and dark."""
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert in_every_look(page) == []


def test_every_page_of_the_second_step_is_fine(chromium: Chromium) -> None:
    """An app and a passkey are set up, used, and removed again."""
    anna = person("anna")
    page = signed_in_with_a_device(chromium)
    page.goto(f"{chromium.url}/accounts/2fa/")
    fine_in_every_look(page, "Second step and passkeys")
    page.get_by_role("link", name="Set up an app").click()
    fine_in_every_look(page, "Is it you?")
    enter(page, password=PASSWORD)
    page.get_by_role("button", name="Go on").click()
    fine_in_every_look(page, "Set up an authenticator app")
    enter(page, code="000000")
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    assert in_every_look(page) == []
    enter(page, code=code_of(page.locator("#authenticator_secret").inner_text()))
    page.get_by_role("button", name="Set it up").click()
    fine_in_every_look(page, "Recovery codes")
    codes = page.locator("#recovery_codes").input_value().split("\n")
    assert len(codes) == 10 and all(re.fullmatch(r"\d{8}", code) for code in codes)
    page.locator("#recovery_codes").click()
    assert page.evaluate("getSelection().toString()").split() == codes
    page.get_by_role("link", name="Make new codes").click()
    fine_in_every_look(page, "New recovery codes")
    page.get_by_role("button", name="Make new codes").click()
    fine_in_every_look(page, "Recovery codes")
    page.get_by_role("link", name="Done").click()
    add_and_rename_a_passkey(page)
    confirm_again_each_way(page, chromium.url)
    use_the_passkey_after_the_password(page, chromium.url)
    remove_all(page, chromium.url)
    assert not Authenticator.objects.filter(user=anna).exists()


def add_and_rename_a_passkey(page: Page) -> None:
    page.get_by_role("link", name="Add a passkey").click()
    fine_in_every_look(page, "Add a passkey")
    enter(page, name="Laptop")
    page.get_by_role("button", name="Add the passkey").click()
    fine_in_every_look(page, "Second step and passkeys")
    page.get_by_role("link", name="Manage your passkeys").click()
    fine_in_every_look(page, "Passkeys")
    page.get_by_role("link", name="Rename the passkey Laptop").click()
    fine_in_every_look(page, "Rename the passkey")
    enter(page, name="My laptop")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("My laptop", exact=True)).to_be_visible()


def confirm_again_each_way(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/reauthenticate/?next=/accounts/2fa/")
    fine_in_every_look(page, "Is it you?")
    page.get_by_role("link", name="With a code").click()
    expect(page.get_by_label("Code")).to_be_visible()
    assert in_every_look(page) == []
    page.get_by_role("link", name="With a passkey").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    assert in_every_look(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile("/accounts/2fa/$"))


def use_the_passkey_after_the_password(page: Page, url: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{url}/accounts/login/?next=/settings/")
    enter(page, login="anna", password=PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    fine_in_every_look(page, "Your second step")
    enter(page, code="000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("[data-summary]")).to_be_focused()
    assert in_every_look(page) == []
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(re.compile("/accounts/login/$"))
    page.goto(f"{url}/accounts/login/?next=/settings/")
    enter(page, login="anna", password=PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile("/settings/$"))


def remove_all(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/2fa/totp/deactivate/")
    enter(page, password=PASSWORD)
    page.get_by_role("button", name="Go on").click()
    fine_in_every_look(page, "Remove the authenticator app?")
    page.get_by_role("button", name="Remove the app").click()
    expect(page.get_by_text("Your authenticator app is removed, and your other sessions have ended.")).to_be_visible()
    page.get_by_role("link", name="Manage your passkeys").click()
    page.get_by_role("link", name="Remove the passkey My laptop").click()
    fine_in_every_look(page, "Remove the passkey?")
    expect(page.get_by_text("It is your only second step.")).to_be_visible()
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("You have no passkey.")).to_be_visible()
    assert in_every_look(page) == []


def test_a_passkey_opens_the_door_without_a_password(chromium: Chromium) -> None:
    person("anna")
    page = signed_in_with_a_device(chromium)
    page.goto(f"{chromium.url}/accounts/2fa/webauthn/add/")
    enter(page, password=PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.check("#id_passwordless")
    page.get_by_role("button", name="Add the passkey").click()
    page.wait_for_url(re.compile("/accounts/2fa/recovery-codes/$"))
    page.context.clear_cookies()
    page.goto(f"{chromium.url}/accounts/login/?next=/settings/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile("/settings/$"))


def fine_on_a_desk_and_a_phone(page: Page) -> None:
    """By day on a desk, by night on a phone, on which it goes on."""
    assert in_every_look(page, ((DESK, "light"), (PHONE, "dark"))) == []


def test_pages_of_credentials_are_for_everybody(chromium: Chromium) -> None:
    anna = person("anna")
    api_client(anna)
    page = chromium.page("/settings/sessions/", anna, viewport=PHONE)
    expect(page.get_by_text("A program", exact=True)).to_be_visible()
    fine_on_a_desk_and_a_phone(page)
    page.get_by_role("button", name="Take back the token A program").click()
    expect(page.get_by_text("The token no longer works.")).to_be_visible()
    page.get_by_role("link", name="Make a token").click()
    enter(page, password=PASSWORD)
    page.get_by_role("button", name="Go on").click()
    fine_on_a_desk_and_a_phone(page)
    enter(page, name="My bot")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    fine_on_a_desk_and_a_phone(page)
    impose_sanction(anna, "suspended", None, "shouting")
    page = chromium.page("/settings/", anna, expect=403, viewport=PHONE)
    expect(page.get_by_role("heading", name="Your account is suspended")).to_be_visible()
    fine_on_a_desk_and_a_phone(page)
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/$"))


def test_staff_set_up_and_use_a_second_step(chromium: Chromium) -> None:
    boss = person("boss", is_staff=True, is_superuser=True)
    page = chromium.page("/accounts/login/?next=/admin/people/user/", viewport=PHONE)
    enter(page, login="boss", password=PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Set up your second step")).to_be_visible()
    fine_on_a_desk_and_a_phone(page)
    page.get_by_role("link", name="An authenticator app").click()
    enter(page, password=PASSWORD)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("#authenticator_secret").inner_text()
    enter(page, code=code_of(secret))
    page.get_by_role("button", name="Set it up").click()
    fine_on_a_desk_and_a_phone(page)
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", name="Confirm your second step")).to_be_visible()
    fine_on_a_desk_and_a_phone(page)
    Authenticator.objects.filter(user=boss, type="totp").update(data={"secret": SECRET})  # a code is good once
    page.get_by_role("link", name="With a code").click()
    fine_on_a_desk_and_a_phone(page)
    enter(page, code=code_of(SECRET))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(re.compile("/admin/people/user/$"))
    expect(page.get_by_role("link", name="boss")).to_be_visible()


def test_staff_choose_when_a_sanction_ends_with_the_calendar(chromium: Chromium) -> None:
    anna, boss = person("anna"), person("boss", is_staff=True, is_superuser=True)
    page = chromium.page(f"/admin/people/user/{anna.pk}/act/sanction/", boss, viewport=PHONE, timezone_id="UTC")
    assert overflow(page) == []
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_label("Until, day")).to_have_value(re.compile(r"^\d{4}-\d\d-\d\d$"))
    enter(page, ends_at_1="23:59:59", why="shouting")
    page.get_by_role("button", name="Impose a sanction").click()
    page.wait_for_url(re.compile(f"/admin/people/user/{anna.pk}/change/$"))
    assert anna.sanctions.get().ends_at is not None
