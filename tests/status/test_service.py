"""The service refuses early what is wrong by itself, tries a lost race again, and never lets the telling touch the change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from peerpause.database.session import Sessions
from peerpause.errors import (
    AlreadyActive,
    AlreadyPaused,
    Conflict,
    InvalidArgument,
    InvalidTransition,
    MentorNotFound,
    PeerPauseError,
    Unavailable,
)
from peerpause.status.records import MentorCursor, MentorPage, StatusHistoryEntry
from peerpause.status.repository import MentorStatusRepository, PostgresMentorStatusRepository
from peerpause.status.rules import MentorStatus, MentorStatusRecord
from peerpause.status.service import RETRIES, MentorStatusService
from tests.cast import World, build_world
from tests.servers import Database
from tests.status.contract import as_

NOW = datetime(2026, 6, 15, 11, 0, tzinfo=UTC)
ADA = uuid4()
SECRET = "she is in hospital"


def a_record(status: MentorStatus = MentorStatus.PAUSED) -> MentorStatusRecord:
    return MentorStatusRecord(
        mentor_id=ADA,
        organisation_id=uuid4(),
        status=status,
        previous_status=MentorStatus.ACTIVE,
        changed_at=NOW,
        changed_by=None,
        reason="other",
        updated_at=NOW,
        pause_at=NOW if status is MentorStatus.PAUSED else None,
    )


class Script:
    """A repository that answers by a list of errors first and then with `a_record`, and remembers what it was asked."""

    def __init__(self, *errors: PeerPauseError) -> None:
        self.errors = list(errors)
        self.asked: list[tuple[object, ...]] = []

    async def fetch_mentor_status(self, mentor_id: UUID) -> MentorStatusRecord:
        return self._answer("status", mentor_id)

    async def fetch_active_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        self._answer("active", chapter_id)
        return MentorPage((), None)

    async def fetch_paused_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        self._answer("paused", chapter_id)
        return MentorPage((), None)

    async def fetch_status_history(
        self, mentor_id: UUID, limit: int = 50, before: datetime | None = None
    ) -> tuple[StatusHistoryEntry, ...]:
        self._answer("history", mentor_id, limit, before)
        return ()

    async def pause_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        pause_at: datetime | None = None,
        expected_return_on: date | None = None,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        return self._answer(
            "pause",
            mentor_id,
            reason,
            pause_at,
            expected_return_on,
            note,
            expected_updated_at,
            idempotency_key,
        )

    async def reactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        return self._answer("reactivate", mentor_id, reason, expected_updated_at, idempotency_key)

    async def deactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        return self._answer("deactivate", mentor_id, reason, note, expected_updated_at, idempotency_key)

    async def update_mentor_status(
        self,
        mentor_id: UUID,
        new_status: MentorStatus,
        actor_id: UUID | None,
        reason: str | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        return self._answer("update", mentor_id, new_status, actor_id, reason)

    async def update_expected_return(
        self,
        mentor_id: UUID,
        expected_return_on: date | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        return self._answer("return", mentor_id, expected_return_on, expected_updated_at, idempotency_key)

    async def cancel_scheduled_pause(self, mentor_id: UUID) -> bool:
        self._answer("cancel", mentor_id)
        return True

    def _answer(self, *request: object) -> MentorStatusRecord:
        self.asked.append(request)
        if self.errors:
            raise self.errors.pop(0)
        return a_record()


def a_service(repository: MentorStatusRepository, **more: Any) -> MentorStatusService:
    return MentorStatusService(repository=repository, now=lambda: NOW, **more)


Change = Callable[[MentorStatusService], Awaitable[object]]

CHANGES: dict[str, Change] = {
    "pause": lambda service: service.pause_mentor(ADA, "other"),
    "reactivate": lambda service: service.reactivate_mentor(ADA),
    "deactivate": lambda service: service.deactivate_mentor(ADA, "resigned"),
}
CHANGES_OF_A_VIEW: dict[str, Change] = {
    "pause": lambda service: service.pause_mentor(ADA, "other", expected_updated_at=NOW),
    "reactivate": lambda service: service.reactivate_mentor(ADA, expected_updated_at=NOW),
    "deactivate": lambda service: service.deactivate_mentor(ADA, "resigned", expected_updated_at=NOW),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


async def test_what_is_asked_reaches_the_repository_whole() -> None:
    script = Script()
    service = a_service(script)
    at, day = NOW + timedelta(days=1), date(2026, 7, 1)
    await service.pause_mentor(
        ADA,
        "illness",
        pause_at=at,
        expected_return_on=day,
        note="n",
        expected_updated_at=NOW,
        idempotency_key="k",
    )
    await service.reactivate_mentor(ADA, reason="returned", expected_updated_at=NOW, idempotency_key="k")
    await service.deactivate_mentor(ADA, "resigned", note="n", expected_updated_at=NOW, idempotency_key="k")
    await service.get_mentor_status(ADA)
    await service.history(ADA, limit=7, before=NOW)
    assert await service.cancel_scheduled_pause(ADA) is True
    assert script.asked == [
        ("pause", ADA, "illness", at, day, "n", NOW, "k"),
        ("reactivate", ADA, "returned", NOW, "k"),
        ("deactivate", ADA, "resigned", "n", NOW, "k"),
        ("status", ADA),
        ("history", ADA, 7, NOW),
        ("cancel", ADA),
    ]


@pytest.mark.parametrize("reason", [None, "", "  ", SECRET])
@pytest.mark.parametrize("verb", ["pause_mentor", "deactivate_mentor"])
async def test_it_refuses_a_change_without_a_known_reason_before_the_database_is_asked(
    verb: str, reason: str | None
) -> None:
    script = Script()
    with pytest.raises(InvalidArgument) as caught:
        await getattr(a_service(script), verb)(ADA, reason)
    assert script.asked == []
    assert SECRET not in f"{caught.value} {caught.value.hint} {caught.value.detail}"


async def test_coming_back_needs_no_reason_but_not_a_wrong_one() -> None:
    script = Script()
    await a_service(script).reactivate_mentor(ADA)
    with pytest.raises(InvalidArgument):
        await a_service(script).reactivate_mentor(ADA, reason="nonsense")
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"pause_at": datetime(2026, 6, 16, 12, 0)},
        {"expected_updated_at": datetime(2026, 6, 15, 12, 0)},
        {"note": "x" * 2001},
        {"expected_return_on": date(2026, 6, 13)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_it_refuses_what_is_wrong_by_itself_before_the_database_is_asked(wrong: dict[str, Any]) -> None:
    script = Script()
    with pytest.raises(InvalidArgument) as caught:
        await a_service(script).pause_mentor(ADA, "other", **wrong)
    assert caught.value.hint
    assert script.asked == []


async def test_a_day_that_is_not_over_everywhere_is_left_to_the_database() -> None:
    # At 11:00 UTC the 14th has 59 minutes to go twelve hours to the west.
    script = Script()
    await a_service(script).pause_mentor(ADA, "other", expected_return_on=date(2026, 6, 14))
    assert len(script.asked) == 1


@each_change
async def test_a_lost_race_is_run_again(change: Change) -> None:
    script = Script(*(Conflict("lost") for _ in range(RETRIES)))
    await change(a_service(script))
    assert len(script.asked) == 1 + RETRIES


@each_change
async def test_it_gives_up_after_three_retries(change: Change) -> None:
    script = Script(*(Conflict("lost") for _ in range(9)))
    with pytest.raises(Conflict):
        await change(a_service(script))
    assert len(script.asked) == 4


@pytest.mark.parametrize("change", CHANGES_OF_A_VIEW.values(), ids=CHANGES_OF_A_VIEW)
async def test_who_said_what_they_saw_hears_of_the_conflict_at_once(change: Change) -> None:
    script = Script(Conflict("lost"))
    with pytest.raises(Conflict):
        await change(a_service(script))
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "error",
    [AlreadyPaused("x"), AlreadyActive("x"), InvalidTransition("x"), MentorNotFound("x"), Unavailable("x")],
    ids=lambda error: type(error).__name__,
)
@each_change
async def test_nothing_but_a_lost_race_is_tried_again(change: Change, error: PeerPauseError) -> None:
    script = Script(error)
    with pytest.raises(type(error)):
        await change(a_service(script))
    assert len(script.asked) == 1


@each_change
async def test_a_change_wakes_those_who_tell_of_it_once(change: Change) -> None:
    woken: list[str] = []
    await change(a_service(Script(Conflict("lost")), wake_outbox=lambda: woken.append("now")))
    assert woken == ["now"]


@each_change
async def test_a_failed_change_wakes_nobody(change: Change) -> None:
    woken: list[str] = []
    with pytest.raises(MentorNotFound):
        await change(a_service(Script(MentorNotFound("x")), wake_outbox=lambda: woken.append("now")))
    assert woken == []


async def test_asking_wakes_nobody() -> None:
    woken: list[str] = []
    service = a_service(Script(), wake_outbox=lambda: woken.append("now"))
    await service.get_mentor_status(ADA)
    await service.history(ADA)
    await service.cancel_scheduled_pause(ADA)
    assert woken == []


def fails_at_once() -> None:
    raise RuntimeError(SECRET)


async def fails_later() -> None:
    raise RuntimeError(SECRET)


@pytest.mark.parametrize("wake", [fails_at_once, fails_later])
async def test_a_failure_to_wake_is_a_warning_and_no_more(wake: Callable[[], Awaitable[None] | None]) -> None:
    service = a_service(Script(), wake_outbox=wake)
    with capture_logs() as logs:
        record = await service.pause_mentor(ADA, "other")
        await service.close()
    assert record.status is MentorStatus.PAUSED
    assert logs == [
        {
            "event": "outbox.wake_failed",
            "log_level": "warning",
            "mentor_id": str(ADA),
            "transition": "active->paused",
            "error": "RuntimeError",
        }
    ]


async def test_a_change_does_not_wait_for_the_telling() -> None:
    may_tell = asyncio.Event()
    told = asyncio.Event()

    async def tell_later() -> None:
        await may_tell.wait()
        told.set()

    service = a_service(Script(), wake_outbox=tell_later)
    await service.pause_mentor(ADA, "other")
    assert not told.is_set()
    may_tell.set()
    await service.close()
    assert told.is_set()


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    async with Sessions(url=database.server.url(database.name, user="authenticator"), size=4) as opened:
        yield opened


async def test_ada_pauses_comes_back_and_leaves(sessions: Sessions, world: World) -> None:
    ada = MentorStatusService(
        repository=PostgresMentorStatusRepository(sessions=sessions, caller=as_(world.ada))
    )
    paused = await ada.pause_mentor(world.ada.mentor_id, "self_pause", note=SECRET)
    assert await ada.get_mentor_status(world.ada.mentor_id) == paused
    await ada.reactivate_mentor(world.ada.mentor_id)
    await ada.deactivate_mentor(world.ada.mentor_id, "resigned")
    history = await ada.history(world.ada.mentor_id)
    assert [entry.new_status for entry in history] == ["inactive", "active", "paused", "active"]
    assert await ada.cancel_scheduled_pause(world.ada.mentor_id) is False


async def test_a_second_pause_is_told_apart_from_a_lost_race(sessions: Sessions, world: World) -> None:
    bo = MentorStatusService(
        repository=PostgresMentorStatusRepository(sessions=sessions, caller=as_(world.bo))
    )
    outcomes = await asyncio.gather(
        *(bo.pause_mentor(world.ada.mentor_id, "coordinator_pause") for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "AlreadyPaused",
        "AlreadyPaused",
        "AlreadyPaused",
        "MentorStatusRecord",
    ]
