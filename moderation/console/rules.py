"""The pages of the rulebook: all rules and categories, and one with its history and the form of its next version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from core.fields import TypedField
from moderation.actions import rulebook
from moderation.console.frame import add_refusal, console_page, require
from moderation.models import Category, CategoryVersion, Rule, RuleVersion
from moderation.refusals import ModerationRefused
from moderation.rulebook import current_rules

READ = ("moderation.change_rulebook", "moderation.view_case")
CHANGE = "moderation.change_rulebook"
MODELS: dict[str, type[Rule | Category]] = {"rule": Rule, "category": Category}
VERSIONS: dict[str, Any] = {"rule": RuleVersion, "category": CategoryVersion}


class WordingForm(forms.Form):
    """The wording of a rule or category in every language; for a category also its severity and rule. `new` asks for
    its key too; else `after` is the number of the version that is shown."""

    def __init__(self, kind: str, *args: Any, new: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        if new:
            self.fields["key"] = forms.CharField(
                label=_("Key"),
                max_length=40,
                help_text=_("Small letters, digits and “-”. It stays for good, and people never see it."),
            )
        else:
            self.fields["after"] = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
        labels = {"title": gettext("Title: %(language)s"), "text": gettext("Text: %(language)s")}
        for code, _name in settings.LANGUAGES:
            for part, text in rulebook.PARTS[kind].items():
                label = labels[part] % {"language": get_language_info(code)["name_local"]}
                field = TypedField(label=label, text=text)
                field.widget.attrs["lang"] = code
                self.fields[f"{part}_{code}"] = field
        if kind == "category":
            levels = [(level, str(level)) for level in rulebook.SEVERITIES]
            self.fields["severity"] = forms.TypedChoiceField(
                label=_("Severity"), choices=levels, coerce=int, help_text=_("4 is the worst, and first in the queue.")
            )
            rules = [("", gettext("none"))] + [(version.rule_id, version.title()) for version in current_rules()]
            self.fields["rule"] = forms.ChoiceField(
                label=_("Rule that is most often broken"), choices=rules, required=False
            )

    def wording(self) -> rulebook.Wording:
        """Return the wording by language and part."""
        parts = rulebook.PARTS[self.kind]
        data = self.cleaned_data
        return {code: {part: data[f"{part}_{code}"] for part in parts} for code in rulebook.languages()}

    def more(self) -> tuple[Any, ...]:
        """Return what an action takes beside the wording."""
        data = self.cleaned_data
        return (data["severity"], data["rule"] or None) if self.kind == "category" else ()


def rules_page(request: HttpRequest) -> HttpResponse:
    """The list of all rules and categories, in use first, each with its wording in force."""
    user = require(request, *READ)
    context = {
        "title": _("Rules and categories"),
        "lists": [
            ("rule", gettext("Rules"), listed("rule")),
            ("category", gettext("Categories of reports"), listed("category")),
        ],
        "may_change": user.has_perm(CHANGE),
    }
    return console_page(request, "admin/moderation/rules.html", context)


def listed(kind: str) -> list[Any]:
    """Return the newest version of every entry: in use by place, then the retired ones."""
    rows = (
        VERSIONS[kind].objects.select_related(kind, "made_by").order_by(f"{kind}_id", "-number").distinct(f"{kind}_id")
    )
    versions = list(rows)
    for version in versions:
        version.entry = getattr(version, kind)
    return sorted(versions, key=lambda row: (row.entry.retired_at is not None, row.entry.place, row.entry.key))


def entry_page(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One rule or category: its wording in force in every language, its history, and for seniors the form."""
    user = require(request, *READ)
    entry = found(kind, key)
    versions = list(VERSIONS[kind].objects.filter(**{kind: entry}).select_related("made_by").order_by("-number"))
    may_change = user.has_perm(CHANGE)
    form, preview = None, None
    if may_change:
        form = WordingForm(kind, request.POST or None, initial=initial(kind, entry, versions[0]))
    if request.method == "POST":
        require(request, CHANGE)
        assert form is not None
        if form.is_valid() and "preview" in request.POST:
            preview = by_language(form.wording())
        elif form.is_valid():
            act = rulebook.reword_rule if kind == "rule" else rulebook.reword_category
            try:
                act(user, entry, form.wording(), *form.more(), after=form.cleaned_data["after"])
            except ModerationRefused as refused:
                add_refusal(form, refused)
            else:
                messages.success(request, _("The new wording is in force."))
                return redirect(f"admin:moderation_{kind}_change", key)
    history = [(version, by_language(version.wording)) for version in versions]
    context = {"title": versions[0].title(), "kind": kind, "entry": entry, "history": history, "preview": preview}
    return console_page(request, "admin/moderation/rule.html", {**context, "may_change": may_change}, form)


def new_entry_page(request: HttpRequest, kind: str) -> HttpResponse:
    """The form of a new rule or category."""
    user = require(request, CHANGE)
    form, preview = WordingForm(kind, request.POST or None, new=True), None
    if form.is_valid() and "preview" in request.POST:
        preview = by_language(form.wording())
    elif form.is_valid():
        act = rulebook.add_rule if kind == "rule" else rulebook.add_category
        key = form.cleaned_data["key"]
        try:
            act(user, key, form.wording(), *form.more())
        except ModerationRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("It is in force now, as the last in the list."))
            return redirect(f"admin:moderation_{kind}_change", key)
    title = _("New rule") if kind == "rule" else _("New category")
    context = {"title": title, "kind": kind, "preview": preview, "may_change": True}
    return console_page(request, "admin/moderation/rule.html", context, form)


@require_POST
def act_on_entry(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Retire or return an entry, or move it up or down; back to the list."""
    user = require(request, CHANGE)
    entry, act = found(kind, key), request.POST.get("act", "")
    acts = {
        "retire": lambda: rulebook.retire(user, entry),
        "return": lambda: rulebook.bring_back(user, entry),
        "up": lambda: rulebook.move(user, entry, up=True),
        "down": lambda: rulebook.move(user, entry, up=False),
    }
    if act not in acts:
        return HttpResponse(gettext("There is no such act."), status=400, content_type="text/plain; charset=utf-8")
    try:
        acts[act]()
    except ModerationRefused as refused:
        messages.warning(request, refused.text)
    return redirect("admin:moderation_rule_changelist")


def found(kind: str, key: str) -> Any:
    entry = MODELS[kind].objects.filter(pk=key).first()
    if entry is None:
        raise Http404
    return entry


def initial(kind: str, entry: Any, version: Any) -> dict[str, Any]:
    """Return the values of a form that shows the version in force."""
    values: dict[str, Any] = {"after": version.number}
    for code in rulebook.languages():
        for part in rulebook.PARTS[kind]:
            values[f"{part}_{code}"] = version.wording.get(code, {}).get(part, "")
    if kind == "category":
        values |= {"severity": version.severity, "rule": entry.rule_id or ""}
    return values


def by_language(wording: rulebook.Wording) -> list[tuple[str, str, dict[str, str]]]:
    """Return (code, name, parts) of a wording, in the order of LANGUAGES."""
    return [(code, get_language_info(code)["name_local"], dict(wording.get(code, {}))) for code in rulebook.languages()]
