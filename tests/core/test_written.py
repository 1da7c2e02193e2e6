"""`one_of` finds what `in` finds, with all values in one parameter."""

from __future__ import annotations

from typing import Any

import pytest

from core.written import Written
from people.models import Session, User
from people.sessions import alive
from tests.support.people import people, person, session_cookie

pytestmark = pytest.mark.django_db


def test_one_of_finds_what_in_finds(django_assert_num_queries: Any) -> None:
    users = people(5)
    pks = [user.pk for user in users[:3]]
    for column, values in (("pk", pks), ("handle", [user.handle for user in users[1:4]])):
        found = {how: set(User.objects.filter(**{f"{column}__{how}": values})) for how in ("in", "one_of")}
        assert found["in"] == found["one_of"] and len(found["in"]) == 3
    assert set(User.objects.exclude(pk__one_of=pks)) == set(users[3:])
    with django_assert_num_queries(0):
        assert not User.objects.filter(pk__one_of=[]) and not User.objects.filter(pk__in=[])


def test_keys_of_other_rows_are_found_and_long_values_are_not_cut() -> None:
    user, other = person("reader"), person("other")
    session_cookie(user), session_cookie(other)
    assert [row.user for row in Session.objects.filter(user__one_of=[user.pk])] == [user]
    ident = Session.objects.get(user=user).ident
    assert alive([ident, ident]) == {ident: user.pk}
    assert alive([ident + "0", f"{ident:<60}"]) == {}, "another session's name"


def test_one_statement_serves_any_number() -> None:
    users = people(4)
    written = Written(User.objects.filter(pk__one_of=(-1,)).order_by("pk").values_list("pk"), ((-1,),))
    for number in (1, 4, 0, 3):
        pks = [user.pk for user in users[:number]]
        assert [pk for (pk,) in written.rows({(-1,): pks})] == pks
