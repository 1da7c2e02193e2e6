"""Acts of staff on an account: close and open it, end its sessions, impose and lift sanctions. Each with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin
from core.fields import TypedField
from core.text import REASON
from people.actions.standing import (
    close_account,
    end_all_sessions,
    impose_sanction,
    lift_sanction,
    reopen_account,
)
from people.models import Sanction, User
from people.refusals import PeopleRefused


class WhyForm(forms.Form):
    """The reason of an act on an account."""

    why = TypedField(label=_("Why"), text=REASON, widget=forms.Textarea(attrs={"rows": 3, "cols": 60}))


class Moment(AdminSplitDateTime):
    """A day and a time, each with a label of its own: Django's have words beside them, which screen readers miss."""

    def __init__(self) -> None:
        super().__init__()
        for widget, name in zip(self.widgets, (_("Until, day"), _("Until, time")), strict=True):
            widget.attrs["aria-label"] = name


class SanctionForm(WhyForm):
    """A sanction on an account."""

    field_order = ("kind", "ends_at", "why")
    kind = forms.ChoiceField(label=_("Kind"), choices=Sanction.Kind.choices)
    ends_at = forms.SplitDateTimeField(
        label=_("Until"),
        required=False,
        widget=Moment(),
        help_text=_("In your time zone. Empty: for good."),
    )


@dataclass(frozen=True)
class Deed:
    """One thing that staff may do to an account: what may do it, its form, its action."""

    permission: str
    title: str | Promise
    form: type[forms.Form]
    do: Callable[[User, User, dict[str, Any]], object]
    offered: Callable[[User], bool] = lambda _user: True


DEEDS: dict[str, Deed] = {
    "close": Deed(
        "people.close_account",
        _("Close the account"),
        WhyForm,
        lambda user, by, data: close_account(user, by, data["why"]),
        lambda user: user.is_active,
    ),
    "reopen": Deed(
        "people.close_account",
        _("Open the account again"),
        WhyForm,
        lambda user, by, data: reopen_account(user, by, data["why"]),
        lambda user: not user.is_active,
    ),
    "end-sessions": Deed(
        "people.end_sessions",
        _("End all sessions and tokens"),
        WhyForm,
        lambda user, by, data: end_all_sessions(user, by, data["why"]),
    ),
    "sanction": Deed(
        "people.add_sanction",
        _("Impose a sanction"),
        SanctionForm,
        lambda user, by, data: impose_sanction(user, data["kind"], by, data["why"], data["ends_at"]),
    ),
}


def may_act_on(by: User, user: User) -> bool:
    """Staff accounts are acted on by superusers only, and nobody acts on oneself."""
    above = user.is_staff or user.is_superuser
    return by.pk != user.pk and (by.is_superuser or not above)


def deeds_for(by: User, user: User) -> list[tuple[str, Deed]]:
    """The acts that one of the staff may do to an account as it is now."""
    if not may_act_on(by, user):
        return []
    return [(name, deed) for name, deed in DEEDS.items() if by.has_perm(deed.permission) and deed.offered(user)]


def act_on_account(request: HttpRequest, site: admin.AdminSite, opts: Any, pk: int, name: str) -> HttpResponse:
    """Ask for the reason, then do it."""
    user, by = get_object_or_404(User, pk=pk), cast(User, request.user)
    deed = dict(deeds_for(by, user)).get(name)
    if deed is None:
        if name in DEEDS and may_act_on(by, user) and by.has_perm(DEEDS[name].permission):
            messages.info(request, _("Done already: the account is as it should be."))
            return redirect("admin:people_user_change", pk)
        raise PermissionDenied
    form = deed.form(request.POST or None)
    if form.is_valid():
        try:
            deed.do(user, by, form.cleaned_data)
        except PeopleRefused as refused:
            form.add_error(None, ValidationError(refused.text, refused.code))
        else:
            messages.success(request, _("Done."))
            return redirect("admin:people_user_change", pk)
    return ask_why(request, site, opts, (str(deed.title), f"@{user.handle}"), form, user)


def ask_why(
    request: HttpRequest, site: admin.AdminSite, opts: Any, deed: tuple[str, str], form: forms.Form, user: User
) -> HttpResponse:
    """The page that asks for the reason. `deed` is its name, which the button bears, and what it is done to."""
    asked = {"title": ": ".join(deed), "deed": deed[0], "form": form, "person": user}
    context = {**site.each_context(request), "opts": opts, **asked}
    return render(request, "admin/people/user/act.html", context, status=400 if form.errors else 200)


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    """Sanctions are imposed on a person's page and lifted here; rows stay."""

    list_display = ("person", "kind", "begins_at", "ends_at", "lifted_at", "imposed_by", "why")
    list_filter = ("kind", ("lifted_at", admin.EmptyFieldListFilter))
    list_select_related = ("user", "imposed_by", "lifted_by")
    search_fields = ("user__handle", "user__display_name", "why")
    ordering = ("-begins_at",)
    change_form_template = "admin/people/sanction/change_form.html"

    @admin.display(description=_("person"), ordering="user__handle")
    def person(self, row: Sanction) -> str:
        return str(row.user)

    def get_urls(self) -> list[URLPattern]:
        lift = self.admin_site.admin_view(self.lift)
        return [path("<int:pk>/lift/", lift, name="people_sanction_lift"), *super().get_urls()]

    def may_lift(self, request: HttpRequest, sanction: Sanction) -> bool:
        by = cast(User, request.user)
        return by.has_perm("people.lift_sanction") and may_act_on(by, sanction.user)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        sanction = kwargs.get("obj")
        lifts = sanction is not None and sanction.lifted_at is None and self.may_lift(request, sanction)
        return super().render_change_form(request, {**context, "lifts": lifts}, *args, **kwargs)

    def lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason, then lift the sanction."""
        sanction = get_object_or_404(Sanction.objects.select_related("user"), pk=pk)
        if not self.may_lift(request, sanction):
            raise PermissionDenied
        form = WhyForm(request.POST or None)
        if form.is_valid():
            lifted = lift_sanction(sanction, cast(User, request.user), form.cleaned_data["why"])
            text = _("Done.") if lifted else _("This sanction was lifted already.")
            messages.success(request, text)
            return redirect("admin:people_sanction_changelist")
        deed = (str(_("Lift the sanction")), f"@{sanction.user.handle}, {sanction.get_kind_display()}")
        return ask_why(request, self.admin_site, self.opts, deed, form, sanction.user)
