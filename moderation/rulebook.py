"""The rulebook as it reads now: rules and categories with the version in force."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from moderation.models import Category, CategoryVersion, Rule, RuleVersion
from moderation.rulebook_seed import CATEGORIES, RULES

AT_ONCE = (Category.Route.CHILD_SAFETY, Category.Route.LIFE_IN_DANGER)  # `moderation.actions.routes`


def current_rules() -> list[RuleVersion]:
    """Return the version in force of each rule that is not retired, in order; one query."""
    versions = RuleVersion.objects.filter(rule__retired_at=None).select_related("rule")
    return list(versions.order_by("rule__place", "rule_id", "-number").distinct("rule__place", "rule_id"))


def current_categories() -> list[CategoryVersion]:
    """Return the version in force of each category that is not retired, in order; one query."""
    versions = CategoryVersion.objects.filter(category__retired_at=None).select_related("category")
    in_order = versions.order_by("category__place", "category_id", "-number")
    return list(in_order.distinct("category__place", "category_id"))


def word_categories() -> list[CategoryVersion]:
    """Return those of `current_categories` that a word of the list may suggest: none whose cases close a copy or alert
    people at once, which is for a person's own judgement and not for a press on what a program heard."""
    return [version for version in current_categories() if version.category.route not in AT_ONCE]


def word_category(key: str) -> CategoryVersion | None:
    """Return the version in force of a category that a word of the list may suggest; None for another."""
    return next((version for version in word_categories() if version.category_id == key), None)


def category_choices() -> list[tuple[str, str]]:
    """Return (key, title) of the categories in force, in the active language."""
    return [(version.category_id, version.title()) for version in current_categories()]


def latest_title(key: str) -> str:
    """Return the last title of a category, also of a retired one, in the active language."""
    return CategoryVersion.objects.filter(category=key).latest("number").title()


def current_category(key: str) -> CategoryVersion | None:
    """Return the version in force of a category; None for one that is unknown or retired."""
    versions = CategoryVersion.objects.filter(category=key, category__retired_at=None).select_related("category")
    return versions.order_by("-number").first()


def ensure_rulebook(**_signal: Any) -> None:
    """Write the first rules and categories into an empty rulebook; receiver of post_migrate. Later changes stay.

    A migration to an earlier state leaves no rulebook to fill.
    """
    if CategoryVersion._meta.db_table not in connection.introspection.table_names():
        return
    with transaction.atomic():
        if not Rule.objects.exists():
            for place, (key, wording) in enumerate(RULES.items()):
                rule = Rule.objects.create(key=key, place=place)
                RuleVersion.objects.create(rule=rule, number=1, wording=wording)
        if not Category.objects.exists():
            for place, seed in enumerate(CATEGORIES):
                category = Category.objects.create(key=seed.key, place=place, route=seed.route, rule_id=seed.rule)
                CategoryVersion.objects.create(
                    category=category, number=1, severity=seed.severity, wording=seed.wording
                )


@dataclass(frozen=True)
class RuleHistory:
    """A rule with the version in force, or the last one of a rule that was retired, and those before it, newest
    first."""

    rule: Rule
    latest: RuleVersion
    earlier: list[RuleVersion]


def rule_histories() -> list[RuleHistory]:
    """Return all rules in order, also retired ones, with all their versions; one query."""
    versions = RuleVersion.objects.select_related("rule").order_by("rule__place", "rule_id", "-number")
    by_rule = [list(some) for _key, some in groupby(versions, key=lambda version: version.rule_id)]
    return [RuleHistory(latest.rule, latest, earlier) for latest, *earlier in by_rule]


def rule_history(key: str) -> RuleHistory | None:
    """Return one rule with all its versions; None where there is none of this key."""
    return next((history for history in rule_histories() if history.rule.key == key), None)
