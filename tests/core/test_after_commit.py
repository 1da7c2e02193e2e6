"""Work after a commit: a failure of it is logged, and takes nothing back."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import transaction

from core.after_commit import after_commit
from people.models import User
from tests.support.people import person


def fail(number: int) -> None:
    raise ValueError(f"number {number}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("function", [fail, partial(fail, 3)], ids=["function", "partial"])
def test_a_failure_is_logged_and_what_was_committed_stands(function: object, caplog: pytest.LogCaptureFixture) -> None:
    with transaction.atomic():
        person("anna")
        after_commit(fail, 3) if function is fail else after_commit(partial(fail, 3))
        after_commit(User.objects.filter(handle="anna").update, display_name="Anna after")
    assert User.objects.get(handle="anna").display_name == "Anna after"
    assert "fail" in caplog.text and "number 3" in caplog.text
