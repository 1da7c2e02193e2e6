"""After a deletion no table, key or file has the person's name, handle, address or text, but for a written list."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.test import Client

from moderation.models import EvidenceLine
from people.actions.account import update_profile
from people.actions.deletion import delete_account
from people.actions.forgetting import forget
from people.actions.takedowns import put_back_profile, take_down_profile
from people.models import Creator, User
from rooms import actions
from rooms.models import PersonalLink, Recording, Room
from rooms.recording.delivery import exports
from social.actions.follows import follow
from tests.support.cases import kept_room, open_case
from tests.support.messages import written
from tests.support.people import api_client, person, session_cookie
from tests.support.recordings import talked_room
from tests.support.reports import message_report
from tests.support.staff import second_step_of
from tests.support.traces import everywhere

pytestmark = pytest.mark.django_db(transaction=True)

HANDLE, NAME, ADDRESS, ABOUT = "quixotry", "Zebediah Wumpus", "wumpus@example.org", "I breed axolotls."
# Where something of a deleted account may be found, and why. A place more needs a reason here.
EXCEPTIONS = {
    "moderation_report.shown": "what was reported as it stood then; goes with the clock of its case",
    "moderation_reportedmessage.line": "words of a message that was reported, as above",
    "ledger.text.text": "words of reports, beside the commitments of their entries; erased with their case's words",
    "people_profiletakedown.display_name": "what moderators removed, while a case about the account is open",
    "people_profiletakedown.about": "as above; forgotten by the sweep after it (tests/people/test_deletion.py)",
    "social_message.body": "what somebody else wrote or received and keeps",
    "rooms_room.title": "the title of a room, which goes with the room's copy or by a decision",
    "people_deletedaccount.email": "while somebody is to be told; the test of that is in tests/moderation",
}


def a_life() -> User:
    """An account with something of everything that an account has, and its name wherever the site writes one."""
    user = person(HANDLE, name=NAME, email=ADDRESS, about=ABOUT, creator=True)
    Creator.objects.filter(user=user).update(plan=f"{NAME} hosts a regulars' table")
    user.picture.save("picture.webp", ContentFile(b"RIFF"))
    second_step_of(user)
    session_cookie(user)
    api_client(user)
    update_profile(user, time_zone="Europe/Amsterdam", messages_from="everyone")
    put_back_profile(take_down_profile(user, None), None)
    other, root = person("bert"), person("root", is_staff=True, is_superuser=True)
    follow(user, other), follow(other, user)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=root, content_type=kind, object_id=str(user.pk), object_repr=str(user), action_flag=CHANGE
    )
    return user


def in_rooms(user: User) -> list[Room]:
    """Rooms that the account hosted and in which it sat, with logs, links and a download that was made."""
    hosted = talked_room(host=HANDLE)
    PersonalLink.objects.create(room=hosted, by=user, label="A friend", hash="0" * 64, used_at=hosted.started_at)
    exports.build(Recording.objects.get(room=hosted))
    actions.set_published(hosted.pk, user, True, Room.EntryPolicy.ANYONE)
    live = actions.open_room(person("hanna", creator=True), title="A live one")
    actions.record_consent(user, live, settings.CONSENT_VERSION)
    actions.take_seat(live.pk, user)
    actions.set_muted(live.pk, user, False, user)
    actions.name_cohost(live.pk, user, by=live.host)
    return [hosted, live]


def in_cases(user: User) -> None:
    """A case about the account in a room, and one of its profile, both closed, with a quoted line."""
    case = open_case(kept_room("", 10, user), subject=user)
    EvidenceLine.objects.create(
        case=case, cue="cue:1", speaker=user, speaker_name=NAME, start_ms=0, end_ms=9, text="a line", quoted_by=user
    )
    open_case(kind="profile", subject=user)
    thread = written(user, person("dora"), f"Yours, {NAME}")
    message_report(User.objects.get(handle="dora"), thread.messages.get())


def test_no_name_handle_address_or_text_is_left(client: Client) -> None:
    user = a_life()
    in_rooms(user)
    in_cases(user)
    words = (HANDLE, NAME, NAME.replace(" ", "-"), ADDRESS, ABOUT)
    before = everywhere(*words)
    assert {"people_user.handle", "people_user.email", "people_user.about", "rooms_roomevent.data"} <= before
    assert {"django_admin_log.object_repr", "moderation_evidenceline.speaker_name"} <= before
    assert any("exports" in place for place in before), "a download with the name in it"
    delete_account(user, user)
    forget(user.pk)
    left = everywhere(*words)
    assert left <= set(EXCEPTIONS), left - set(EXCEPTIONS)
    assert left - {"people_deletedaccount.email"} <= before


def test_without_cases_nothing_is_left_but_what_others_received() -> None:
    user = a_life()
    in_rooms(user)
    delete_account(user, user)
    forget(user.pk)
    assert everywhere(HANDLE, NAME, ADDRESS, ABOUT) == set()
