"""Acts of staff on an account: close, reopen, end sessions, impose and lift sanctions. Each has a reason."""

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
from people.actions.roles import roles_of, set_roles
from people.actions.standing import (
    close_account,
    end_all_sessions,
    impose_sanction,
    lift_sanction,
    reopen_account,
)
from people.models import Sanction, User
from people.refusals import PeopleRefused

ROLE_NAMES = {
    "moderator": _("Moderator"),
    "senior": _("Senior moderator"),
    "auditor": _("Auditor"),
    "administrator": _("Administrator"),
    "child-safety": _("Child safety"),
    "outside-reviewer": _("Outside reviewer"),
}


class WhyForm(forms.Form):
    """The reason for an act on an account."""

    why = TypedField(label=_("Why"), text=REASON, widget=forms.Textarea(attrs={"rows": 3, "cols": 60}))


class SplitMoment(AdminSplitDateTime):
    """A widget for a day and a time with a label each: Django's have words beside them, which screen readers miss."""

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
        widget=SplitMoment(),
        help_text=_("In your time zone. Empty: for good."),
    )


class RolesForm(WhyForm):
    """The roles that an account has from now on."""

    field_order = ("roles", "why")
    roles = forms.MultipleChoiceField(
        label=_("Roles"), required=False, choices=list(ROLE_NAMES.items()), widget=forms.CheckboxSelectMultiple
    )


@dataclass(frozen=True)
class AccountAction:
    """An act that staff may do to an account: its permission, its form, the action it calls, and when it is offered.

    `on_staff`: also to other staff, superusers excepted; else only superusers act on staff. `initial` fills the form.
    """

    permission: str
    title: str | Promise
    form: type[forms.Form]
    do: Callable[[User, User, dict[str, Any]], object]
    offered: Callable[[User], bool] = lambda _user: True
    on_staff: bool = False
    initial: Callable[[User], dict[str, Any]] = lambda _user: {}


ACCOUNT_ACTIONS: dict[str, AccountAction] = {
    "close": AccountAction(
        "people.close_account",
        _("Close the account"),
        WhyForm,
        lambda user, by, data: close_account(user, by, data["why"]),
        lambda user: user.is_active,
    ),
    "reopen": AccountAction(
        "people.close_account",
        _("Open the account again"),
        WhyForm,
        lambda user, by, data: reopen_account(user, by, data["why"]),
        lambda user: not user.is_active and user.deleted_at is None,
    ),
    "end-sessions": AccountAction(
        "people.end_sessions",
        _("End all sessions and tokens"),
        WhyForm,
        lambda user, by, data: end_all_sessions(user, by, data["why"]),
        lambda user: user.deleted_at is None,
    ),
    "sanction": AccountAction(
        "people.add_sanction",
        _("Impose a sanction"),
        SanctionForm,
        lambda user, by, data: impose_sanction(user, data["kind"], by, data["why"], data["ends_at"]),
    ),
    "roles": AccountAction(
        "people.change_role",
        _("Change roles"),
        RolesForm,
        lambda user, by, data: set_roles(user, data["roles"], by, data["why"]),
        lambda user: user.is_active,
        on_staff=True,
        initial=lambda user: {"roles": roles_of(user)},
    ),
}


def may_act_on(by: User, user: User, action: AccountAction | None = None) -> bool:
    """Whether `by` may act on `user`: only superusers act on staff (see `on_staff`), and nobody on oneself."""
    on_staff = action is not None and action.on_staff
    above = user.is_superuser or (user.is_staff and not on_staff)
    return by.pk != user.pk and (by.is_superuser or not above)


def account_actions_for(by: User, user: User) -> list[tuple[str, AccountAction]]:
    """Return (name, act) of the acts that `by` may do to an account in its present state."""
    return [
        (name, action)
        for name, action in ACCOUNT_ACTIONS.items()
        if may_act_on(by, user, action) and by.has_perm(action.permission) and action.offered(user)
    ]


def act_on_account(request: HttpRequest, site: admin.AdminSite, opts: Any, pk: int, name: str) -> HttpResponse:
    """Show the form of an act, or run it. Raises PermissionDenied."""
    user, by = get_object_or_404(User, pk=pk), cast(User, request.user)
    action = dict(account_actions_for(by, user)).get(name)
    if action is None:
        known = ACCOUNT_ACTIONS.get(name)
        if known is not None and may_act_on(by, user, known) and by.has_perm(known.permission):
            messages.info(request, _("Done already: the account is as it should be."))
            return redirect("admin:people_user_change", pk)
        raise PermissionDenied
    form = action.form(request.POST or None, initial=action.initial(user))
    if form.is_valid():
        try:
            action.do(user, by, form.cleaned_data)
        except PeopleRefused as refused:
            form.add_error(None, ValidationError(refused.text, refused.code))
        else:
            messages.success(request, _("Done."))
            return redirect("admin:people_user_change", pk)
    return render_reason_form(request, site, opts, (str(action.title), f"@{user.handle}"), form, user)


def render_reason_form(
    request: HttpRequest, site: admin.AdminSite, opts: Any, action: tuple[str, str], form: forms.Form, user: User
) -> HttpResponse:
    """Render the form of an act. `action` is its title, which the button shows too, and its object."""
    asked = {"title": ": ".join(action), "action": action[0], "form": form, "person": user}
    context = {**site.each_context(request), "opts": opts, **asked}
    return render(request, "admin/people/user/act.html", context, status=400 if form.errors else 200)


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    """Sanctions, to read and to lift. They are imposed on a person's page, and never deleted."""

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
        action = (str(_("Lift the sanction")), f"@{sanction.user.handle}, {sanction.get_kind_display()}")
        return render_reason_form(request, self.admin_site, self.opts, action, form, sanction.user)
