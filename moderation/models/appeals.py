"""Models of the second half of the line: appeals, their review by somebody else, and what people are told."""

from __future__ import annotations

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import REASON, Text
from moderation.models.decisions import Decision
from moderation.models.reports import Report

APPEAL = Text(2000, lines=True)
REASONS = Text(5000, lines=True)
UNDECIDED = ["open", "proposed"]


class Side(models.TextChoices):
    """Sides of a decision that may appeal: whom a violation concerns, and a reporter in whose range none was found."""

    CONCERNED = "concerned", _("person concerned")
    REPORTER = "reporter", _("reporter")


def one_side() -> Q:
    """Return the condition that a row names a report where it is a reporter's, and a person where it is not."""
    return Q(side="concerned", person__isnull=False, report=None) | Q(side="reporter", report__isnull=False)


class Review(models.Model):
    """Another look at a decision: one at a time, for all appeals that are open, with one reviewer and one outcome.

    An overturned decision may be replaced by the reviewer's own; one that needs a second moderator makes the review
    `proposed` until it is approved, and open again where it is not.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PROPOSED = "proposed", _("waiting for a second moderator")
        DECIDED = "decided", _("decided")

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("upheld (appeal dismissed)")
        OVERTURNED = "overturned", _("overturned (appeal granted)")

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="reviews", verbose_name=_("decision"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    due_at = models.DateTimeField(_("due"))
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("claimed by")
    )
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, blank=True, default="")
    reasons = TypedColumn(_("reasons"), text=REASONS, blank=True, default="")  # read by those who appealed
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reviewer")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    replacement = models.OneToOneField(
        Decision, models.PROTECT, null=True, blank=True, related_name="made_by", verbose_name=_("new decision")
    )
    alerted_at = models.DateTimeField(null=True, blank=True, editable=False)  # seniors know that it is overdue
    stranded_at = models.DateTimeField(null=True, blank=True, editable=False)  # staff know that nobody is eligible
    erased_at = models.DateTimeField(_("words erased"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("review of a decision")
        verbose_name_plural = _("reviews of decisions")
        permissions = [
            ("review_appeal", _("Can review decisions that somebody appealed")),
            ("assign_reviewer", _("Can give a review to an outside reviewer")),
            ("review_assigned", _("Can review what was given to them as an outside reviewer")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["decision"], condition=Q(state__in=UNDECIDED), name="review_one_open"),
            models.UniqueConstraint(fields=["claimed_by"], condition=Q(state="open"), name="review_one_claim_a_person"),
            models.CheckConstraint(
                condition=Q(state="decided", decided_at__isnull=False, reviewer__isnull=False) & ~Q(outcome="")
                | Q(state__in=UNDECIDED, decided_at=None),
                name="review_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state="decided") | ~Q(reasons="") | Q(erased_at__isnull=False), name="review_has_reasons"
            ),
            models.CheckConstraint(
                condition=Q(claimed_by=None, claimed_until=None)
                | Q(claimed_by__isnull=False, claimed_until__isnull=False),
                name="review_claim",
            ),
            models.CheckConstraint(
                condition=Q(replacement=None) | Q(outcome="overturned"), name="review_replaces_what_it_overturned"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=UNDECIDED), name="review_queue"),
            models.Index(fields=["-decided_at", "-id"], condition=Q(state="decided"), name="review_decided_last"),
        ]
        triggers = [
            # A party reviews nothing, nor does anybody who took part in a decision of the case, or in its review.
            pgtrigger.Trigger(
                name="review_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("claimed_by_id", "reviewer_id", "replacement_id"),  # type: ignore[no-untyped-call]
                func="""
                    IF EXISTS (
                        SELECT 1 FROM moderation_decision own JOIN moderation_caseparty p ON p.case_id = own.case_id
                        WHERE own.id = NEW.decision_id AND p.user_id IN (NEW.claimed_by_id, NEW.reviewer_id)
                    ) OR EXISTS (
                        SELECT 1 FROM moderation_decision own JOIN moderation_decision d ON d.case_id = own.case_id
                        WHERE own.id = NEW.decision_id AND d.id IS DISTINCT FROM NEW.replacement_id AND (
                            d.by_id IN (NEW.claimed_by_id, NEW.reviewer_id)
                            OR d.second_by_id IN (NEW.claimed_by_id, NEW.reviewer_id)
                        )
                    ) OR EXISTS (
                        SELECT 1 FROM moderation_decision own JOIN moderation_decision d ON d.case_id = own.case_id
                        JOIN moderation_review r ON r.decision_id = d.id
                        WHERE own.id = NEW.decision_id AND r.id IS DISTINCT FROM NEW.id
                        AND r.reviewer_id IN (NEW.claimed_by_id, NEW.reviewer_id)
                    ) OR EXISTS (
                        SELECT 1 FROM moderation_decision d
                        WHERE d.id = NEW.replacement_id AND d.by_id IS DISTINCT FROM NEW.reviewer_id
                    ) THEN
                        RAISE EXCEPTION 'somebody else has to review this' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="review_decided_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="decided")
                & (
                    ~pgtrigger.Q(new__state="decided")
                    | ~pgtrigger.Q(new__outcome=pgtrigger.F("old__outcome"))
                    | pgtrigger.Q(new__reviewer_id__df=pgtrigger.F("old__reviewer_id"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_open(self) -> bool:
        return self.state in UNDECIDED

    def holder(self, now: datetime) -> int | None:
        """Return the key of whoever has the review at this moment; nobody once a claim is over."""
        return self.claimed_by_id if self.claimed_until is not None and self.claimed_until > now else None


class Appeal(models.Model):
    """One side's appeal against one decision: once. `holds` says whether the copy was still there to be held when it
    was filed; one that came later is decided on the record."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="appeals", verbose_name=_("review"))
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="appeals", verbose_name=_("decision"))
    side = models.CharField(_("side"), max_length=9, choices=Side.choices)
    report = models.ForeignKey(
        Report, models.PROTECT, null=True, blank=True, related_name="appeals", verbose_name=_("report")
    )
    person = models.ForeignKey(  # None: a reporter without an account
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    words = TypedColumn(_("in their words"), text=APPEAL, blank=True)  # empty once it is erased
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    filed_at = models.DateTimeField(_("filed"), default=timezone.now)
    holds = models.BooleanField(_("holds the copy"), default=False)
    once = models.CharField(max_length=64, blank=True, default="", editable=False)  # mark of the form; "" for none
    erased_at = models.DateTimeField(_("words erased"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["filed_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "side", "report"], nulls_distinct=False, name="appeal_one_a_side"
            ),
            models.CheckConstraint(condition=one_side(), name="appeal_side"),
            models.CheckConstraint(condition=~Q(words="") | Q(erased_at__isnull=False), name="appeal_has_words"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="appeal_unchanged",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR NEW.decision_id <> OLD.decision_id OR NEW.review_id <> OLD.review_id
                        OR NEW.side <> OLD.side OR NEW.report_id IS DISTINCT FROM OLD.report_id
                        OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.filed_at <> OLD.filed_at
                        OR (NEW.words <> OLD.words AND NEW.erased_at IS NULL)
                    THEN
                        RAISE EXCEPTION 'an appeal is never changed' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.side} on {self.decision_id}"


class AppealDraft(models.Model):
    """Text of an appeal that one side has begun and not filed. It outlives the link by which it was typed."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="+", verbose_name=_("decision"))
    side = models.CharField(_("side"), max_length=9, choices=Side.choices)
    report = models.ForeignKey(Report, models.CASCADE, null=True, related_name="+", verbose_name=_("report"))
    words = TypedColumn(_("text"), text=APPEAL, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "side", "report"], nulls_distinct=False, name="appeal_draft_one_a_side"
            )
        ]

    def __str__(self) -> str:
        return f"{self.side} on {self.decision_id}"


class AppealLink(models.Model):
    """Address by which one side reads and appeals one decision without signing in. Only a hash of its token is kept; a
    new link ends the one before. After filing it shows the state, and the sound again by a code that is mailed to the
    address to which the link went."""

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="+", verbose_name=_("decision"))
    side = models.CharField(_("side"), max_length=9, choices=Side.choices)
    report = models.ForeignKey(Report, models.PROTECT, null=True, related_name="+", verbose_name=_("report"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256, in hex
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("works until"))
    ended_at = models.DateTimeField(_("ended"), null=True)  # a newer one was made
    code_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    code_until = models.DateTimeField(null=True, editable=False)
    code_tries = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "side", "report"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="appeal_link_one_works",
            ),
            models.CheckConstraint(condition=one_side(), name="appeal_link_side"),
        ]
        indexes = [models.Index(fields=["expires_at"], name="appeal_link_expires")]

    def __str__(self) -> str:
        return f"{self.side} on {self.decision_id}"


