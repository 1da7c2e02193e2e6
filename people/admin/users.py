"""Accounts in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from mail.addresses import SEES_ADDRESSES, canonical_address
from people.actions.account import profile_is_changed, set_email
from people.admin.standing import account_actions_for, act_on_account
from people.creators.actions import add_creators
from people.models import ProfileTakedown, User
from people.standing import lock_standing
from people.takedowns import taken_down

TAKEN_DOWN = _("Moderators removed this name and text. It can be changed once that decision is undone.")
ONLY_SUPERUSERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class AddressForm:
    """Form mixin that stores an address in its canonical spelling, and refuses one to which no mail could be sent."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        return canonical_address(self.cleaned_data["email"])


class AddForm(AddressForm, AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("handle", "display_name", "email")
        field_classes: dict[str, Any] = {}


class ChangeForm(AddressForm, UserChangeForm):  # type: ignore[type-arg]
    """The form of an account. While moderators have removed its name and text, staff set no others either: that would
    undo a decision without its undo, which would then undo theirs."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}

    def clean(self) -> dict[str, Any]:
        """Refuse another name or text while a takedown stands. The account stays locked until it is saved: the admin
        saves in the transaction of this check."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        lock_standing(self.instance.pk)
        if ProfileTakedown.Kind.PROFILE in taken_down(self.instance):
            for name in {"display_name", "about"} & set(self.changed_data):
                self.add_error(name, ValidationError(TAKEN_DOWN, "profile_taken_down"))
        return cleaned


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts. Addresses are only shown to those who may see them; only superusers change staff."""

    form = ChangeForm
    add_form = AddForm
    ordering = ("-date_joined",)
    list_display = ("handle", "display_name", "email", "is_active", "is_staff", "language", "date_joined")
    list_filter = ("is_active", ("deleted_at", admin.EmptyFieldListFilter), "is_staff", "groups", "language")
    search_fields = ("handle", "display_name", "email")
    # Closing and reopening need a reason and have a page of their own; people confirm their addresses themselves.
    readonly_fields = (
        *("is_active", "last_login", "date_joined", "old_enough_at", "rules_version", "picture"),
        *("signing_up", "proved_at", "deleted_at"),
    )
    change_form_template = "admin/people/user/change_form.html"
    filter_horizontal = ("groups", "user_permissions")
    list_per_page = 50
    show_full_result_count = False
    actions = ("add_to_creators",)
    fieldsets = (
        (None, {"fields": ("handle", "password")}),
        (_("Page"), {"fields": ("display_name", "about", "picture", "language", "time_zone")}),
        (_("Reached by"), {"fields": ("email",)}),
        (pgettext_lazy("of an account", "May"), {"fields": ("is_active", *ONLY_SUPERUSERS)}),
        (
            _("When"),
            {
                "fields": (
                    *("date_joined", "last_login", "old_enough_at", "rules_version", "proved_at", "signing_up"),
                    "deleted_at",
                )
            },
        ),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("handle", "display_name", "email", "usable_password", "password1", "password2"),
            },
        ),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return columns if request.user.has_perm(SEES_ADDRESSES) else [name for name in columns if name != "email"]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Leave addresses out for staff who may not see them: a search would reveal one letter by letter."""
        fields = list(super().get_search_fields(request))
        return fields if request.user.has_perm(SEES_ADDRESSES) else [name for name in fields if name != "email"]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        if obj is None or request.user.has_perm(SEES_ADDRESSES):
            return sets
        return [entry for entry in sets if "email" not in entry[1]["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fields = [str(name) for name in super().get_readonly_fields(request, obj)]
        return fields if request.user.is_superuser else [*fields, *ONLY_SUPERUSERS]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only superusers change staff: otherwise staff could set an administrator's password. Nobody changes a
        deleted account."""
        if isinstance(obj, User) and obj.deleted_at is not None:
            return False
        above = isinstance(obj, User) and (obj.is_staff or obj.is_superuser) and obj.pk != request.user.pk
        if above and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: accounts are closed, not deleted, because rooms, evidence and logs refer to them."""
        return False

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act)
        return [path("<int:pk>/act/<slug:name>/", act, name="people_user_act"), *super().get_urls()]

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        return act_on_account(request, self.admin_site, self.opts, pk, name)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        person = kwargs.get("obj")
        assert isinstance(request.user, User)
        account_actions = [] if person is None else account_actions_for(request.user, person)
        return super().render_change_form(request, {**context, "account_actions": account_actions}, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:  # type: ignore[type-arg]
        if change:  # what was changed alone: the rest may be another since the account was read
            columns = {field.name for field in self.opts.concrete_fields}
            obj.save(update_fields=[name for name in form.changed_data if name in columns])
        else:
            super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            set_email(obj, obj.email)
        if change and {"display_name", "picture"} & set(form.changed_data):
            profile_is_changed(obj.pk)

    def has_add_to_creators_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("people.change_creator")

    @admin.action(description=_("Add to the creator group"), permissions=["add_to_creators"])
    def add_to_creators(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        assert isinstance(request.user, User)
        added = add_creators(list(queryset.filter(is_active=True)), by=request.user)
        text = ngettext("%d person was added.", "%d people were added.", len(added.new)) % len(added.new)
        if added.before:
            text += " " + ngettext("%d was in it before.", "%d were in it before.", len(added.before)) % len(
                added.before
            )
        self.message_user(request, text, messages.SUCCESS)
