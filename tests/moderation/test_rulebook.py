"""Changes of the rulebook: versions stay, stale and incomplete ones are refused, each is in the ledger."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from ledger.models import Entry
from moderation.actions import rulebook
from moderation.models import Category, CategoryVersion, Rule, RuleVersion
from moderation.refusals import ModerationRefused
from moderation.rulebook import category_choices, current_category, current_rules
from people.groups import MODERATORS, SENIORS
from people.models import User
from tests.support.people import person
from tests.support.staff import with_fresh_step

pytestmark = pytest.mark.django_db
WORDING = {
    "en": {"title": "No shouting", "text": "Speak.\nDo not shout."},
    "nl": {"title": "Niet roepen", "text": "Praat."},
}
TITLES = {"en": {"title": "Shouting"}, "nl": {"title": "Roepen"}}


@pytest.fixture
def senior() -> User:
    user = with_fresh_step(person("senior", is_staff=True))
    user.groups.add(Group.objects.get(name=SENIORS))
    return user


def refused(act: Any, *args: Any, **options: Any) -> ModerationRefused:
    before = Entry.objects.count(), RuleVersion.objects.count(), CategoryVersion.objects.count()
    with pytest.raises(ModerationRefused) as caught:
        act(*args, **options)
    assert before == (Entry.objects.count(), RuleVersion.objects.count(), CategoryVersion.objects.count())
    return caught.value


def test_a_new_wording_is_a_new_version_and_the_old_one_stays(senior: User) -> None:
    rule = Rule.objects.get(key="no-hate")
    first = RuleVersion.objects.get(rule=rule)
    second = rulebook.reword_rule(senior, rule, WORDING, after=1)
    assert (second.number, second.made_by, second.wording) == (2, senior, WORDING)
    assert RuleVersion.objects.get(pk=first.pk).wording == first.wording
    assert second in current_rules() and first not in current_rules()
    entry = Entry.objects.get(kind="rule_changed")
    assert (entry.subject, entry.actor) == ("rule:no-hate", senior.pk)
    assert entry.data == {"change": "version", "number": 2, "wording": rulebook.fingerprint(WORDING)}
    assert rulebook.reword_rule(senior, rule, WORDING, after=1) == second, "the same form sent twice"
    other = {**WORDING, "en": {"title": "x", "text": "y"}}
    assert refused(rulebook.reword_rule, senior, rule, other, after=1).code == "stale_form"


@pytest.mark.parametrize(
    ("language", "part", "value"),
    [("nl", "title", " "), ("nl", "text", ""), ("en", "title", "x" * 121), ("en", "text", "\u3164"), ("nl", None, "")],
)
def test_every_language_is_needed(senior: User, language: str, part: str | None, value: str) -> None:
    wording = {code: dict(parts) for code, parts in WORDING.items()}
    if part is None:
        del wording[language]
    else:
        wording[language][part] = value
    wrong = refused(rulebook.reword_rule, senior, Rule.objects.get(key="no-hate"), wording, after=1)
    assert wrong.code == "bad_value" and f"{part or 'title'}_{language}" in wrong.fields


def test_rules_and_categories_are_added_last(senior: User) -> None:
    rule = rulebook.add_rule(senior, "no-shouting", WORDING)
    category = rulebook.add_category(senior, "shouting", TITLES, 2, "no-shouting")
    assert current_rules()[-1] == rule and category_choices()[-1] == ("shouting", "Shouting")
    assert category.category.rule == rule.rule
    for act, more in ((rulebook.add_rule, ()), (rulebook.add_category, (2, None))):
        wording = WORDING if act is rulebook.add_rule else TITLES
        for key in ("no-shouting" if act is rulebook.add_rule else "shouting", "", "No", "-a", "a b", "a" * 41):
            assert "key" in refused(act, senior, key, wording, *more).fields
    assert "severity" in refused(rulebook.add_category, senior, "new", TITLES, 5, None).fields
    assert "rule" in refused(rulebook.add_category, senior, "new", TITLES, 1, "unknown").fields


def test_a_category_changes_severity_and_rule_by_a_version(senior: User) -> None:
    hate = Category.objects.get(key="hate")
    second = rulebook.reword_category(senior, hate, TITLES, 4, "no-violence", after=1)
    assert (second.number, second.severity) == (2, 4) and current_category("hate") == second
    assert Category.objects.get(key="hate").rule_id == "no-violence"
    assert rulebook.reword_category(senior, hate, TITLES, 4, "no-violence", after=1) == second
    assert refused(rulebook.reword_category, senior, hate, TITLES, 1, None, after=1).code == "stale_form"


def test_retired_entries_leave_the_lists_and_come_back(senior: User) -> None:
    violence = Category.objects.get(key="violence")
    assert rulebook.retire(senior, violence) and not rulebook.retire(senior, violence)
    assert current_category("violence") is None
    fair = Rule.objects.get(key="fair-reports")
    assert rulebook.retire(senior, fair) and fair.key not in [version.rule_id for version in current_rules()]
    assert rulebook.bring_back(senior, fair) and not rulebook.bring_back(senior, fair)
    hate = Rule.objects.get(key="no-hate")
    assert refused(rulebook.retire, senior, hate).code == "rule_in_use"
    rulebook.retire(senior, Category.objects.get(key="hate"))
    rulebook.retire(senior, hate)
    assert refused(rulebook.bring_back, senior, Category.objects.get(key="hate")).code == "rule_retired"
    changes = Entry.objects.filter(kind="rule_changed").order_by("seq").values_list("subject", flat=True)
    assert list(changes) == [
        "category:violence",
        "rule:fair-reports",
        "rule:fair-reports",
        "category:hate",
        "rule:no-hate",
    ]


@pytest.mark.parametrize("key", ["child_safety", "life_in_danger", "under_age", "other"])
def test_categories_with_a_way_of_their_own_stay(senior: User, key: str) -> None:
    assert refused(rulebook.retire, senior, Category.objects.get(key=key)).code == "category_stays"


def test_the_last_rule_stays(senior: User) -> None:
    Category.objects.update(rule=None)
    *others, last = Rule.objects.all()
    for rule in others:
        rulebook.retire(senior, rule)
    assert refused(rulebook.retire, senior, last).code == "last_rule"


def test_the_order_changes_among_those_in_use(senior: User) -> None:
    first, second, third, *_others = [version.rule for version in current_rules()]
    Category.objects.update(rule=None)
    rulebook.retire(senior, second)
    assert rulebook.move(senior, third, up=True)
    assert [version.rule for version in current_rules()][:2] == [third, first]
    assert not rulebook.move(senior, third, up=True) and rulebook.move(senior, third, up=False)
    assert [version.rule for version in current_rules()][:2] == [first, third]


def test_only_seniors_change_rules() -> None:
    mara = with_fresh_step(person("mara", is_staff=True))
    mara.groups.add(Group.objects.get(name=MODERATORS))
    rule, hate = Rule.objects.get(key="no-hate"), Category.objects.get(key="hate")
    for act in (
        lambda: rulebook.add_rule(mara, "x", WORDING),
        lambda: rulebook.add_category(mara, "x", TITLES, 1, None),
        lambda: rulebook.reword_rule(mara, rule, WORDING, after=1),
        lambda: rulebook.reword_category(mara, hate, TITLES, 1, None, after=1),
        lambda: rulebook.retire(mara, hate),
        lambda: rulebook.bring_back(mara, hate),
        lambda: rulebook.move(mara, rule, up=False),
    ):
        assert refused(act).code == "not_allowed"
