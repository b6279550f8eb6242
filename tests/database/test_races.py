"""Several people change one mentor at the same time, over real connections: one wins, the others hear so, the trail stays whole."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

import psycopg
import pytest

from tests.cast import Mentor, World, add_mentor
from tests.database import acting
from tests.database.acting import (
    BAD_ARGUMENT,
    NOT_A_MOVE,
    Session,
    assert_whole_trail,
    call,
    count,
    deactivate,
    mentor_row,
    moves,
    outcome_of,
    pause,
    person_session,
    reactivate,
    service_session,
    status_of,
    trail,
    update_status,
    wait_until_blocked,
)
from tests.servers import Database

_REPETITIONS = 200
_ROUNDS = 25


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool


@pytest.fixture
def ada(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.ada) as session:
        yield session


@pytest.fixture
def bo(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.bo) as session:
        yield session


@pytest.fixture
def service(database: Database) -> Iterator[Session]:
    with service_session(database) as session:
        yield session


def test_of_two_parallel_pauses_one_succeeds_and_the_other_hears_that_ada_is_paused(
    world: World, ada: Session, bo: Session, service: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    for _ in range(_REPETITIONS):
        outcomes = at_once(threads, partial(pause, ada, world.ada), partial(pause, bo, world.ada))
        assert sorted(map(kind_of, outcomes)) == [NOT_A_MOVE, "changed"]
        reactivate(service, world.ada)
    assert moves(owner, world.ada) == [
        (None, "active"),
        *[("active", "paused"), ("paused", "active")] * _REPETITIONS,
    ]
    assert_whole_trail(owner, world.ada)


def test_of_two_parallel_pauses_from_the_same_version_one_succeeds_and_the_other_gets_no_row(
    world: World, ada: Session, bo: Session, service: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    for _ in range(_REPETITIONS):
        version = mentor_row(owner, world.ada)["updated_at"]
        outcomes = at_once(
            threads,
            partial(pause, ada, world.ada, p_expected_updated_at=version),
            partial(pause, bo, world.ada, p_expected_updated_at=version),
        )
        assert sorted(map(kind_of, outcomes)) == ["changed", "conflict"]
        reactivate(service, world.ada)
    assert len(trail(owner, world.ada)) == 1 + 2 * _REPETITIONS
    assert_whole_trail(owner, world.ada)


def test_of_two_parallel_updates_from_the_same_version_one_answers_null(
    world: World, ada: Session, bo: Session, service: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    for _ in range(_ROUNDS):
        version = mentor_row(owner, world.ada)["updated_at"]
        outcomes = at_once(
            threads,
            partial(
                update_status, ada, world.ada, "paused", world.ada, "illness", p_expected_updated_at=version
            ),
            partial(
                update_status, bo, world.ada, "paused", world.bo, "illness", p_expected_updated_at=version
            ),
        )
        assert sorted(map(kind_of, outcomes)) == ["changed", "conflict"]
        reactivate(service, world.ada)


def test_the_second_pause_waits_for_the_first_and_then_is_refused(
    world: World, ada: Session, bo: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    with ada.transaction():
        pause(ada, world.ada)
        second = threads.submit(outcome_of, partial(pause, bo, world.ada))
        wait_until_blocked(owner, bo, by=ada)
        assert status_of(owner, world.ada) == "active"
    assert second.result() == NOT_A_MOVE


def test_the_second_pause_goes_through_when_the_first_is_rolled_back(
    world: World, ada: Session, bo: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    with ada.transaction(force_rollback=True):
        pause(ada, world.ada)
        second = threads.submit(outcome_of, partial(pause, bo, world.ada))
        wait_until_blocked(owner, bo, by=ada)
    assert kind_of(second.result()) == "changed"
    assert [change.changed_by for change in trail(owner, world.ada)] == [None, world.bo.user_id]


def test_a_stranger_cannot_make_ada_wait(database: Database, world: World, ada: Session) -> None:
    with person_session(database, world.cy) as cy, cy.transaction(force_rollback=True):
        assert outcome_of(partial(pause, cy, world.ada)) == acting.NOT_YOURS
        ada.execute("set lock_timeout = '1s'")
        assert kind_of(pause(ada, world.ada)) == "changed"


def plain_pause(session: Session, mentor: Mentor) -> int:
    return session.execute(
        "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s and status = 'active'",
        (mentor.mentor_id,),
    ).rowcount


def plain_return(session: Session, mentor: Mentor) -> int:
    return session.execute(
        "update public.peer_mentors set status = 'active' where id = %s and status = 'paused'",
        (mentor.mentor_id,),
    ).rowcount


@pytest.mark.parametrize("begins", ["active", "paused"])
@pytest.mark.parametrize(
    "mentor_does, coordinator_does",
    [
        (pause, deactivate),
        (reactivate, deactivate),
        (deactivate, deactivate),
        (pause, plain_pause),
        (reactivate, plain_return),
        (deactivate, plain_pause),
        (deactivate, plain_return),
    ],
)
def test_mentor_and_coordinator_racing_leave_a_whole_trail(
    database: Database,
    world: World,
    owner: Session,
    bo: Session,
    threads: ThreadPoolExecutor,
    begins: str,
    mentor_does: Callable[[Session, Mentor], object],
    coordinator_does: Callable[[Session, Mentor], object],
) -> None:
    for _ in range(6):
        with psycopg.connect(database.url) as connection:
            ida = add_mentor(connection, "Ida", chapters=[world.north])
        if begins == "paused":
            pause(owner, ida)
        with person_session(database, ida) as ida_session:
            outcomes = at_once(
                threads, partial(mentor_does, ida_session, ida), partial(coordinator_does, bo, ida)
            )
        assert set(map(kind_of, outcomes)) <= {"changed", "nothing", NOT_A_MOVE}
        assert_whole_trail(owner, ida)


def test_a_crowd_changing_one_mentor_leaves_a_whole_trail_and_every_success_in_it(
    database: Database, world: World, owner: Session, threads: ThreadPoolExecutor
) -> None:
    def take_turns(session: Session, seed: int) -> int:
        dice = random.Random(seed)
        actions: list[Callable[[Session, Mentor], object]] = [pause, reactivate]
        if seed:
            actions += [plain_pause, plain_return]
        outcomes = [outcome_of(partial(dice.choice(actions), session, world.ada)) for _ in range(60)]
        assert set(map(kind_of, outcomes)) <= {"changed", "nothing", NOT_A_MOVE}
        return sum(kind_of(outcome) == "changed" for outcome in outcomes)

    with ExitStack() as stack:
        sessions = [
            stack.enter_context(person_session(database, person))
            for person in (world.ada, world.bo, world.dag)
        ]
        sessions.append(stack.enter_context(service_session(database)))
        running = [threads.submit(take_turns, session, seed) for seed, session in enumerate(sessions)]
        changed = sum(turn.result() for turn in running)
    assert len(trail(owner, world.ada)) == 1 + changed
    assert_whole_trail(owner, world.ada)


def test_a_request_with_the_key_of_a_running_one_waits_and_gets_its_answer(
    database: Database, world: World, ada: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    with person_session(database, world.ada) as other_tab:
        with ada.transaction():
            first = pause(ada, world.ada, p_idempotency_key="break")
            second = threads.submit(partial(pause, other_tab, world.ada, p_idempotency_key="break"))
            wait_until_blocked(owner, other_tab, by=ada)
        assert second.result() == first
    assert moves(owner, world.ada) == [(None, "active"), ("active", "paused")]


def test_a_request_whose_key_was_given_up_by_a_failing_one_is_done_itself(
    database: Database, world: World, ada: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    with person_session(database, world.ada) as other_tab:
        with ada.transaction(force_rollback=True):
            pause(ada, world.ada, p_idempotency_key="break")
            second = threads.submit(partial(pause, other_tab, world.ada, p_idempotency_key="break"))
            wait_until_blocked(owner, other_tab, by=ada)
        assert kind_of(second.result()) == "changed"


def test_a_running_key_refuses_other_arguments_once_it_is_settled(
    database: Database, world: World, ada: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    with person_session(database, world.ada) as other_tab:
        with ada.transaction():
            pause(ada, world.ada, p_idempotency_key="break")
            second = threads.submit(
                outcome_of, partial(pause, other_tab, world.ada, "travel", p_idempotency_key="break")
            )
            wait_until_blocked(owner, other_tab, by=ada)
        assert second.result() == BAD_ARGUMENT


def test_one_key_sent_many_times_at_once_changes_ada_once(
    database: Database, world: World, owner: Session, threads: ThreadPoolExecutor
) -> None:
    with ExitStack() as stack:
        tabs = [stack.enter_context(person_session(database, world.ada)) for _ in range(4)]
        for number in range(_ROUNDS):
            answers = at_once(
                threads,
                *[partial(pause, tab, world.ada, p_idempotency_key=f"break {number}") for tab in tabs],
            )
            assert kind_of(answers[0]) == "changed"
            assert answers == [answers[0]] * 4
            reactivate(owner, world.ada)
    assert len(trail(owner, world.ada)) == 1 + 2 * _ROUNDS


def test_two_workers_begin_each_due_pause_exactly_once(
    database: Database, world: World, owner: Session, threads: ThreadPoolExecutor
) -> None:
    with psycopg.connect(database.url) as connection:
        mentors = [add_mentor(connection, f"Ida{number}", chapters=[world.north]) for number in range(40)]
    for mentor in mentors:
        pause(owner, mentor, p_pause_at=soon())
    make_due(owner)
    with service_session(database) as one, service_session(database) as two:
        running = [threads.submit(apply_scheduled, worker, 30) for worker in (one, two)]
        outcomes = [worker.result() for worker in running]
        outcomes.append(apply_scheduled(one, 100))
    assert sum(applied for applied, _ in outcomes) == 40
    assert [skipped for _, skipped in outcomes] == [0, 0, 0]
    for mentor in mentors:
        assert moves(owner, mentor) == [(None, "active"), ("active", "paused")]


def test_a_worker_leaves_a_due_pause_alone_while_somebody_changes_that_mentor(
    database: Database, world: World, ada: Session, owner: Session
) -> None:
    """Otherwise the worker, holding the plan, and the person, holding the mentor, would wait for each other."""
    pause(ada, world.ada, p_pause_at=soon())
    make_due(owner)
    with service_session(database) as worker:
        worker.execute("set lock_timeout = '5s'")
        with ada.transaction():
            ada.execute("set local lock_timeout = '5s'")
            pause(ada, world.ada)
            reactivate(ada, world.ada)
            assert apply_scheduled(worker, 10) == (0, 0)
            pause(ada, world.ada, p_pause_at=soon() + timedelta(days=1))
        assert apply_scheduled(worker, 10) == (0, 0)
    assert status_of(owner, world.ada) == "active"


def test_a_pause_cancelled_while_it_begins_has_begun(
    database: Database, world: World, ada: Session, owner: Session, threads: ThreadPoolExecutor
) -> None:
    pause(ada, world.ada, p_pause_at=soon())
    make_due(owner)
    with service_session(database) as worker:
        with worker.transaction():
            assert apply_scheduled(worker, 10) == (1, 0)
            cancelling = threads.submit(
                call, ada, "rpc_cancel_scheduled_pause", p_mentor_id=world.ada.mentor_id
            )
            wait_until_blocked(owner, ada, by=worker)
        assert cancelling.result() == [{"rpc_cancel_scheduled_pause": False}]
    assert status_of(owner, world.ada) == "paused"


def test_of_two_certificate_checks_at_once_one_runs_and_the_other_says_so(
    database: Database, world: World, bo: Session, service: Session
) -> None:
    with service.transaction():
        (running,) = call(service, "run_certification_expiry")
        (other,) = call(bo, "run_certification_expiry")
    assert running["run_certification_expiry"]["status"] == "succeeded"
    assert other["run_certification_expiry"]["status"] == "already_running"


def at_once(threads: ThreadPoolExecutor, *actions: Callable[[], object]) -> list[object]:
    """The outcomes of actions that all start at the same moment."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> object:
        start.wait(timeout=30)
        return outcome_of(action)

    running: list[Future[object]] = [threads.submit(run, action) for action in actions]
    return [action.result() for action in running]


def kind_of(outcome: object) -> str:
    """`changed`, `conflict` for no row, `nothing` for an UPDATE that hit no row, or the SQLSTATE of a refusal."""
    match outcome:
        case None | []:
            return "conflict"
        case 0:
            return "nothing"
        case str(sqlstate):
            return sqlstate
        case _:
            return "changed"


def apply_scheduled(session: Session, limit: int) -> tuple[int, int]:
    """How many planned pauses a worker began, and how many it skipped."""
    row = session.execute("select * from peerpause.apply_scheduled_changes(%s)", (limit,)).fetchone()
    assert row is not None
    return row["o_applied"], row["o_skipped"]


def soon() -> datetime:
    return datetime.now().astimezone() + timedelta(hours=1)


def make_due(owner: Session) -> None:
    assert count(owner, "select count(*) from public.scheduled_status_changes where settled_at is null") > 0
    owner.execute("update public.scheduled_status_changes set effective_at = now() where settled_at is null")
