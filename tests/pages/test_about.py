"""Rules, privacy and contact: for everybody, in both languages, without script."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from config import health
from moderation.models import Rule, RuleVersion
from moderation.rulebook import current_rules
from pages.own_words import Block, own_words
from people.actions.standing import impose_sanction
from retention.artefact_labels import LABELS
from retention.artefacts import NOTHING, TABLE, Expiry
from tests.support.people import person

pytestmark = pytest.mark.django_db

PAGES = ("/rules/", "/privacy/", "/contact/", "/rules/no-hate/1/")


def words(client: Client, path: str, language: str = "en") -> str:
    """A page's text as it is read, white space as single blanks."""
    answer = client.get(path, headers={"accept-language": language})
    assert answer.status_code == 200 and f'<html lang="{language}"' in answer.content.decode()
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def version(key: str, number: int, title: str, days_ago: int) -> RuleVersion:
    wording = {"en": {"title": title, "text": f"Text of {title}."}, "nl": {"title": f"{title} (nl)", "text": "Tekst."}}
    since = timezone.now() - timedelta(days=days_ago)
    return RuleVersion.objects.create(rule_id=key, number=number, wording=wording, since=since)


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_rules_read_as_they_do_now_in_the_reader_s_language(client: Client, language: str) -> None:
    version("no-hate", 2, "Hate, worded anew", 1)
    page = words(client, "/rules/", language)
    for rule in current_rules():
        assert rule.title(language) in page and rule.text(language) in page
        assert f'id="{rule.rule_id}"' in client.get("/rules/").content.decode()
    assert "Geen haat" not in page and "No hate" not in page, "it reads differently now"
    assert client.get("/rules/").content.decode().count('href="/rules/no-hate/1/"') == 1


def test_a_version_is_read_as_a_decision_cites_it(client: Client) -> None:
    second = version("no-hate", 2, "Hate, worded anew", 1)
    old, new = words(client, "/rules/no-hate/1/"), words(client, "/rules/no-hate/2/")
    assert "No hate" in old and "reads differently now" in old and f"{second.since.year}" in old
    assert "Hate, worded anew" in new and "in force since" in new and "reads differently" not in new
    for path in ("/rules/no-hate/3/", "/rules/no-hate/0/", "/rules/nothing/1/", f"/rules/no-hate/{2**40}/"):
        assert client.get(path).status_code == 404, path


def test_a_rule_that_was_retired_is_still_read(client: Client) -> None:
    Rule.objects.filter(key="no-hate").update(retired_at=timezone.now())
    page = client.get("/rules/").content.decode()
    assert 'id="no-hate"' not in page and 'href="/rules/no-hate/1/"' in page
    assert "no longer in force" in words(client, "/rules/no-hate/1/")


def test_rules_take_one_query_however_many_versions(client: Client, django_assert_num_queries: Any) -> None:
    for number in range(2, 9):
        version("no-hate", number, f"Version {number}", 1)
    with django_assert_num_queries(1):
        client.get("/rules/")


def test_what_staff_write_in_a_rule_is_text(client: Client) -> None:
    version("no-hate", 2, "<script>alert(1)</script>", 1)
    for path in ("/rules/", "/rules/no-hate/2/"):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("language", ["en", "nl"])
def test_everything_that_is_kept_stands_on_the_page_about_privacy(client: Client, language: str) -> None:
    page = words(client, "/privacy/", language)
    with translation.override(language):
        for artefact in TABLE:
            assert artefact.label in page, artefact.name
            assert artefact.kept_after_purge is NOTHING or str(artefact.kept_after_purge) in page, artefact.name
    shown = client.get("/privacy/").content.decode()
    assert {str(clock) for clock in Expiry} == set(re.findall(r'id="kept-(\w+)"', shown)), "each clock is explained"


def test_every_artefact_has_a_name_for_people() -> None:
    assert set(LABELS) == {artefact.name for artefact in TABLE}
    assert len({str(label) for label in LABELS.values()}) == len(LABELS)


