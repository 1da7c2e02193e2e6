"""Models of cases: all that concerns one subject under review, who is a party of it, and its evidence."""

from __future__ import annotations

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import Text
from rooms.models import Room

NOTE = Text(2000, lines=True)
OPEN_STATES = ["open", "proposed"]


class SubjectKind(models.TextChoices):
    """Kinds of subjects that can be reported and decided."""

    ROOM = "room", _("room as a whole")
    PERSON = "person", _("person in a room")
    MESSAGE = "message", _("message")
    TITLE = "title", _("title")
    PICTURE = "picture", _("picture")
    PROFILE = "profile", _("profile")


WITH_SOUND = (SubjectKind.ROOM, SubjectKind.PERSON)  # their evidence is a range of a room's recording


def subject_columns() -> Q:
    """Return the condition that exactly the columns of a subject's kind are filled. `subject` is whom it concerns: the
    host for a title, the sender for a message, nobody for a room as a whole."""
    return (
        Q(kind="room", room__isnull=False, subject=None, message=None)
        | Q(kind__in=["person", "title"], room__isnull=False, subject__isnull=False, message=None)
        | Q(kind="message", room=None, subject__isnull=False, message__isnull=False)
        | Q(kind__in=["picture", "profile"], room=None, subject__isnull=False, message=None)
    )


