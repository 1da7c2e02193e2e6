"""Follow and unfollow: by action, by page, and by many at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from people.refusals import PeopleRefused
from social.actions.follows import FOLLOWS, follow, unfollow
from social.models import Follow
from tests.support.people import person


@pytest.mark.django_db
def test_following_twice_is_following_once() -> None:
    anna, bert = person(), person()
    assert follow(anna, bert) is True
    assert follow(anna, bert) is False
    assert Follow.objects.filter(follower=anna, followed=bert).count() == 1
    assert unfollow(anna, bert) is True
    assert unfollow(anna, bert) is False
    assert not Follow.objects.exists()


@pytest.mark.django_db
def test_nobody_follows_oneself_or_a_closed_account() -> None:
    anna, gone = person(), person(is_active=False)
    with pytest.raises(PeopleRefused, match="not_oneself"):
        follow(anna, anna)
    with pytest.raises(PeopleRefused, match="unknown_person"):
        follow(anna, gone)


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_make_one_row_and_no_error() -> None:
    anna, bert = person(), person()

    def click(_number: int) -> bool:
        try:
            return follow(anna, bert)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(click, range(20))) == [False] * 19 + [True]


@pytest.mark.django_db
def test_following_in_bulk_is_slowed_down() -> None:
    anna, bert = person(), person()
    with pytest.raises(PeopleRefused) as refused:
        for _number in range(FOLLOWS.burst + 5):
            follow(anna, bert)
    assert refused.value.code == "too_fast"
    assert 0 < refused.value.wait <= 3


@pytest.mark.django_db
def test_the_profile_page_follows_without_script(client: Client) -> None:
    anna = person("anna")
    person("bert", about="Bakes bread.")
    client.force_login(anna)
    page = client.get("/people/bert/").content.decode()
    assert "Bakes bread." in page and 'action="/people/bert/follow/"' in page
    answer = client.post("/people/bert/follow/")
    assert answer.status_code == 302 and answer["Location"] == "/people/bert/"
    page = client.get("/people/bert/").content.decode()
    assert "<strong>1</strong> follower" in page and 'action="/people/bert/unfollow/"' in page
    client.post("/people/bert/unfollow/", {"next": "https://elsewhere.example/"})
    assert not Follow.objects.exists()


@pytest.mark.django_db
def test_a_form_leads_back_to_pages_of_ours_only(client: Client) -> None:
    anna = person("anna")
    person("bert")
    client.force_login(anna)
    assert client.post("/people/bert/follow/", {"next": "/creators/"})["Location"] == "/creators/"
    assert client.post("/people/bert/follow/", {"next": "https://elsewhere.example/"})["Location"] == "/people/bert/"
    assert client.post("/people/bert/follow/", {"next": "//elsewhere.example/"})["Location"] == "/people/bert/"


@pytest.mark.django_db
def test_following_needs_an_account_and_a_post(client: Client) -> None:
    person("bert")
    assert client.post("/people/bert/follow/")["Location"] == "/accounts/login/?next=/people/bert/follow/"
    client.force_login(person("anna"))
    # Signing in leads back by GET: it shows the person and follows nobody.
    assert client.get("/people/bert/follow/")["Location"] == "/people/bert/"
    assert not Follow.objects.exists()


@pytest.mark.django_db
def test_other_spellings_lead_to_the_handle_and_strangers_to_a_404(client: Client) -> None:
    person("Anna-B")
    person("gone", is_active=False)
    assert client.get("/people/aNNa-b/")["Location"] == "/people/Anna-B/"
    assert client.get("/people/gone/").status_code == 404
    assert client.get("/people/nobody/").status_code == 404
    assert client.get("/people/no/").status_code == 404
