"""Which pushes go out alone, together or later: nothing is lost or doubled, and nobody's phone rings more than it should."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from peerpause.notifications.bundles import MOST_IN_A_MINUTE, Plan, plan_pushes

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BO, CY = uuid4(), uuid4()
RUN = uuid4()


@dataclass(frozen=True)
class Push:
    """A delivery as far as the plan cares."""

    recipient_id: UUID = BO
    about_self: bool = False
    job_run_id: UUID | None = None
    summary_id: UUID | None = None
    recently_sent: Sequence[datetime] = ()
    id: UUID = field(default_factory=uuid4)


def sizes(plan: Plan[Push]) -> list[int]:
    return sorted(len(bundle.deliveries) for bundle in plan.bundles)


def ago(*seconds: float) -> list[datetime]:
    return sorted(NOON - timedelta(seconds=each) for each in seconds)


def test_a_single_change_goes_out_alone_and_at_once() -> None:
    plan = plan_pushes([Push()], now=NOON)
    assert [(len(each.deliveries), each.summary_id) for each in plan.bundles] == [(1, None)]
    assert plan.postponed == ()


def test_five_in_a_minute_stay_five_pushes() -> None:
    assert sizes(plan_pushes([Push() for _ in range(5)], now=NOON)) == [1] * 5


def test_six_at_once_become_one() -> None:
    plan = plan_pushes([Push() for _ in range(6)], now=NOON)
    assert sizes(plan) == [6]
    assert plan.bundles[0].summary_id is not None


def test_two_more_after_four_become_one() -> None:
    recent = ago(50, 40, 30, 20)
    assert sizes(plan_pushes([Push(recently_sent=recent), Push(recently_sent=recent)], now=NOON)) == [2]


def test_after_five_the_rest_waits_for_the_minute_to_end_and_goes_together() -> None:
    recent = ago(50, 40, 30, 20, 10)
    plan = plan_pushes([Push(recently_sent=recent) for _ in range(2)], now=NOON)
    assert plan.bundles == ()
    assert {each.until for each in plan.postponed} == {NOON + timedelta(seconds=10)}
    assert len({each.summary_id for each in plan.postponed}) == 1


def test_what_comes_later_in_that_minute_joins_those_that_wait() -> None:
    recent = ago(50, 40, 30, 20, 10)
    (first,) = plan_pushes([Push(recently_sent=recent)], now=NOON).postponed
    (second,) = plan_pushes([Push(recently_sent=recent)], now=NOON + timedelta(seconds=5)).postponed
    assert (first.summary_id, first.until) == (second.summary_id, second.until)


def test_pushes_older_than_a_minute_do_not_count() -> None:
    recent = ago(60, 70, 80, 90, 100)
    assert sizes(plan_pushes([Push(recently_sent=recent)], now=NOON)) == [1]


def test_one_run_is_one_push_for_each_coordinator() -> None:
    due = [Push(recipient_id=who, job_run_id=RUN) for who in (BO, CY) for _ in range(3)]
    plan = plan_pushes(due, now=NOON)
    assert sizes(plan) == [3, 3]
    assert len({each.summary_id for each in plan.bundles}) == 2


def test_a_run_met_again_after_a_crash_has_the_same_summary() -> None:
    due = [Push(job_run_id=RUN) for _ in range(2)]
    again = plan_pushes(reversed(due), now=NOON + timedelta(minutes=3))
    assert plan_pushes(due, now=NOON).bundles[0].summary_id == again.bundles[0].summary_id


def test_the_mentors_of_a_run_get_their_own_push() -> None:
    due = [Push(recipient_id=uuid4(), job_run_id=RUN, about_self=True) for _ in range(3)]
    assert sizes(plan_pushes(due, now=NOON)) == [1, 1, 1]


def test_a_run_does_not_use_up_the_minute_of_other_changes() -> None:
    due = [Push(job_run_id=RUN) for _ in range(10)] + [Push() for _ in range(5)]
    assert sizes(plan_pushes(due, now=NOON)) == [1, 1, 1, 1, 1, 10]


def test_what_was_tied_together_stays_together() -> None:
    summary_id = uuid4()
    due = [Push(summary_id=summary_id, recently_sent=ago(50, 40, 30, 20, 10)) for _ in range(3)]
    (bundle,) = plan_pushes(due, now=NOON).bundles
    assert (bundle.summary_id, len(bundle.deliveries)) == (summary_id, 3)


def test_nothing_due_is_nothing_planned() -> None:
    assert plan_pushes([], now=NOON) == Plan((), ())


PEOPLE = [uuid4() for _ in range(3)]
RUNS = [uuid4() for _ in range(2)]
SUMMARIES = [uuid4() for _ in range(2)]


@st.composite
def several(draw: st.DrawFn) -> list[Push]:
    recent = {who: ago(*draw(st.lists(st.floats(0, 120), max_size=7))) for who in PEOPLE}
    return [
        Push(
            recipient_id=(who := draw(st.sampled_from(PEOPLE))),
            about_self=draw(st.booleans()),
            job_run_id=draw(st.none() | st.sampled_from(RUNS)),
            summary_id=draw(st.none() | st.sampled_from(SUMMARIES)),
            recently_sent=recent[who],
        )
        for _ in range(draw(st.integers(0, 25)))
    ]


@given(several())
def test_each_delivery_is_in_exactly_one_place(due: list[Push]) -> None:
    plan = plan_pushes(due, now=NOON)
    places = [each for bundle in plan.bundles for each in bundle.deliveries]
    places += [each.delivery for each in plan.postponed]
    assert Counter(each.id for each in places) == Counter(each.id for each in due)


@given(several())
def test_a_bundle_is_for_one_person_and_named_only_if_it_sums_up(due: list[Push]) -> None:
    for bundle in plan_pushes(due, now=NOON).bundles:
        assert len({each.recipient_id for each in bundle.deliveries}) == 1
        assert (bundle.summary_id is None) == (len(bundle.deliveries) == 1)


@given(several())
def test_nobody_gets_more_than_five_loose_pushes_a_minute(due: list[Push]) -> None:
    loose = [each for each in due if each.summary_id is None and (each.job_run_id is None or each.about_self)]
    plan = plan_pushes(loose, now=NOON)
    pushes: defaultdict[UUID, int] = defaultdict(int)
    for bundle in plan.bundles:
        pushes[bundle.deliveries[0].recipient_id] += 1
    for who, count in pushes.items():
        sent = next(each.recently_sent for each in loose if each.recipient_id == who)
        recent = sum(each > NOON - timedelta(minutes=1) for each in sent)
        assert count + recent <= MOST_IN_A_MINUTE


@given(several())
def test_what_waits_waits_less_than_a_minute(due: list[Push]) -> None:
    for each in plan_pushes(due, now=NOON).postponed:
        assert NOON < each.until <= NOON + timedelta(minutes=1)
