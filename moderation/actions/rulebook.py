"""Changes of the rulebook: new versions, retiring and returning, order. Versions are never changed, only followed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core.text import Text
from ledger.actions import record
from moderation.actions.locking import refuse
from moderation.models import Category, CategoryVersion, Rule, RuleVersion
from moderation.refusals import ModerationRefused
from people.models import User

TITLE = Text(120)
RULE_TEXT = Text(1000, lines=True)
PARTS: dict[str, dict[str, Text]] = {"rule": {"title": TITLE, "text": RULE_TEXT}, "category": {"title": TITLE}}
KEY = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*\Z")
SEVERITIES = range(1, 5)

Wording = Mapping[str, Mapping[str, str]]


def languages() -> list[str]:
    """Return the codes of the languages in which every wording is needed."""
    return [code for code, _name in settings.LANGUAGES]


def add_rule(by: User, key: str, wording: Wording) -> RuleVersion:
    """Add a rule, as the last one. Refuses not_allowed and bad_value."""
    _may(by)
    cleaned = checked_wording("rule", wording, _wrong_key(Rule, key))
    with transaction.atomic():
        place = _last_place(_locked(Rule))
        rule = Rule.objects.create(key=key, place=place)
        version = RuleVersion.objects.create(rule=rule, number=1, wording=cleaned, made_by=by)
        _record("rule", key, by, {"change": "added", "number": 1, "wording": fingerprint(cleaned)})
    return version


def add_category(by: User, key: str, wording: Wording, severity: int, rule: str | None) -> CategoryVersion:
    """Add a category of reports, as the last one. Refuses not_allowed and bad_value."""
    _may(by)
    cleaned = checked_wording("category", wording, _wrong_key(Category, key) | _wrong_values(severity, rule))
    with transaction.atomic():
        _locked(Rule)
        place = _last_place(_locked(Category))
        category = Category.objects.create(key=key, place=place, rule_id=rule)
        version = CategoryVersion.objects.create(
            category=category, number=1, wording=cleaned, severity=severity, made_by=by
        )
        values = {"change": "added", "number": 1, "wording": fingerprint(cleaned), "severity": severity, "rule": rule}
        _record("category", key, by, values)
    return version


def reword_rule(by: User, rule: Rule, wording: Wording, *, after: int) -> RuleVersion:
    """Put a new version of a rule into force; `after` is the number of the version that the writer saw. The same
    wording again is no new version. Refuses not_allowed, bad_value and stale_form."""
    _may(by)
    cleaned = checked_wording("rule", wording)
    with transaction.atomic():
        _locked(Rule)
        last = RuleVersion.objects.filter(rule=rule).latest("number")
        if last.wording == cleaned:
            return last
        _same_version(last.number, after)
        version = RuleVersion.objects.create(rule=rule, number=after + 1, wording=cleaned, made_by=by)
        _record("rule", rule.key, by, {"change": "version", "number": after + 1, "wording": fingerprint(cleaned)})
    return version


def reword_category(
    by: User, category: Category, wording: Wording, severity: int, rule: str | None, *, after: int
) -> CategoryVersion:
    """Put a new version of a category into force, with its severity and the rule that it most often breaks. As
    `reword_rule`."""
    _may(by)
    cleaned = checked_wording("category", wording, _wrong_values(severity, rule))
    with transaction.atomic():
        _locked(Rule)
        row = next(row for row in _locked(Category) if row.pk == category.pk)
        last = CategoryVersion.objects.filter(category=row).latest("number")
        if (last.wording, last.severity, row.rule_id) == (cleaned, severity, rule):
            return last
        _same_version(last.number, after)
        version = CategoryVersion.objects.create(
            category=row, number=after + 1, wording=cleaned, severity=severity, made_by=by
        )
        row.rule_id = rule
        row.save(update_fields=["rule"])
        values = {"change": "version", "number": after + 1, "wording": fingerprint(cleaned)}
        _record("category", row.key, by, {**values, "severity": severity, "rule": rule})
    return version


def retire(by: User, entry: Rule | Category) -> bool:
    """Take a rule or category out of use; what cited it keeps it. Returns whether it was in use.

    Refuses not_allowed, rule_in_use (by a category), last_rule, and category_stays for one with a way of its own.
    """
    _may(by)
    with transaction.atomic():
        rules, row = _locked(Rule), _own_row(entry)
        if row.retired_at is not None:
            return False
        if isinstance(row, Category):
            refuse("category_stays" if row.route != Category.Route.ORDINARY else None)
        else:
            in_use = Category.objects.filter(rule=row, retired_at=None).exists()
            refuse("rule_in_use" if in_use else None)
            refuse("last_rule" if sum(rule.retired_at is None for rule in rules) == 1 else None)
        row.retired_at = timezone.now()
        row.save(update_fields=["retired_at"])
        _record(kind_of(row), row.key, by, {"change": "retired"})
    return True


def bring_back(by: User, entry: Rule | Category) -> bool:
    """Return a retired rule or category. Returns whether it was retired. Refuses not_allowed, and rule_retired for a
    category whose rule is."""
    _may(by)
    with transaction.atomic():
        rules, row = _locked(Rule), _own_row(entry)
        if row.retired_at is None:
            return False
        retired = {rule.key for rule in rules if rule.retired_at is not None}
        refuse("rule_retired" if isinstance(row, Category) and row.rule_id in retired else None)
        row.retired_at = None
        row.save(update_fields=["retired_at"])
        _record(kind_of(row), row.key, by, {"change": "returned"})
    return True


def move(by: User, entry: Rule | Category, *, up: bool) -> bool:
    """Exchange the places of an entry and its neighbour in use. Returns whether there is one. Refuses not_allowed."""
    _may(by)
    with transaction.atomic():
        rows = [row for row in _locked(type(entry)) if row.retired_at is None or row.pk == entry.pk]
        at = [row.pk for row in rows].index(entry.pk)
        other = at - 1 if up else at + 1
        if not 0 <= other < len(rows):
            return False
        rows[at], rows[other] = rows[other], rows[at]
        for place, row in enumerate(rows):
            if row.place != place:
                row.place = place
                row.save(update_fields=["place"])
        _record(kind_of(entry), entry.pk, by, {"change": "moved", "order": [row.pk for row in rows]})
    return True


def kind_of(entry: Rule | Category) -> str:
    return "rule" if isinstance(entry, Rule) else "category"


def checked_wording(kind: str, wording: Wording, wrong: dict[str, str] | None = None) -> dict[str, dict[str, str]]:
    """Return a wording as it is stored: every part in every language. Raises bad_value with `wrong` and what is wrong
    by "<part>_<language>"."""
    wrong = dict(wrong or {})
    cleaned: dict[str, dict[str, str]] = {}
    for language in languages():
        cleaned[language] = {}
        for part, text in PARTS[kind].items():
            try:
                cleaned[language][part] = text.clean(wording.get(language, {}).get(part, ""))
            except ValidationError as error:
                wrong[f"{part}_{language}"] = " ".join(error.messages)
    if wrong:
        raise ModerationRefused("bad_value", wrong)
    return cleaned


def fingerprint(wording: Wording) -> str:
    """Return the SHA-256 of a wording, by which the ledger commits to it."""
    return hashlib.sha256(json.dumps(wording, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _may(by: User) -> None:
    refuse(None if by.has_perm("moderation.change_rulebook") else "not_allowed")


def _same_version(now: int, seen: int) -> None:
    refuse(None if now == seen else "stale_form")


def _wrong_key(model: type[Rule | Category], key: str) -> dict[str, str]:
    if not KEY.match(key) or len(key) > 40:
        return {"key": "a-z, 0-9, - _; ≤ 40"}
    return {"key": f"{key}: 2×"} if model.objects.filter(pk=key).exists() else {}


def _wrong_values(severity: int, rule: str | None) -> dict[str, str]:
    wrong = {} if severity in SEVERITIES else {"severity": f"{SEVERITIES[0]}–{SEVERITIES[-1]}"}
    known = rule is None or Rule.objects.filter(pk=rule, retired_at=None).exists()
    return wrong if known else {**wrong, "rule": rule or ""}


def _locked(model: Any) -> list[Any]:
    """Lock all rows of the rulebook's table, in order: there are few, and changes are rare."""
    return list(model.objects.select_for_update().order_by("place", "key"))


def _own_row(entry: Rule | Category) -> Rule | Category:
    row: Rule | Category = next(row for row in _locked(type(entry)) if row.pk == entry.pk)
    return row


def _last_place(rows: list[Any]) -> int:
    return max((row.place for row in rows), default=-1) + 1


def _record(kind: str, key: str, by: User, values: dict[str, Any]) -> None:
    record("rule_changed", f"{kind}:{key}", by.pk, values)
