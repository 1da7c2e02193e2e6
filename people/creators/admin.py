"""The creator group in the admin: adding by list and by wave, removing. It calls the actions that pages and commands
use."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin
from core.fields import TypedField
from core.text import WAVE
from people.creators.actions import add_creators, add_creators_by_list, add_wave, remove_creators
from people.creators.queries import waiting
from people.models import Creator, User
from people.refusals import PeopleRefused

LONGEST_LIST = 5000  # words; a form is no bulk import


class ListForm(forms.Form):
    """Handles and e-mail addresses, separated by white space."""

    people = forms.CharField(
        label=_("Handles or e-mail addresses"),
        widget=forms.Textarea(attrs={"rows": 12, "cols": 60, "spellcheck": "false"}),
        help_text=_("Separated by spaces, commas or new lines. Addresses count where their owner confirmed them."),
    )
    wave = TypedField(label=_("Name of the wave"), text=WAVE, required=False, help_text=_("May stay empty."))

    def clean_people(self) -> list[str]:
        words: list[str] = self.cleaned_data["people"].replace(",", " ").replace(";", " ").split()
        if not words:
            raise ValidationError(_("Write at least one handle or address."), "empty")
        if len(words) > LONGEST_LIST:
            raise ValidationError(_("This list is too long. Add at most 5,000 at once."), "too_long")
        return words


class WaveForm(forms.Form):
    """A wave: how many people from the queue, and its name."""

    size = forms.IntegerField(label=_("How many"), min_value=1, max_value=LONGEST_LIST, initial=50)
    name = TypedField(label=_("Name of the wave"), text=WAVE, help_text=_("For example: “Spring, first 50”."))


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waiting")), ("member", _("member"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Creator]) -> QuerySet[Creator]:
        if self.value() in ("waiting", "member"):
            return queryset.filter(added_at__isnull=self.value() == "waiting")
        return queryset


@admin.register(Creator)
class CreatorAdmin(ReadOnlyAdmin):
    list_display = ("person", "state", "asked_at", "plan", "added_at", "added_by", "wave")
    list_display_links = ("state",)  # the person is a link to their own page
    list_select_related = ("user", "added_by")
    list_filter = (StateFilter, "wave")
    search_fields = ("user__handle", "user__display_name", "plan", "wave")
    ordering = ("-added_at", "asked_at")
    actions = ("add_selected", "remove_selected")
    change_list_template = "admin/people/creator/change_list.html"

    @admin.display(description=_("person"), ordering="user__handle")
    def person(self, row: Creator) -> SafeString:
        return format_html('<a href="{}">{}</a>', row.user.get_absolute_url(), row.user)

    @admin.display(description=_("state"))
    def state(self, row: Creator) -> str:
        return gettext("member") if row.is_member else gettext("waiting")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("people.change_creator")

    @admin.action(description=_("Add the selected people to the group"), permissions=["manage"])
    def add_selected(self, request: HttpRequest, queryset: QuerySet[Creator]) -> None:
        people = [row.user for row in queryset.select_related("user").filter(user__is_active=True)]
        added = add_creators(people, by=cast(User, request.user))
        self.message_user(request, added_message(len(added.new)), messages.SUCCESS)

    @admin.action(description=_("Remove the selected people from the group"), permissions=["manage"])
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Creator]) -> None:
        removed = remove_creators([row.user for row in queryset.select_related("user")], by=cast(User, request.user))
        text = ngettext("%d person was removed.", "%d people were removed.", len(removed)) % len(removed)
        self.message_user(request, text, messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("list/", wrap(self.by_list), name="people_creator_list"),
            path("wave/", wrap(self.by_wave), name="people_creator_wave"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        manages = self.has_manage_permission(request)
        return super().changelist_view(request, {**(extra_context or {}), "manages": manages})

    def show(self, request: HttpRequest, title: str, form: forms.Form, **context: Any) -> HttpResponse:
        names = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "form": form, **context}
        return render(request, "admin/people/creator/add.html", names, status=400 if form.errors else 200)

    def by_list(self, request: HttpRequest) -> HttpResponse:
        """Add everybody on a list who is found, and show the words that match nobody."""
        if not self.has_manage_permission(request):
            raise PermissionDenied
        form = ListForm(request.POST or None)
        title = gettext("Add people by list")
        if not form.is_valid():
            return self.show(request, title, form, waiting=None)
        data = form.cleaned_data
        added = add_creators_by_list(data["people"], by=cast(User, request.user), wave=data["wave"])
        left = " ".join(added.missing + added.unconfirmed)
        again = ListForm(initial={"people": left, "wave": data["wave"]})
        return self.show(request, title, again, added=added, told=added_message(len(added.new)))

    def by_wave(self, request: HttpRequest) -> HttpResponse:
        """Add the next people of the queue."""
        if not self.has_manage_permission(request):
            raise PermissionDenied
        form = WaveForm(request.POST or None)
        if form.is_valid():
            try:
                added = add_wave(form.cleaned_data["size"], form.cleaned_data["name"], by=cast(User, request.user))
            except PeopleRefused as refused:
                form.add_error(None, ValidationError(refused.text, refused.code))
            else:
                self.message_user(request, added_message(len(added.new)), messages.SUCCESS)
                return redirect("admin:people_creator_changelist")
        return self.show(request, gettext("Let in the next who asked"), form, waiting=waiting().count())


def added_message(number: int) -> str:
    return ngettext("%d person was added and told by mail.", "%d people were added and told by mail.", number) % number
