"""The clock as a pure function: the retention rules, and properties that hold for any facts."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from retention.policy import Clock, Finding, Hold, Reason, Rules, ToldClock, clock, lapses_at, told_clock

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FOREVER = END + timedelta(days=4000)


def day(number: float) -> datetime:
    return END + timedelta(days=number)


def case(since: float, until: float | None = None, ref: str = "case:1") -> Hold:
    return Hold(Reason.CASE, ref, day(since), None if until is None else day(until))


def appeal(since: float, until: float | None = None) -> Hold:
    return Hold(Reason.APPEAL, "appeal:1", day(since), None if until is None else day(until))


def legal(since: float, until: float) -> Hold:
    return Hold(Reason.LEGAL, "order:1", day(since), day(until))


def finding(since: float, until: float | None = None, ref: str = "decision:1") -> Finding:
    return Finding(ref, day(since), None if until is None else day(until))


@pytest.mark.parametrize(
    ("at", "findings", "holds", "purge_day", "reason"),
    [
        (0, [], [], 30, Reason.REVIEW),
        (29.9, [], [], 30, Reason.REVIEW),
        (5, [finding(4)], [], 90, Reason.VIOLATION),
        # One of two overturned changes nothing; both, and the first rule is back.
        (50, [finding(4), finding(5, 20, "decision:2")], [], 90, Reason.VIOLATION),
        (20, [finding(4, 10), finding(5, 12, "decision:2")], [], 30, Reason.REVIEW),
        # Overturned after day 30: it goes now, and is not called late for the days it was rightly there.
        (50, [finding(4, 45)], [], 45, Reason.RELEASED),
        # An open case, at most to day 90; decided after day 30 without a violation.
        (5, [], [case(4)], 90, Reason.CASE),
        (89, [], [case(4)], 90, Reason.CASE),
        (91, [], [case(4)], 90, Reason.RELEASED),
        (50, [], [case(4, 40)], 40, Reason.RELEASED),
        (20, [], [case(4, 10)], 30, Reason.REVIEW),
        # A case decided with a violation: the violation's day, held by nothing any more.
        (50, [finding(40)], [case(4, 40)], 90, Reason.VIOLATION),
        # An appeal in time: until decided, past day 90 too, at most to day 180.
        (80, [finding(40)], [appeal(70)], 180, Reason.APPEAL),
        (179, [finding(40)], [appeal(70)], 180, Reason.APPEAL),
        (200, [finding(40)], [appeal(70)], 180, Reason.RELEASED),
        (120, [finding(40)], [appeal(70, 185)], 180, Reason.APPEAL),
        (100, [], [appeal(20), legal(10, 60)], 180, Reason.APPEAL),
        (100, [finding(40)], [appeal(70, 95)], 95, Reason.RELEASED),
        (80, [finding(40)], [appeal(70, 75)], 90, Reason.VIOLATION),
        # An appeal that overturns the only violation.
        (76, [finding(40, 75)], [appeal(70, 75)], 75, Reason.RELEASED),
        # An order: until it expires; lifted before.
        (20, [], [legal(10, 400)], 400, Reason.LEGAL),
        (401, [], [legal(10, 400)], 400, Reason.RELEASED),
        (20, [], [legal(10, 15)], 30, Reason.REVIEW),
        (20, [finding(4)], [legal(10, 60)], 90, Reason.VIOLATION),
        (20, [finding(4)], [legal(10, 91), case(5)], 91, Reason.LEGAL),
        # An order goes on beyond the last day of an appeal.
        (100, [finding(4)], [legal(10, 400), appeal(50)], 400, Reason.LEGAL),
        (390, [finding(4)], [legal(10, 400), appeal(50)], 400, Reason.LEGAL),
        # What is only going to happen does not count yet.
        (5, [finding(6)], [case(6), appeal(7)], 30, Reason.REVIEW),
    ],
)
def test_the_rule_of_the_house(
    at: float, findings: list[Finding], holds: list[Hold], purge_day: float, reason: Reason
) -> None:
    found = clock(END, day(at), findings, holds)
    assert (found.purge_at, found.reason) == (day(purge_day), reason)


def test_a_proposal_counts_from_when_it_was_made_and_lapses_at_day_90() -> None:
    waiting = Finding("proposal:1", day(28), proposed=True)
    assert clock(END, day(31), [waiting]).purge_at == day(90) == lapses_at(END)
    assert clock(END, day(90), [waiting]).due, "nobody approved it"
    approved = Finding("proposal:1", day(28))
    assert clock(END, day(95), [approved]).purge_at == day(90), "approving it gives it no more days"
    turned_down = Finding("proposal:1", day(28), day(33))
    assert clock(END, day(34), [turned_down]).purge_at == day(33)
    with pytest.raises(ValueError, match="proposal"):
        Finding("proposal:1", day(28), proposed=True, told_at=day(29))


@pytest.mark.parametrize(
    ("at", "findings", "holds", "purge_day", "reason"),
    [
        (5, [], [], 30, Reason.REVIEW),
        # Cases, orders, proposals and decisions that nobody was told of: day 30, then longer for review.
        (5, [], [case(4)], 30, Reason.REVIEW),
        (5, [Finding("proposal:1", day(4), proposed=True)], [legal(4, 200)], 30, Reason.REVIEW),
        (31, [], [case(4)], None, None),
        (31, [Finding("decision:1", day(4))], [], None, None),
        (31, [Finding("decision:1", day(4), told_at=day(32))], [], None, None),
        # Told: day 90 and why.
        (31, [Finding("decision:1", day(4), told_at=day(31))], [], 90, Reason.VIOLATION),
        (31, [Finding("decision:1", day(4), told_at=day(6))], [appeal(30), case(20)], 90, Reason.VIOLATION),
        # An appeal, not necessarily the host's own, keeps it past day 90.
        (91, [Finding("decision:1", day(4), told_at=day(6))], [appeal(30)], None, None),
        # Whatever kept it, once it is due it is said to go.
        (50, [], [case(4, 40)], 40, Reason.RELEASED),
        (30, [], [], 30, Reason.RELEASED),
    ],
)
def test_what_the_host_is_told(
    at: float, findings: list[Finding], holds: list[Hold], purge_day: float | None, reason: Reason | None
) -> None:
    told = told_clock(clock(END, day(at), findings, holds), END, findings)
    assert told == ToldClock(None if purge_day is None else day(purge_day), reason)


def test_days_have_24_hours_also_when_summer_time_begins() -> None:
    amsterdam = ZoneInfo("Europe/Amsterdam")
    end = datetime(2026, 3, 20, 23, 30, tzinfo=amsterdam)
    found = clock(end, end)
    assert found.purge_at is not None and (found.purge_at - end) == timedelta(hours=720)
    assert found.purge_at.astimezone(amsterdam).hour == 0, "an hour later on the wall, the same moment for all"


def test_due_at_the_very_moment_and_not_before() -> None:
    moment = day(30)
    assert not clock(END, moment - timedelta(microseconds=1)).due
    assert clock(END, moment).due
    assert not clock(END, moment + timedelta(minutes=15)).overdue(timedelta(minutes=15))
    assert clock(END, moment + timedelta(minutes=15, microseconds=1)).overdue(timedelta(minutes=15))


def test_settings_change_the_days() -> None:
    rules = Rules(7, 14)
    assert clock(END, END, rules=rules).purge_at == day(7)
    assert clock(END, END, [finding(0)], rules=rules).purge_at == day(14)
    with pytest.raises(ValueError):
        Rules(31, 30)
    with pytest.raises(ValueError):
        Rules(0, 30)
    with pytest.raises(ValueError):
        Rules(30, 90, 89)
    assert clock(END, END, [], [appeal(0)], Rules(7, 14, 21)).purge_at == day(21)
    assert lapses_at(END, Rules(7, 14, 21)) == day(14)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        clock(END.replace(tzinfo=None), END)
    with pytest.raises(ValueError, match="zone"):
        clock(END, END, [Finding("x", END.replace(tzinfo=None))])
    with pytest.raises(ValueError, match="no hold"):
        Hold(Reason.REVIEW, "x", END)
    with pytest.raises(ValueError, match="expiry"):
        Hold(Reason.LEGAL, "x", END)


# --- for any facts at all ---------------------------------------------------------------------------------------------


def some(rng: random.Random) -> tuple[list[Finding], list[Hold]]:
    """Facts as they may come: any number, any times, closed and open."""

    def span() -> tuple[float, float | None]:
        since = rng.choice([rng.uniform(0, 120), rng.choice([0, 30, 60, 90])])
        return since, None if rng.random() < 0.4 else since + rng.choice([0, rng.uniform(0, 100)])

    findings = [finding(*span(), ref=f"decision:{number}") for number in range(rng.randrange(4))]
    holds = []
    for _number in range(rng.randrange(4)):
        since, until = span()
        kind = rng.randrange(3)
        holds.append([case(since, until), appeal(since, until), legal(since, until or since + 50)][kind])
    return findings, holds


@pytest.mark.parametrize("seed", range(40))
def test_what_holds_for_any_facts(seed: int) -> None:
    rng = random.Random(seed)
    for _round in range(50):
        findings, holds = some(rng)
        now = day(rng.uniform(0, 300))
        found = clock(END, now, findings, holds)
        check(found, findings, holds, now, rng)


def check(found: Clock, findings: list[Finding], holds: list[Hold], now: datetime, rng: random.Random) -> None:
    # Never before the first rule's day; never due while something holds it.
    assert found.purge_at >= day(30)
    assert not (found.due and found.held_by)
    # The order in which facts come does not matter, nor does hearing of one twice, nor a zone.
    shuffled = rng.sample(findings, len(findings)) * 2
    again = clock(END.astimezone(ZoneInfo("Asia/Kolkata")), now, shuffled, rng.sample(holds, len(holds)) * 2)
    assert (again.purge_at, again.reason, set(again.held_by)) == (found.purge_at, found.reason, set(found.held_by))
    # Without orders and appeals, nothing goes beyond day 90; without orders, nothing beyond day 180.
    cases = [hold for hold in holds if hold.kind is Reason.CASE]
    assert clock(END, now, findings, cases).purge_at <= day(90)
    assert clock(END, now, findings, [hold for hold in holds if hold.kind is not Reason.LEGAL]).purge_at <= day(180)
    # A standing violation keeps to day 90 whatever else is overturned.
    standing = Finding("decision:standing", day(0))
    assert clock(END, now, [*findings, standing], holds).purge_at >= day(90)
    # One more fact never makes it go earlier than nothing would; once due, it stays due if nothing new is filed.
    assert found.purge_at >= clock(END, now).purge_at
    if found.due and all(hold.since <= now for hold in holds) and all(item.since <= now for item in findings):
        assert clock(END, now + timedelta(days=rng.uniform(0, 500)), findings, holds).due
    # Everything ends: an open appeal too.
    assert clock(END, FOREVER, findings, holds).due
    # What the host is told does not depend on holds while the copy is kept, and never names a later day than the clock.
    told = told_clock(found, END, findings)
    if not found.due:
        bare = clock(END, now, findings)
        assert told == (ToldClock(None, None) if bare.due else told_clock(bare, END, findings))
        assert told.reason in (None, Reason.REVIEW, Reason.VIOLATION)
    assert told.purge_at is None or told.purge_at <= found.purge_at
