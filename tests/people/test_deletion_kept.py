"""Data that is kept of a deleted account, and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from core import bus
from mail.models import Mail
from people import queries
from people.actions.forgetting import forget, tidy_deleted
from people.actions.standing import impose_sanction, lift_sanction
from people.actions.takedowns import put_back_profile, take_down_picture, take_down_profile
from people.models import DeletedAccount, Fingerprint, ProfileTakedown, User
from social.models import Follow
from tests.people import test_deletion as deletion
from tests.people.test_deletion import _after_commits as _after_commits
from tests.people.test_deletion import needed as needed
from tests.support.people import person
from tests.support.ways_in import entered

pytestmark = pytest.mark.django_db


# --- what is kept, and its end ---------------------------------------------------------------------------------------


def signs_up(handle: str, email: str) -> str:
    """The subject of the mail to somebody who signs up; what the page says where there is none."""
    mail.outbox.clear()
    page = Client().post("/accounts/signup/", entered(username=handle, email=email))
    return str(mail.outbox[-1].subject) if mail.outbox else page.content.decode()


def test_nobody_gets_the_handle_for_a_year_and_the_address_is_free_at_once(settings: Any) -> None:
    anna = person("Anna")
    deletion.deleted(anna, anna)
    assert "This handle is kept free" in signs_up("anna", "new@example.org")
    assert not User.objects.filter(handle__iexact="anna").exists()
    assert "suspended" not in signs_up("other", "anna@example.org") and mail.outbox
    tidy_deleted(timezone.now() + timedelta(days=settings.HANDLE_HELD_DAYS + 1))
    assert not Fingerprint.objects.exists() and not DeletedAccount.objects.exists()
    signs_up("anna", "new@example.org")
    assert User.objects.filter(handle="anna").exists()


def test_a_ban_keeps_fingerprints_of_handle_and_address_until_it_ends(settings: Any) -> None:
    anna = person("anna", email="anna@example.org")
    sanction = impose_sanction(anna, "suspended", None, "shouting")
    deletion.deleted(anna, anna)
    year = timezone.now() + timedelta(days=settings.HANDLE_HELD_DAYS + 1)
    tidy_deleted(year)
    assert Fingerprint.objects.count() == 2 and not DeletedAccount.objects.exists()
    assert not any("anna" in value for row in Fingerprint.objects.values_list("mac", "kind") for value in row)
    free = Client().post("/accounts/signup/", entered(username="someone", email="free@example.org"))
    mail.outbox.clear()
    banned = Client().post("/accounts/signup/", entered(username="sneaky", email="Anna@Example.ORG"))
    assert (banned.status_code, banned["Location"]) == (free.status_code, free["Location"]), "the page tells nothing"
    assert [letter.subject for letter in mail.outbox] == ["No account with this address for now"]
    assert "/accounts/confirm-email/" not in str(mail.outbox[0].body)
    lift_sanction(sanction, None, "overturned")
    assert not queries.is_banned_address("anna@example.org"), "free at once, before any sweep"
    tidy_deleted(year)
    assert not Fingerprint.objects.exists()


def test_a_link_that_was_sent_before_the_ban_confirms_nothing(needed: set[int]) -> None:
    anna = person("anna")
    needed.add(anna.pk)
    deletion.deleted(anna, anna)
    client = Client()
    client.post("/accounts/signup/", entered(username="sneaky", email="anna@example.org"))
    link = str(mail.outbox[-1].body)
    impose_sanction(User.objects.get(pk=anna.pk), "suspended", None, "decided after the deletion")
    path = next(word for word in link.split() if "/accounts/confirm-email/" in word)
    client.post(path[path.index("/accounts") :])
    sneaky = User.objects.get(handle="sneaky")
    assert sneaky.signing_up and sneaky.email == ""


def test_the_address_is_kept_as_long_as_somebody_must_be_told_and_for_that_alone(needed: set[int]) -> None:
    anna = person("anna", language="nl")
    needed.add(anna.pk)
    deletion.deleted(anna, anna)
    gone = User.objects.get(pk=anna.pk)
    assert gone.email == "" and queries.address_to_tell(gone) == "anna@example.org"
    assert queries.reached(gone).language == "nl"
    tidy_deleted(timezone.now() + timedelta(days=400))
    assert queries.address_to_tell(gone) == "anna@example.org"
    from people import notify

    mail.outbox.clear()
    notify.send(gone, "people/email/creator_added.txt")
    assert not mail.outbox, "no other mail reaches it"
    notify.send(gone, "people/email/creator_added.txt", also_deleted=True)
    assert mail.outbox[-1].to == ["anna@example.org"]
    needed.clear()
    tidy_deleted()
    assert queries.address_to_tell(gone) == ""
    tidy_deleted(timezone.now() + timedelta(days=2))
    assert not DeletedAccount.objects.exists()


def test_the_address_waits_for_the_last_mail_and_goes_with_it(settings: Any) -> None:
    settings.EMAIL_BACKEND = "mail.outbox.Backend"
    anna = person("anna")
    Mail.objects.create(to="anna@example.org", subject="Earlier", state=Mail.State.SENT)
    deletion.deleted(anna, anna)
    (letter,) = Mail.objects.all()
    assert letter.subject == "Your account is deleted" and DeletedAccount.objects.get().email
    Mail.objects.update(state=Mail.State.SENT)
    assert not forget(anna.pk)
    assert not Mail.objects.exists() and not DeletedAccount.objects.exclude(email="").exists()


def test_what_moderators_removed_is_forgotten_once_nobody_decides_any_more(needed: set[int]) -> None:
    anna = person("anna", name="A rude name", about="rude words")
    anna.picture.save("picture.webp", ContentFile(b"RIFF"))
    shown, earlier = take_down_profile(anna, None), take_down_profile(anna, None)
    picture = take_down_picture(anna, None)
    put_back_profile(earlier, None)
    needed.add(anna.pk)
    deletion.deleted(anna, anna)
    shown.refresh_from_db()
    assert shown.display_name == "A rude name", "whoever reviews the decision must see what it was about"
    needed.clear()
    tidy_deleted()
    assert set(ProfileTakedown.objects.values_list("display_name", "about", "picture", "kept_as")) == {("", "", "", "")}
    assert put_back_profile(shown, None) and put_back_profile(picture, None)
    again = take_down_profile(User.objects.get(pk=anna.pk), None)
    assert again.display_name == "" and put_back_profile(again, None)
    assert User.objects.get(pk=anna.pk).display_name == "Deleted person"


def test_what_a_request_under_way_wrote_meanwhile_goes_with_the_next_sweep() -> None:
    anna, bert = person("anna"), person("bert")
    deletion.deleted(anna, anna)
    Follow.objects.create(follower=anna, followed=bert)
    bus.client().set(bus.key(f"unsent:{anna.pk}"), "typed")
    tidy_deleted()
    assert not Follow.objects.exists() and not bus.client().exists(bus.key(f"unsent:{anna.pk}"))
