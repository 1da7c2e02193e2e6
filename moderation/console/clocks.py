"""The pages of retention clocks: all recordings, and one room's clock with its holds and receipt."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from core.admin.search import SEARCH
from core.fields import TypedField
from core.text import REASON
from moderation.actions.holds import REFERENCE, lift_legal_hold, set_legal_hold
from moderation.console.frame import add_refusal, console_page, require
from moderation.models import LegalHold
from moderation.queries.clocks import SHOW, clock_rows, rooms_shown
from moderation.refusals import ModerationRefused
from retention.models import PurgeReceipt
from retention.purge import overdue
from retention.state import visible_receipts
from rooms.models import Room

READ = "moderation.view_roomclock"
SET, LIFT, ORDERS = "moderation.add_legalhold", "moderation.change_legalhold", "moderation.view_legalhold"
A_PAGE = 50
LONGEST_DAYS = 3650
NAMES = {
    "kept": _("Kept"),
    "live": _("Live"),
    "held": _("Held"),
    "soon": _("Deleted within a week"),
    "overdue": _("Overdue"),
    "deleted": _("Deleted"),
}


class HoldForm(forms.Form):
    """An order of an authority by which the copy is kept."""

    reference = TypedField(label=_("Reference of the order"), text=REFERENCE)
    reason = TypedField(label=_("Reason"), text=REASON)
    until = forms.DateField(
        label=_("Keep until the end of"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean_until(self) -> datetime:
        """Return the end of that day in the reader's zone."""
        day = self.cleaned_data["until"]
        today = timezone.localdate()
        if not today <= day <= today + timedelta(days=LONGEST_DAYS):
            raise ValidationError(_("Choose a day from today on, within ten years."), "day")
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


class LiftForm(forms.Form):
    """The reason why a legal hold ends before its day."""

    reason = TypedField(label=_("Why it is lifted"), text=REASON)


def clocks_page(request: HttpRequest) -> HttpResponse:
    """Every recording with its clock: state, day, reason, holds and who set them."""
    user = require(request, READ)
    now = timezone.now()
    show = request.GET.get("show", "kept")
    if show not in SHOW:
        show = "kept"
    search = SEARCH.clean_leniently(request.GET.get("q", ""))
    number = request.GET.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and 0 < int(number[:6]) == int(number) else 1
    rows = list(rooms_shown(user, show, now, search)[(page - 1) * A_PAGE : page * A_PAGE + 1])
    late = len(overdue(now))

    def address(**more: Any) -> str:
        return "?" + urlencode({name: value for name, value in {"q": search, **more}.items() if value})

    tabs = [
        {"url": address(show=key), "title": name, "count": late if key == "overdue" else None, "here": key == show}
        for key, name in NAMES.items()
    ]
    context = {
        "title": _("Clocks of recordings"),
        "rows": clock_rows(user, rows[:A_PAGE], now),
        "show": show,
        "search": search,
        "late": late,
        "tabs": tabs,
        "overdue_url": address(show="overdue"),
        "earlier": address(show=show, page=page - 1) if page > 1 else "",
        "further": address(show=show, page=page + 1) if len(rows) > A_PAGE else "",
    }
    return console_page(request, "admin/moderation/clocks.html", context)


def clock_page(request: HttpRequest, pk: str) -> HttpResponse:
    """One room's clock: the bar, cases, legal holds with the forms to set and lift them, the receipt."""
    user = require(request, READ)
    room = room_of(pk)
    form = HoldForm(request.POST or None) if user.has_perm(SET) else None
    if request.method == "POST":
        require(request, SET)
        assert form is not None
        if form.is_valid():
            data = form.cleaned_data
            try:
                set_legal_hold(room, user, reference=data["reference"], reason=data["reason"], expires_at=data["until"])
            except ModerationRefused as refused:
                add_refusal(form, refused)
            else:
                messages.success(request, _("The recording is held."))
                return redirect("admin:moderation_roomclock_change", room.pk)
    now = timezone.now()
    (row,) = clock_rows(user, [room], now)
    standing = {hold.pk for hold in row.holds}
    past = LegalHold.objects.filter(room=room).exclude(pk__in=standing).select_related("set_by", "lifted_by")
    receipts = visible_receipts(user.pk, PurgeReceipt.objects.filter(room=room.pk))
    receipt = receipts.first() if user.has_perm("retention.view_purgereceipt") else None
    context = {
        "title": room.shown_title,
        "row": row,
        "past": [] if row.party else past.order_by("-set_at"),
        "lift_form": LiftForm() if user.has_perm(LIFT) and not row.party else None,
        "orders": user.has_perm(ORDERS),
        "receipt": receipt,
        "may_open": user.has_perm("moderation.open_case") and not row.party and row.kept.purged is False,
    }
    return console_page(request, "admin/moderation/clock.html", context, None if row.party else form)


@require_POST
def lift_hold(request: HttpRequest, pk: str, hold: int) -> HttpResponse:
    """Lift a legal hold, then back to the room's clock."""
    user = require(request, LIFT)
    room = room_of(pk)
    row = LegalHold.objects.select_related("room").filter(pk=hold, room=room).first()
    if row is None:
        raise Http404
    form = LiftForm(request.POST)
    if not form.is_valid():
        messages.warning(request, gettext("Say why the hold is lifted."))
        return redirect("admin:moderation_roomclock_change", room.pk)
    try:
        lift_legal_hold(row, user, form.cleaned_data["reason"])
    except ModerationRefused as refused:
        messages.warning(request, refused.text)
    else:
        messages.success(request, _("The hold is lifted. The clock goes on as if it had ended now."))
    return redirect("admin:moderation_roomclock_change", room.pk)


def room_of(pk: str) -> Room:
    """Find a room that ran or was to run, by its key. Raises Http404."""
    known = pk.isascii() and pk.isdigit() and len(pk) < 19
    room = Room.objects.select_related("host").filter(pk=int(pk)).first() if known else None
    if room is None or room.status == Room.Status.SCHEDULED:
        raise Http404
    return room
