"""Models of decisions: what a moderator found, the measures it imposed, its statement, and acts before a decision."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import REASON, Text
from moderation.models.cases import Case
from moderation.models.rulebook import RuleVersion

FACTS = Text(5000, lines=True)
LAW = Text(500)

_NO_PARTY = """
    IF EXISTS (
        SELECT 1 FROM moderation_caseparty p
        WHERE p.case_id = NEW.case_id AND p.user_id IN (NEW.by_id, NEW.second_by_id, NEW.undone_by_id)
    ) THEN
        RAISE EXCEPTION 'a party cannot decide a case' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""
# Of a review's new decision: whoever had a part in an earlier one, or reviewed one, does not approve it.
_SECOND_IS_NEW = """
    IF NEW.second_by_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM moderation_review own WHERE own.replacement_id = NEW.id
    ) AND (
        EXISTS (
            SELECT 1 FROM moderation_decision d WHERE d.case_id = NEW.case_id AND d.id <> NEW.id
            AND NEW.second_by_id IN (d.by_id, d.second_by_id)
        ) OR EXISTS (
            SELECT 1 FROM moderation_review r JOIN moderation_decision d ON d.id = r.decision_id
            WHERE d.case_id = NEW.case_id AND r.reviewer_id = NEW.second_by_id
        )
    ) THEN
        RAISE EXCEPTION 'somebody else has to approve this' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""
_DECIDERS_CHANGE = pgtrigger.UpdateOf("by_id", "second_by_id", "undone_by_id")  # type: ignore[no-untyped-call]


class Decision(models.Model):
    """A moderator's finding in a case. One that needs a second moderator is `proposed` until it is approved (then
    `standing`), turned down, or lapses on the day of the violation period. `ended_at` is when it stopped counting."""

    class Outcome(models.TextChoices):
        VIOLATION = "violation", _("violation")
        NO_VIOLATION = "no_violation", _("no violation")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        STANDING = "standing", _("standing")
        TURNED_DOWN = "turned_down", _("turned down")
        LAPSED = "lapsed", _("lapsed")
        UNDONE = "undone", _("undone")

    class Ground(models.TextChoices):
        RULE = "rule", _("against the rules here")
        LAW = "law", _("against the law")

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions", verbose_name=_("case"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    state = models.CharField(_("state"), max_length=11, choices=State.choices)
    rule = models.ForeignKey(
        RuleVersion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("rule, as it read")
    )
    ground = models.CharField(_("ground"), max_length=4, choices=Ground.choices, default=Ground.RULE)
    law = TypedColumn(_("law"), text=LAW, blank=True, default="")
    facts = TypedColumn(_("facts"), text=FACTS, blank=True)  # empty for “no violation”, and once it is erased
    # For the export: the facts without anything personal.
    public_facts = TypedColumn(_("facts without personal data"), text=FACTS, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("second")
    )
    second_at = models.DateTimeField(_("approved or turned down"), null=True, blank=True)
    second_reason = TypedColumn(_("why it was turned down"), text=REASON, blank=True, default="")
    ended_at = models.DateTimeField(_("stopped counting"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("undone by")
    )
    alerted_at = models.DateTimeField(null=True, blank=True, editable=False)  # seniors know that it is overdue
    # Of a review's new decision: the ranges, in milliseconds, on which it rests. None: all evidence of the case.
    ranges = models.JSONField(_("ranges"), null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(_("words erased"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["case", "at", "pk"]
        constraints = [
            # While a review's new decision waits for a second moderator, the one that it replaces stands.
            models.UniqueConstraint(fields=["case"], condition=Q(state="standing"), name="decision_one_standing"),
            models.UniqueConstraint(fields=["case"], condition=Q(state="proposed"), name="decision_one_proposed"),
            models.CheckConstraint(
                condition=Q(outcome="no_violation", rule=None)
                | Q(outcome="violation", rule__isnull=False) & (~Q(facts="") | Q(erased_at__isnull=False)),
                name="decision_rule_and_facts",
            ),
            models.CheckConstraint(
                condition=Q(second_by=None) | ~Q(second_by=F("by")), name="decision_second_is_another"
            ),
            models.CheckConstraint(
                condition=Q(undone_by=None)
                | ~Q(undone_by=F("by")) & (Q(second_by=None) | ~Q(undone_by=F("second_by"))),
                name="decision_undone_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "standing"], ended_at=None)
                | Q(state__in=["turned_down", "lapsed", "undone"], ended_at__isnull=False),
                name="decision_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state="proposed") | Q(outcome="violation", second_by=None), name="decision_proposed"
            ),
            models.CheckConstraint(condition=Q(ground="law") | Q(law=""), name="decision_law"),
        ]
        indexes = [models.Index(fields=["at"], condition=Q(state="proposed"), name="decision_proposed_at")]
        triggers = [
            pgtrigger.Trigger(
                name="decision_by_no_party",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | _DECIDERS_CHANGE,
                func=_NO_PARTY,
            ),
            pgtrigger.Trigger(
                name="decision_second_is_new",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("second_by_id"),  # type: ignore[no-untyped-call]
                func=_SECOND_IS_NEW,
            ),
            pgtrigger.Protect(
                name="decision_ended_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False, new__ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def ledger_subject(self) -> str:
        return f"case:{self.case_id}"


class Measure(models.Model):
    """One measure of a decision. `memory` names the row that states it in a lower app (`{"sanction": 12}`), by which it
    is undone exactly. `days` is empty for one without an end."""

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="measures", verbose_name=_("decision"))
    kind = models.CharField(_("measure"), max_length=12)  # a key of `moderation.measures.MEASURES`
    days = models.PositiveIntegerField(_("days"), null=True, blank=True)
    memory = models.JSONField(default=dict, editable=False)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        ordering = ["decision", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "kind"], name="measure_once"),
            models.CheckConstraint(condition=Q(days=None) | Q(days__range=(1, 3650)), name="measure_days"),
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(applied_at__isnull=False), name="measure_undone_after_applied"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.decision_id}"


class Statement(models.Model):
    """Statement of reasons of a decision, frozen in the language of the person concerned after approval. `body` is
    empty once its time is over. `told_at` is set when it is sent."""

    decision = models.OneToOneField(Decision, models.PROTECT, related_name="statement", verbose_name=_("decision"))
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    body = models.JSONField(_("text"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    told_at = models.DateTimeField(_("sent"), null=True, blank=True)
    appeal_until = models.DateTimeField(_("appeal until"))
    erased_at = models.DateTimeField(_("words erased"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("statement of reasons")
        verbose_name_plural = _("statements of reasons")
        constraints = [
            models.CheckConstraint(condition=Q(erased_at=None) | Q(body={}), name="statement_erased"),
        ]
        indexes = [models.Index(fields=["made_at"], condition=Q(told_at=None), name="statement_not_told")]
        triggers = [
            pgtrigger.Trigger(
                name="statement_unchanged",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR NEW.decision_id <> OLD.decision_id OR NEW.person_id <> OLD.person_id
                        OR NEW.language <> OLD.language OR NEW.made_at <> OLD.made_at
                        OR NEW.appeal_until <> OLD.appeal_until
                        OR (NEW.body <> OLD.body AND NEW.erased_at IS NULL)
                        OR (OLD.told_at IS NOT NULL AND NEW.told_at IS DISTINCT FROM OLD.told_at)
                    THEN
                        RAISE EXCEPTION 'a statement is never changed' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return str(self.decision_id)


class ActAtOnce(models.Model):
    """An act before a decision, which needs rule and facts until `due_at`: ending a room, restricting its recording.
    The closing of a copy by a child-abuse report is one too, until the child-safety role has looked."""

    class Kind(models.TextChoices):
        END_ROOM = "end_room", _("room ended")
        RESTRICT = "restrict", _("recording restricted")
        CLOSE_COPY = "close_copy", _("copy closed")

    class Settled(models.TextChoices):
        DECIDED = "decided", _("decided")
        LIFTED = "lifted", _("lifted")
        LATE = "late", _("lifted, because no decision came")

    case = models.ForeignKey(Case, models.PROTECT, related_name="acts_at_once", verbose_name=_("case"))
    kind = models.CharField(_("act"), max_length=10, choices=Kind.choices)
    by = models.ForeignKey(  # None: by a child-abuse report
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    memory = models.JSONField(default=dict, editable=False)
    at = models.DateTimeField(_("when"), default=timezone.now)
    due_at = models.DateTimeField(_("rule and facts until"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled = models.CharField(_("how"), max_length=7, choices=Settled.choices, blank=True, default="")
    alerted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("act at once")
        verbose_name_plural = _("acts at once")
        ordering = ["case", "at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "kind"], condition=Q(settled_at=None), name="act_at_once_once"),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled="") | (Q(settled_at__isnull=False) & ~Q(settled="")),
                name="act_at_once_settled",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(settled_at=None), name="act_at_once_due")]

    def __str__(self) -> str:
        return f"{self.kind} in {self.case_id}"