class OutsideReviewer(models.Model):
    """An account that was given one review, because nobody of the staff may decide it. It sees that review alone, until
    `ended_at`."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="outside", verbose_name=_("review"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reviewer"))
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("given by"))
    reason = TypedColumn(_("why"), text=REASON)
    at = models.DateTimeField(_("when"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("outside reviewer")
        verbose_name_plural = _("outside reviewers")
        constraints = [
            models.UniqueConstraint(fields=["review"], condition=Q(ended_at=None), name="outside_reviewer_one"),
            models.CheckConstraint(condition=~Q(user=F("given_by")), name="outside_reviewer_is_another"),
        ]
        indexes = [models.Index(fields=["user"], condition=Q(ended_at=None), name="outside_reviewer_now")]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.review_id}"


class Notification(models.Model):
    """Something that one person is told about a decision, by a message of the site and by mail: once. It is made with
    what it tells, and sent by a transaction of its own."""

    class Kind(models.TextChoices):
        STATEMENT = "statement", _("statement of reasons")
        REPORT_OUTCOME = "report_outcome", _("outcome of a report")
        APPEAL_RECEIVED = "appeal_received", _("appeal received")
        APPEAL_OUTCOME = "appeal_outcome", _("outcome of an appeal")
        OUTCOME_CHANGED = "outcome_changed", _("changed outcome")

    kind = models.CharField(_("kind"), max_length=15, choices=Kind.choices)
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="notifications", verbose_name=_("decision"))
    review = models.ForeignKey(Review, models.PROTECT, null=True, related_name="+", verbose_name=_("review"))
    report = models.ForeignKey(Report, models.PROTECT, null=True, related_name="+", verbose_name=_("report"))
    person = models.ForeignKey(  # None: a reporter without an account
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    told_at = models.DateTimeField(_("told"), null=True)

    class Meta:
        verbose_name = _("notification about a decision")
        verbose_name_plural = _("notifications about decisions")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "decision", "review", "report", "person"],
                nulls_distinct=False,
                name="notification_once",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(report__isnull=False), name="notification_is_for_somebody"
            ),
        ]
        indexes = [models.Index(fields=["made_at"], condition=Q(told_at=None), name="notification_not_told")]
        triggers = [
            pgtrigger.Protect(
                name="notification_told_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__told_at__isnull=False)
                & pgtrigger.Q(new__told_at__df=pgtrigger.F("old__told_at")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.decision_id}"
