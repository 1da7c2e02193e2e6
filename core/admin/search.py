"""The search box of the admin's lists: what is looked for is written as what is kept."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR, ChangeList, ChangeListSearchForm

from core.text import Text

SEARCH = Text(200)


class SearchForm(ChangeListSearchForm):
    """Django's, for text in any normalisation form; never refused."""

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        return {**found, SEARCH_VAR: SEARCH.loosely(found.get(SEARCH_VAR) or "")}


def normalise_searches() -> None:
    """Have every list of the admin use it."""
    ChangeList.search_form_class = SearchForm