def test_the_days_are_those_of_the_settings(client: Client, settings: Any) -> None:
    settings.RECORDING_DAYS, settings.RECORDING_DAYS_VIOLATION, settings.APPEAL_HOLD_DAYS = 7, 21, 63
    settings.MESSAGES_DAYS, settings.REPORT_WORDS_DAYS, settings.MINIMUM_AGE = 41, 77, 18
    page = words(client, "/privacy/")
    for said in ("7 days after its end", "21 days", "day 63", "41 days after", "77 days after", "must be 18 or older"):
        assert said in page, said


def test_whose_site_it_is(client: Client, settings: Any) -> None:
    settings.OPERATOR_NAME, settings.CONTACT_EMAIL = "Ann & Co <b>", "table@example.org"
    for path in ("/privacy/", "/contact/"):
        page = client.get(path).content.decode()
        assert 'href="mailto:table@example.org"' in page and "Ann &amp; Co &lt;b&gt;" in page


def test_the_operator_s_own_words_stand_in_place_of_ours(client: Client, settings: Any) -> None:
    settings.PRIVACY_TEXTS = {
        "en": "# Who we are\nA club.\nSee https://example.org/club\n\n- one <img src=x>\n- two",
        "nl": "Een club.",
    }
    settings.CONTACT_TEXTS = {"en": "Come by on Mondays.", "nl": "Kom langs."}
    page = client.get("/privacy/").content.decode()
    assert "<h2>Who we are</h2>" in page and '<a href="https://example.org/club" rel="nofollow">' in page
    assert "<li>one &lt;img src=x&gt;</li>" in page and "What we know about you" not in page
    assert "Sound of the room" in page, "the clocks are not theirs to leave out"
    assert "Een club." in words(client, "/privacy/", "nl") and "A club." not in words(client, "/privacy/", "nl")
    contact = words(client, "/contact/")
    assert "Come by on Mondays." in contact and settings.CONTACT_EMAIL in contact


def test_own_words_are_blocks() -> None:
    text = "One\ntwo\n\n\n# Head\nunder\n\n* a\n* b\n\n- a\nnot a list"
    assert own_words({"en": text}) == [
        Block("text", ("One\ntwo",)),
        Block("heading", ("Head",)),
        Block("text", ("under",)),
        Block("list", ("a", "b")),
        Block("text", ("- a\nnot a list",)),
    ]
    assert own_words({}) == [] and own_words({"nl": text}) == []


def test_they_are_open_signed_out_and_suspended(client: Client) -> None:
    anna = person("anna")
    impose_sanction(anna, "suspended", None, "shouting", None)
    suspended = Client()
    suspended.force_login(anna)
    for path in PAGES:
        assert client.get(path).status_code == suspended.get(path).status_code == 200, path
        assert client.post(path).status_code == 405
    assert suspended.get("/settings/").status_code == 403


def test_they_are_found_from_everywhere(client: Client) -> None:
    anna = person("anna")
    for path in ("/", "/accounts/signup/", "/rules/"):
        page = client.get(path).content.decode()
        assert all(f'href="{link}"' in page for link in ("/rules/", "/privacy/", "/contact/")), path
    client.force_login(anna)
    assert client.get("/settings/").content.decode().count('href="/privacy/"') == 2


def test_operators_are_told_where_nobody_can_write_to_the_address(settings: Any) -> None:
    settings.EMAIL_HOST, settings.CONTACT_EMAIL = "mail.example.org", "stamtafel@localhost"
    assert health.run_check(health.contact)["state"] == "degraded"
    settings.CONTACT_EMAIL = "table@example.org"
    assert health.run_check(health.contact)["state"] == "ok"
    settings.EMAIL_HOST, settings.CONTACT_EMAIL = "", "stamtafel@localhost"
    assert health.run_check(health.contact)["state"] == "ok", "a checkout sends no mails"
