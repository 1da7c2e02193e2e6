"""Models of trust and safety: report → case → decision → measures, the rulebook, and holds on the clock."""

from moderation.models.alarms import Alarm
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

__all__ = [
    "WORDS",
    "ActAtOnce",
    "Alarm",
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
    "Look",
    "Measure",
    "QueueChoice",
    "Report",
    "ReportQuestion",
    "ReportedMessage",
    "RoomClock",
    "Rule",
    "RuleVersion",
    "Statement",
    "SubjectKind",
]
