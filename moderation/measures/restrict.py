"""The measure “recording restricted”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.base import IN_ROOMS, MeasureKind, name_of, remembered
from moderation.models import Case, Measure
from rooms.actions.restrictions import lift_restriction, restrict
from rooms.models import Restriction


class Restrict(MeasureKind):
    """The recording is closed: the host loses the download, and nobody hears a replay."""

    key = "restrict"
    title = _("Recording restricted: no download, no replay")
    kinds = IN_ROOMS
    exported_as = (
        "decision_visibility",
        "DECISION_VISIBILITY_CONTENT_DISABLED",
        "DECISION_VISIBILITY_CONTENT_DISABLED",
    )

    @classmethod
    def applies_to(cls, case: Case) -> bool:
        return case.kind in cls.kinds and case.room is not None and case.room.purged_at is None

    @classmethod
    def lock_again(cls, measure: Measure) -> None:
        key = remembered(measure.memory, "restriction")
        list(Restriction.objects.select_for_update(of=("self",)).filter(pk=key))

    @classmethod
    def apply(cls, measure: Measure) -> None:
        decision = measure.decision
        assert decision.case.room is not None
        made = restrict(decision.case.room, Restriction.Reason.DECISION, decision.by, once=name_of(measure))
        measure.memory |= {"restriction": made.pk}

    @classmethod
    def undo(cls, measure: Measure) -> None:
        row = Restriction.objects.filter(pk=remembered(measure.memory, "restriction")).first()
        if row is not None:
            lift_restriction(row, measure.decision.undone_by)
