"""Workers to be killed: each does one act of a moderator, or a sweep, in a process of its own (`tests.support.killed`).

python -m tests.flows.moderator
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.support.killed import serve, set_up


def act(name: str, *values: Any) -> None:
    """Do an act by its name; cases, decisions and people come as keys."""
    from moderation.actions import claims, decisions
    from moderation.models import Case, Decision
    from people.models import User
    from retention import purge
    from tests.support.cases import draft
    from tests.support.staff import with_fresh_step

    def by(pk: int) -> User:
        return with_fresh_step(User.objects.get(pk=pk))

    acts: dict[str, Callable[..., object]] = {
        "claim": lambda case, who: claims.claim(Case.objects.get(pk=case), by(who)),
        "claim_next": lambda who: claims.claim_next(by(who)),
        "decide": lambda case, who, *measures: decisions.decide(
            Case.objects.get(pk=case), by(who), draft(*((key, days) for key, days in measures))
        ),
        "approve": lambda decision, who: decisions.approve(Decision.objects.get(pk=decision), by(who)),
        "purge": lambda now: purge.sweep(datetime.fromisoformat(now)),
    }
    acts[name](*values)


if __name__ == "__main__":
    set_up("moderation.tasks", "retention.purge", "tests.support.cases")
    serve(act)
