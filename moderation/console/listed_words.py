"""The pages of the list of words: all of them with what moderators did with each, a new one, and one to change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from moderation.actions.listed_words import add_word, change_word
from moderation.console.frame import add_refusal, console_page, require
from moderation.models import ListedWord
from moderation.models.words import PHRASE, WORD_NOTE
from moderation.queries.word_hits import Accuracy, accuracies
from moderation.refusals import ModerationRefused
from moderation.rulebook import category_choices, latest_title, word_categories

READ = ("moderation.change_rulebook", "moderation.view_case")
CHANGE = "moderation.change_rulebook"
LIST = "admin:moderation_listedword_changelist"


class WordForm(forms.Form):
    """A word: what it suggests, a note, whether it is in use; a new one also has its phrase and language."""

    def __init__(self, *args: Any, word: ListedWord | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if word is None:
            help_text = _("Whole words are found, whatever their capitals and accents. It cannot be changed later.")
            self.fields["phrase"] = TypedField(label=_("Word or phrase"), text=PHRASE, help_text=help_text)
            names = [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]
            self.fields["language"] = forms.ChoiceField(
                label=_("In rooms of this language"), choices=[("", gettext("any")), *names], required=False
            )
        titles = {version.category_id: version.title() for version in word_categories()}
        if word is not None and word.category_id not in titles:  # retired since: it may stay
            titles[word.category_id] = latest_title(word.category_id)
        self.fields["category"] = forms.ChoiceField(label=_("Category that it suggests"), choices=list(titles.items()))
        self.fields["note"] = TypedField(label=_("Note for moderators"), text=WORD_NOTE, required=False)
        if word is not None:
            self.fields["active"] = forms.BooleanField(label=_("In use"), required=False)


def words_page(request: HttpRequest) -> HttpResponse:
    """The list, in use first, each word with what moderators did with the places where it was found."""
    user = require(request, *READ)
    words = ListedWord.objects.order_by("-active", "folded", "language")
    known, titles = accuracies(user), dict(category_choices())
    rows = [
        (word, titles.get(word.category_id, word.category_id), language_of(word), known.get(word.pk, Accuracy()))
        for word in words
    ]
    context = {"title": _("List of words"), "rows": rows, "may_change": user.has_perm(CHANGE)}
    return console_page(request, "admin/moderation/words.html", context)


def new_word_page(request: HttpRequest) -> HttpResponse:
    """The form of a new word."""
    user = require(request, CHANGE)
    form = WordForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            add_word(user, data["phrase"], data["language"], data["category"], data["note"])
        except ModerationRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Captions are looked through for it from now on."))
            return redirect(LIST)
    return console_page(request, "admin/moderation/word.html", {"title": _("New word")}, form)


def word_page(request: HttpRequest, key: str) -> HttpResponse:
    """One word: what moderators did with it, and for seniors the form to change it."""
    user = require(request, *READ)
    known = key.isascii() and key.isdigit() and len(key) < 19
    word = ListedWord.objects.select_related("added_by").filter(pk=int(key)).first() if known else None
    if word is None:
        raise Http404
    form = None
    if request.method == "POST":
        require(request, CHANGE)
    if user.has_perm(CHANGE):
        first = {"category": word.category_id, "note": word.note, "active": word.active}
        form = WordForm(request.POST or None, initial=first, word=word)
    if form is not None and form.is_valid():
        data = form.cleaned_data
        try:
            change_word(user, word, data["category"], data["note"], active=data["active"])
        except ModerationRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect(LIST)
    accuracy = accuracies(user, [word.pk]).get(word.pk, Accuracy())
    context = {"title": word.phrase, "word": word, "language": language_of(word), "accuracy": accuracy}
    return console_page(request, "admin/moderation/word.html", context, form)


def language_of(word: ListedWord) -> str:
    return get_language_info(word.language)["name_local"] if word.language else gettext("any")