class Case(models.Model):
    """All reports about one subject that are under review together; one open case a subject.

    Its priority is the sum of its parts (`moderation/rules/priority.py`), stored so that the queue is one index.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PROPOSED = "proposed", _("waiting for a second moderator")
        DECIDED = "decided", _("decided")

    class Source(models.TextChoices):
        NOTICE = "notice", _("reported")
        VOLUNTARY = "voluntary", _("own initiative")

    kind = models.CharField(_("kind"), max_length=8, choices=SubjectKind.choices)
    room = models.ForeignKey(Room, models.PROTECT, related_name="cases", null=True, blank=True, verbose_name=_("room"))
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="cases", null=True, blank=True, verbose_name=_("about")
    )
    message = models.BigIntegerField(_("key of the message"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    source = models.CharField(_("source"), max_length=9, choices=Source.choices, default=Source.NOTICE)
    suggested = models.BooleanField(_("suggested by a list of words"), default=False)  # its subject, or a range of it
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    opened_by = models.ForeignKey(  # a senior, on own initiative
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("opened by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    erased_at = models.DateTimeField(_("words erased"), null=True, blank=True, editable=False)
    earlier = models.ForeignKey(  # the last decided case about the same subject
        "self", models.PROTECT, null=True, blank=True, related_name="later", verbose_name=_("earlier case")
    )
    severity = models.PositiveSmallIntegerField(_("severity"), default=0)
    reporter_count = models.PositiveIntegerField(_("reporters"), default=0)
    reach = models.PositiveIntegerField(_("reach"), default=0)  # people who heard or could see it
    accuracy = models.PositiveSmallIntegerField(_("accuracy of reporters (%)"), default=50)
    priority = models.PositiveIntegerField(_("priority"), default=0)
    child_safety = models.BooleanField(_("child safety"), default=False)  # for staff of that role alone
    for_seniors = models.BooleanField(_("for seniors"), default=False)  # it is about staff
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("claimed by")
    )
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        permissions = [
            ("claim_case", _("Can claim cases")),
            ("decide_case", _("Can decide cases")),
            ("approve_decision", _("Can approve decisions as second moderator")),
            ("senior_case", _("Can handle cases about staff")),
            ("child_safety_case", _("Can handle child-safety cases")),
            ("ordinary_case", _("Can handle cases beside child safety")),
            ("open_case", _("Can open cases on own initiative")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "room", "subject", "message"],
                condition=Q(state__in=OPEN_STATES),
                nulls_distinct=False,
                name="case_one_open",
            ),
            models.CheckConstraint(condition=subject_columns(), name="case_subject"),
            models.CheckConstraint(
                condition=Q(state="decided", decided_at__isnull=False) | Q(state__in=OPEN_STATES, decided_at=None),
                name="case_decided",
            ),
            models.CheckConstraint(
                condition=Q(source="voluntary", opened_by__isnull=False) | Q(source="notice", opened_by=None),
                name="case_source",
            ),
            models.CheckConstraint(
                condition=Q(claimed_by=None, claimed_until=None)
                | Q(claimed_by__isnull=False, claimed_until__isnull=False),
                name="case_claim",
            ),
            models.UniqueConstraint(fields=["claimed_by"], condition=Q(state="open"), name="case_one_claim_a_person"),
        ]
        indexes = [
            models.Index(
                fields=["-priority", "opened_at", "id"], condition=Q(state__in=OPEN_STATES), name="case_queue"
            ),
            models.Index(
                fields=["-priority", "opened_at", "id"],
                condition=Q(state__in=OPEN_STATES, child_safety=True),
                name="case_queue_child_safety",
            ),
            models.Index(fields=["opened_at"], condition=Q(state="proposed"), name="case_proposed"),
            models.Index(fields=["-decided_at", "-id"], condition=Q(state="decided"), name="case_decided_last"),
            models.Index(fields=["room", "state"], name="case_of_room"),
            models.Index(
                fields=["decided_at"], condition=Q(state="decided", erased_at=None), name="case_words_to_erase"
            ),
            models.Index(fields=["subject", "-opened_at"], name="case_of_person"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="case_claimed_by_no_party",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF NEW.claimed_by_id IS NOT NULL AND EXISTS (
                        SELECT 1 FROM moderation_caseparty p
                        WHERE p.case_id = NEW.id AND p.user_id = NEW.claimed_by_id
                    ) THEN
                        RAISE EXCEPTION 'a party cannot claim a case' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="case_decided_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="decided") & ~pgtrigger.Q(new__state="decided"),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def ledger_subject(self) -> str:
        return f"case:{self.pk}"

    def holder(self, now: datetime) -> int | None:
        """Return the key of whoever has the case at this moment: nobody from the moment on at which a claim is over,
        though the row says so only once the sweep has been there."""
        return self.claimed_by_id if self.claimed_until is not None and self.claimed_until > now else None


class CaseParty(models.Model):
    """A person whom a case concerns: host, co-host, speaker, reporter, or whom it is about. Staff who are a party see
    nothing of it. Rows outlive seats and messages, so that this holds after the purge too."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="parties", verbose_name=_("case"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))

    class Meta:
        verbose_name = _("party of a case")
        verbose_name_plural = _("parties of cases")
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="case_party_once")]
        indexes = [models.Index(fields=["user", "case"], name="case_party_of_person")]
        triggers = [
            # Somebody who becomes a party of a case that they are working on loses it.
            pgtrigger.Trigger(
                name="case_party_loses_claim",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE moderation_case SET claimed_by_id = NULL, claimed_until = NULL
                    WHERE id = NEW.case_id AND claimed_by_id = NEW.user_id;
                    UPDATE moderation_review SET claimed_by_id = NULL, claimed_until = NULL
                    WHERE claimed_by_id = NEW.user_id AND state = 'open' AND decision_id IN (
                        SELECT d.id FROM moderation_decision d WHERE d.case_id = NEW.case_id
                    );
                    RETURN NULL;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.case_id}"


class EvidenceRange(models.Model):
    """A range of room time, in milliseconds, that a moderator marked as evidence."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="ranges", verbose_name=_("case"))
    from_ms = models.PositiveBigIntegerField(_("from (ms of room time)"))
    to_ms = models.PositiveBigIntegerField(_("to (ms of room time)"))
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("range of evidence")
        verbose_name_plural = _("ranges of evidence")
        ordering = ["case", "from_ms", "to_ms"]
        constraints = [
            models.UniqueConstraint(fields=["case", "from_ms", "to_ms"], name="evidence_range_once"),
            models.CheckConstraint(condition=Q(from_ms__lt=F("to_ms")), name="evidence_range_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.from_ms}–{self.to_ms} of {self.case_id}"


class EvidenceLine(models.Model):
    """A line of the transcript, quoted as it stood. `cue` names its source: "cue:12" or "range:7"."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="lines", verbose_name=_("case"))
    cue = models.CharField(max_length=30, editable=False)
    speaker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("speaker")
    )
    speaker_name = models.CharField(_("name"), max_length=200, blank=True)
    start_ms = models.PositiveBigIntegerField(_("from (ms of room time)"))
    end_ms = models.PositiveBigIntegerField(_("to (ms of room time)"))
    text = models.TextField(_("text"), blank=True)  # empty once it is erased
    quoted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("quoted line")
        verbose_name_plural = _("quoted lines")
        ordering = ["case", "start_ms", "pk"]
        constraints = [models.UniqueConstraint(fields=["case", "cue"], name="evidence_line_once")]

    def __str__(self) -> str:
        return f"{self.cue} in {self.case_id}"


class Look(models.Model):
    """A moderator played a range, opened its lines, or opened what was reported. Without one nobody decides."""

    class What(models.TextChoices):
        PLAYED = "played", _("played")
        LINES = "lines", _("lines opened")
        SHOWN = "shown", _("opened")

    case = models.ForeignKey(Case, models.PROTECT, related_name="looks", verbose_name=_("case"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    what = models.CharField(_("what"), max_length=6, choices=What.choices)
    from_ms = models.PositiveBigIntegerField(_("from (ms of room time)"), null=True, blank=True)
    to_ms = models.PositiveBigIntegerField(_("to (ms of room time)"), null=True, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("look at evidence")
        verbose_name_plural = _("looks at evidence")
        indexes = [models.Index(fields=["case", "user"], name="look_of_person")]

    def __str__(self) -> str:
        return f"{self.what} by {self.user_id} in {self.case_id}"


class CaseNote(models.Model):
    """A note of a moderator, for moderators."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="notes", verbose_name=_("case"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    text = TypedColumn(_("text"), text=NOTE, blank=True)  # empty once it is erased
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("note on a case")
        verbose_name_plural = _("notes on cases")
        ordering = ["case", "at", "pk"]

    def __str__(self) -> str:
        return f"{self.pk} on {self.case_id}"
