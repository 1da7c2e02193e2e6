"""Pictures, names and texts that moderators removed: gone everywhere, not replaced, and back as they were."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from PIL import Image

from ledger.models import Entry
from people import hooks
from people.actions import account, takedowns
from people.actions.standing import impose_sanction
from people.admin.users import PersonAdmin
from people.models import ProfileTakedown, User
from people.refusals import PeopleRefused
from tests.support.people import api_client, person
from tests.support.rooms import open_room
from tests.support.staff import sign_in_staff

pytestmark = pytest.mark.django_db(transaction=True)


def upload() -> SimpleUploadedFile:
    written = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(written, "PNG")
    return SimpleUploadedFile("a.png", written.getvalue())


def with_picture(handle: str = "anna") -> User:
    return account.set_picture(person(handle, creator=True), upload())


def files(folder: str) -> list[Path]:
    return sorted((Path(settings.MEDIA_ROOT) / folder).glob("*.webp"))


def test_a_picture_is_served_to_nobody_also_by_its_old_address_and_comes_back() -> None:
    anna, staff = with_picture(), person("staff")
    address, content = anna.picture_url, b"".join(Client().get(anna.picture_url))
    row = takedowns.take_down_picture(anna, staff)
    anna.refresh_from_db()
    assert anna.picture_url == "" and Client().get(address).status_code == 404
    assert files("people") == [] and [file.name in row.kept_as for file in files("withdrawn")] == [True]
    assert Client().get(f"/pictures/{row.kept_as}").status_code == 404
    assert address not in Client().get("/people/anna/").content.decode()
    assert takedowns.put_back_profile(row, staff) and not takedowns.put_back_profile(row, staff)
    anna.refresh_from_db()
    assert anna.picture_url == address and b"".join(Client().get(address)) == content and files("withdrawn") == []
    acts = Entry.objects.filter(subject=f"person:{anna.pk}", actor=staff.pk).order_by("seq")
    assert list(acts.values_list("kind", flat=True)) == ["profile_taken_down", "profile_put_back"]


def test_the_owner_reads_it_and_cannot_choose_another_picture() -> None:
    anna = with_picture()
    takedowns.take_down_picture(anna, None)
    client = Client()
    client.force_login(anna)
    page = client.get("/settings/").content.decode()
    assert "Moderators removed your picture" in page and 'name="picture"' not in page
    answer = client.post("/settings/picture/", {"picture": upload()})
    assert answer.status_code == 403 and files("people") == []
    assert client.post("/settings/picture/", {"remove": "yes"}).status_code == 403


def test_name_and_text_are_gone_and_cannot_be_typed_again() -> None:
    anna = person("anna", name="Rude Name", about="Rude text", creator=True)
    room = open_room(anna)
    row = takedowns.take_down_profile(anna, None)
    for page in ("/people/anna/", f"/r/{room.slug}/", "/", "/api/v1/people/anna/"):
        assert "Rude" not in Client().get(page).content.decode(), page
    anna.refresh_from_db()
    for changes in ({"display_name": "Rude Name"}, {"about": "Rude text"}):
        with pytest.raises(PeopleRefused, match="profile_taken_down"):
            account.update_profile(User.objects.get(pk=anna.pk), **changes)
    found = api_client(anna).patch("/api/v1/me/", {"name": "Rude Name"}, content_type="application/json")
    assert (found.status_code, found.json()["error"]["code"]) == (403, "profile_taken_down")
    client = Client()
    client.force_login(anna)
    assert "Moderators removed your name and text" in client.get("/settings/").content.decode()
    kept = {"display_name": anna.display_name, "about": "", "language": "nl", "time_zone": "UTC"}
    assert client.post("/settings/", {**kept, "about": "Rude"}).status_code == 403
    assert client.post("/settings/", kept).status_code == 302, "everything else can be changed"
    takedowns.put_back_profile(row, None)
    anna.refresh_from_db()
    assert (anna.display_name, anna.about, anna.language) == ("Rude Name", "Rude text", "nl")


@pytest.mark.parametrize("first_lifted", [0, 1])
def test_two_decisions_are_lifted_one_by_one_in_any_order(first_lifted: int) -> None:
    anna = with_picture()
    address = anna.picture_url
    rows = [takedowns.take_down_picture(anna, None, f"decision:{n}") for n in (1, 2)]
    assert takedowns.take_down_picture(anna, None, "decision:1") == rows[0]
    names = [takedowns.take_down_profile(anna, None, f"decision:{n}") for n in (1, 2)]
    for pair in (rows, names):
        takedowns.put_back_profile(pair[first_lifted], None)
        anna.refresh_from_db()
    assert anna.picture_url == "" and anna.display_name == "anna"
    for pair in (rows, names):
        takedowns.put_back_profile(pair[1 - first_lifted], None)
    anna.refresh_from_db()
    assert anna.picture_url == address and anna.display_name == "Anna"
    assert Client().get(address).status_code == 200 and files("withdrawn") == []


def test_a_decision_that_fails_later_leaves_everything_as_it_was() -> None:
    anna = with_picture()
    with pytest.raises(RuntimeError), transaction.atomic():
        takedowns.take_down_picture(anna, None)
        raise RuntimeError
    assert Client().get(anna.picture_url).status_code == 200 and not ProfileTakedown.objects.exists()


def test_files_that_a_killed_process_left_are_deleted() -> None:
    anna, other = with_picture(), with_picture("other")
    served = Path(settings.MEDIA_ROOT) / str(anna.picture.name)
    row = takedowns.take_down_picture(anna, None)
    served.write_bytes(b"left over")
    unneeded = Path(settings.MEDIA_ROOT) / "withdrawn" / f"{'0' * 32}.webp"
    fresh = unneeded.with_name(f"{'1' * 32}.webp")
    unneeded.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(unneeded, (time.time() - 2 * 24 * 3600,) * 2)
    takedowns.remove_left_pictures()
    assert not served.exists() and not unneeded.exists() and fresh.exists()
    assert Client().get(other.picture_url).status_code == 200
    takedowns.put_back_profile(row, None)
    assert served.read_bytes()[:4] == b"RIFF"


def test_a_lifted_takedown_is_final() -> None:
    row = takedowns.take_down_profile(person("anna"), None)
    takedowns.put_back_profile(row, None)
    with pytest.raises(DatabaseError), transaction.atomic():
        ProfileTakedown.objects.filter(pk=row.pk).update(lifted_at=None)


def test_a_suspended_account_opens_the_pages_that_apps_registered_and_no_others() -> None:
    anna, client = person("anna"), Client()
    impose_sanction(anna, "suspended", None, "shouting")
    client.force_login(anna)
    assert client.get("/settings/sessions/").status_code == 403
    hooks.open_when_suspended.register("test")(lambda: ("people:sessions", "people:end_token"))
    try:
        assert client.get("/settings/sessions/").status_code == 200
        assert client.get("/settings/").status_code == client.get("/nowhere/").status_code == 403
        paths, pages = ("/settings/token/7/end/", "/settings/token/", "//"), hooks.open_when_suspended
        opened = [hooks.is_named(path, pages) for path in paths]
        assert opened == [True, False, False]
    finally:
        hooks.open_when_suspended.unregister("test")
    assert client.get("/settings/sessions/").status_code == 403


def admin_form(user: User, **changes: str) -> dict[str, str]:
    """The form of an account in the admin, as a page that was loaded now sends it back."""
    user.refresh_from_db()
    names = ("handle", "display_name", "about", "email", "language", "time_zone")
    return {name: str(getattr(user, name)) for name in names} | changes


def test_staff_who_save_an_account_neither_undo_a_takedown_of_its_name_nor_lose_by_its_undo() -> None:
    anna, boss = person("anna", name="Anna", about="I write."), person("boss", is_staff=True, is_superuser=True)
    browser, page = sign_in_staff(Client(), boss), f"/admin/people/user/{anna.pk}/change/"
    old = admin_form(anna)
    row = takedowns.take_down_profile(anna, boss)
    for form in (old, admin_form(anna, display_name="Better"), admin_form(anna, about="Other words.")):
        answer = browser.post(page, form)
        assert answer.status_code == 200 and "once that decision is undone" in answer.content.decode()
    assert browser.post(page, admin_form(anna, language="nl")).status_code == 302, "all else is saved"
    anna.refresh_from_db()
    assert (anna.display_name, anna.about, anna.language) == ("anna", "", "nl")
    takedowns.put_back_profile(row, boss)
    assert browser.post(page, admin_form(anna, display_name="Anna B.")).status_code == 302
    anna.refresh_from_db()
    assert (anna.display_name, anna.about, anna.language) == ("Anna B.", "I write.", "nl")


def test_a_takedown_between_reading_an_account_and_saving_it_in_the_admin_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna, boss = person("anna", name="Anna", about="I write."), person("boss", is_staff=True, is_superuser=True)
    form = admin_form(anna, language="nl")
    real = PersonAdmin.get_object

    def late(self: PersonAdmin, *args: Any) -> User | None:
        found = real(self, *args)
        takedowns.take_down_profile(anna, boss)
        return found

    monkeypatch.setattr(PersonAdmin, "get_object", late)
    sign_in_staff(Client(), boss).post(f"/admin/people/user/{anna.pk}/change/", form)
    anna.refresh_from_db()
    assert (anna.display_name, anna.about, anna.language) == ("anna", "", "nl")
