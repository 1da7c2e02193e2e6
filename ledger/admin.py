"""The ledger in the admin: read and search only, without entries that the reader is party to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin
from ledger.models import Entry
from ledger.queries import EntryLine, entry_lines, visible_entries


class EntryList(ChangeList):
    """Change list that words all entries of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for line in entry_lines(self.result_list):
            line.entry.line = line  # type: ignore[attr-defined]


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "act", "subject", "by")
    ordering = ("-seq",)
    search_fields = ("=subject", "=kind", "=seq")
    search_help_text = _("room:12, purged, or the number of an entry")
    fields = ("seq", "at", "act", "by", "kind", "subject", "actor", "data", "commitments", "previous", "seal")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        """Select what the reader may read, for list, search and page."""
        return visible_entries(request.user.pk or 0, super().get_queryset(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EntryList

    @admin.display(description=_("what was done"))
    def act(self, entry: Entry) -> str:
        return line_of(entry).text

    @admin.display(description=_("by"))
    def by(self, entry: Entry) -> str:
        return line_of(entry).actor or gettext("the system")


def line_of(entry: Entry) -> EntryLine:
    """Return the words of an entry, which its list made for the whole page."""
    line: EntryLine | None = getattr(entry, "line", None)
    return line or entry_lines([entry])[0]
