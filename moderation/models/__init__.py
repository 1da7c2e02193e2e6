"""Models of trust and safety: report → case → decision → measures, the rulebook, and holds on the clock."""

from moderation.models.alarms import Alarm
from moderation.models.appeals import Appeal, AppealDraft, AppealLink, Notification, OutsideReviewer, Review, Side
from moderation.models.cases import (
    Case,
    CaseNote,
    CaseParty,
    EvidenceLine,
    EvidenceRange,
    Look,
    SubjectKind,
)
from moderation.models.clock import LegalHold, RoomClock
from moderation.models.decisions import ActAtOnce, Decision, Measure, Statement
from moderation.models.queue import QueueChoice
from moderation.models.reports import WORDS, Report, ReportedMessage, ReportQuestion
from moderation.models.roles import GrantedPermission
from moderation.models.rulebook import Category, CategoryVersion, Rule, RuleVersion
from moderation.models.words import ListedWord, SafetyGrant, WordHit

__all__ = [
    "WORDS",
    "ActAtOnce",
    "Alarm",
    "Appeal",
    "AppealDraft",
    "AppealLink",
    "Case",
    "CaseNote",
    "CaseParty",
    "Category",
    "CategoryVersion",
    "Decision",
    "EvidenceLine",
    "EvidenceRange",
    "GrantedPermission",
    "LegalHold",
    "ListedWord",
    "Look",
    "Measure",
    "Notification",
    "OutsideReviewer",
    "QueueChoice",
    "Report",
    "ReportQuestion",
    "ReportedMessage",
    "Review",
    "RoomClock",
    "Rule",
    "RuleVersion",
    "SafetyGrant",
    "Side",
    "Statement",
    "SubjectKind",
    "WordHit",
]
