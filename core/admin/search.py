"""The search box of the admin's lists, with search texts normalised as stored texts are."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR, ChangeList, ChangeListSearchForm

from core.text import Text

SEARCH = Text(200)


class SearchForm(ChangeListSearchForm):
    """Django's search form, for text in any normalisation form; never invalid because of its text."""

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        return {**found, SEARCH_VAR: SEARCH.clean_leniently(found.get(SEARCH_VAR) or "")}


def normalise_searches() -> None:
    """Make every list of the admin use `SearchForm`."""
    ChangeList.search_form_class = SearchForm
