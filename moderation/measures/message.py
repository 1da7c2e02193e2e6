"""The measure “message removed”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.base import MeasureKind, name_of, remembered
from moderation.models import Case, Measure, SubjectKind
from social.actions.takedowns import put_back_message, take_down_message
from social.actions.threads import lock_threads
from social.models import Message as DirectMessage
from social.models import MessageTakedown


class Message(MeasureKind):
    """A direct message is removed for both sides. One that both deleted already is gone: then nothing is imposed."""

    key = "message"
    title = _("Message removed")
    kinds = frozenset({SubjectKind.MESSAGE})
    exported_as = (
        "decision_visibility",
        "DECISION_VISIBILITY_CONTENT_REMOVED",
        "DECISION_VISIBILITY_CONTENT_REMOVED",
    )

    @classmethod
    def applies_to(cls, case: Case) -> bool:
        return case.kind in cls.kinds and DirectMessage.objects.filter(pk=case.message or 0).exists()

    @classmethod
    def lock(cls, case: Case) -> None:
        lock_threads(set(DirectMessage.objects.filter(pk=case.message or 0).values_list("thread_id", flat=True)))

    @classmethod
    def lock_again(cls, measure: Measure) -> None:
        cls.lock(measure.decision.case)
        key = remembered(measure.memory, "takedown")
        list(MessageTakedown.objects.select_for_update(of=("self",)).filter(pk=key))

    @classmethod
    def apply(cls, measure: Measure) -> None:
        key = measure.decision.case.message
        assert key is not None
        made = take_down_message(key, measure.decision.by, once=name_of(measure))
        measure.memory |= {} if made is None else {"takedown": made.pk}

    @classmethod
    def undo(cls, measure: Measure) -> None:
        row = MessageTakedown.objects.filter(pk=remembered(measure.memory, "takedown")).first()
        if row is not None:
            put_back_message(row, measure.decision.undone_by)
