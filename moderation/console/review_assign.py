"""Giving a review to an outside reviewer, and taking it back: for those who may know that it is there. Of the review
they see its number, dates and kind of subject, and nothing of its content."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.fields import TypedField
from core.text import REASON, isolated
from moderation.actions.reviews import assign_outside, end_outside
from moderation.console.frame import add_refusal, console_page, require
from moderation.models import OutsideReviewer, Review
from moderation.queries.review_queue import may_know
from moderation.queries.reviews import assign_facts, possible_outside
from moderation.refusals import TABLE, ModerationRefused
from moderation.rules.appeals import why_not_assign
from people.models import User


class ReviewerField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for checking alone
    """A choice of an account by its name and handle."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{isolated(obj.display_name)} @{obj.handle}"


class AssignForm(forms.Form):
    """An outside reviewer, and why. Accounts that may not have this review are no choice."""

    user = ReviewerField(label=_("Outside reviewer"), queryset=User.objects.none())
    reason = TypedField(label=_("Why"), text=REASON, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, review: Review, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["user"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = possible_outside(review)


@never_cache
@require_http_methods(["GET", "POST"])
def reviewer_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a review's reviewer, with the form that gives it to an outside reviewer or takes it back."""
    user = require(request, "moderation.assign_reviewer")
    review = Review.objects.select_related("decision__case").filter(pk=pk).first()
    if review is None or not may_know(review, user):
        raise Http404
    why = why_not_assign(assign_facts(review, user))
    grant = OutsideReviewer.objects.select_related("user", "given_by").filter(review=review, ended_at=None).first()
    form = AssignForm(review, request.POST or None) if why is None else None
    if request.method == "POST":
        if request.POST.get("do") == "end":
            return _ended(request, grant, user)
        if form is not None and form.is_valid() and _gave(request, review, form, user):
            return redirect("admin:moderation_review_reviewer", pk)
    context = {
        "title": gettext("Reviewer of appeal %(number)s") % {"number": pk},
        "review": review,
        "kind": review.decision.case.get_kind_display(),
        "late": review.is_open and review.due_at <= timezone.now(),
        "grant": grant,
        "why": TABLE[why].text if why is not None and grant is None else "",
        "nobody": form is not None and not possible_outside(review).exists(),
    }
    return console_page(request, "admin/moderation/reviewer.html", context, form)


def _gave(request: HttpRequest, review: Review, form: AssignForm, by: User) -> bool:
    try:
        assign_outside(review, form.cleaned_data["user"], by, form.cleaned_data["reason"])
    except ModerationRefused as refused:
        if refused.code == "unknown_review":
            raise Http404 from None
        add_refusal(form, refused)
        return False
    messages.success(request, gettext("Given. They see this appeal from now on, and nothing else."))
    return True


def _ended(request: HttpRequest, grant: OutsideReviewer | None, by: User) -> HttpResponse:
    try:
        if grant is not None and end_outside(grant, by):
            messages.success(request, gettext("Taken back. They see nothing of it any more."))
    except ModerationRefused as refused:
        if refused.code == "unknown_review":
            raise Http404 from None
        messages.error(request, refused.text)
    return redirect("admin:moderation_review_changelist")
