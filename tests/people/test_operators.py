"""Mails to who runs this house: to all of them, or to none yet."""

from __future__ import annotations

from typing import Any

import pytest

from mail.models import Mail
from people import notify
from people.models import User
from people.notify import tell_operators
from tests.support.people import person


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_fails_half_way_is_tried_again_for_all(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_BACKEND = "mail.outbox.Backend"
    for handle in ("olga", "otto"):
        person(handle, is_superuser=True, is_staff=True)
    person("guest")
    send, tried = notify.send, []

    def full_at_the_second(user: User, template: str, **context: Any) -> None:
        tried.append(user.handle)
        if len(tried) == 2:
            raise OSError(28, "No space left on device")
        send(user, template, **context)

    monkeypatch.setattr(notify, "send", full_at_the_second)
    with pytest.raises(OSError, match="No space"):
        tell_operators("rooms/email/recording_resumed.txt", at="now", free=5)
    assert not Mail.objects.exists(), "nobody gets it twice"
    assert tell_operators("rooms/email/recording_resumed.txt", at="now", free=5) == 2
    assert sorted(Mail.objects.values_list("to", flat=True)) == ["olga@example.org", "otto@example.org"]
