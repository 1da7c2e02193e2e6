"""The measure “end the live room”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.base import IN_ROOMS, MeasureKind
from moderation.models import ActAtOnce, Case, Measure
from rooms.actions.staff import end_by_staff


class EndRoom(MeasureKind):
    """The room is ended for everybody. That cannot be undone: a room that ended does not come back."""

    key = "end_room"
    title = _("Room ended")
    kinds = IN_ROOMS
    needs_confirming = True
    exported_as = (
        "decision_provision",
        "DECISION_PROVISION_PARTIAL_TERMINATION",
        "DECISION_PROVISION_PARTIAL_TERMINATION",
    )

    @classmethod
    def applies_to(cls, case: Case) -> bool:
        if case.kind not in cls.kinds or case.room is None:
            return False
        return case.room.is_live or ActAtOnce.objects.filter(case=case, kind=ActAtOnce.Kind.END_ROOM).exists()

    @classmethod
    def apply(cls, measure: Measure) -> None:
        room = measure.decision.case.room
        assert room is not None
        measure.memory |= {"room": room.pk, "ended": end_by_staff(room, measure.decision.by)}

    @classmethod
    def undo(cls, measure: Measure) -> None:
        return None
