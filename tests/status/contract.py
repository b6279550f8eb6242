"""What every MentorStatusRepository promises. A test module inherits the class and says how to open one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

import psycopg
import pytest

from peerpause.database.session import Caller, Claims, Service
from peerpause.errors import (
    AlreadyActive,
    AlreadyPaused,
    CertificationExpired,
    Conflict,
    InvalidArgument,
    InvalidTransition,
    MentorNotFound,
    PermissionDenied,
)
from peerpause.status.repository import MentorStatusRepository
from peerpause.status.rules import MentorStatus
from tests.cast import (
    Person,
    World,
    add_certificate,
    add_mentor,
    build_world,
    require_certificate,
    set_status,
)
from tests.servers import Database

Open: TypeAlias = Callable[[Caller], MentorStatusRepository]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def as_(person: Person) -> Claims:
    return Claims(person.user_id)


def today() -> date:
    return datetime.now(UTC).date()


class MentorStatusRepositoryContract:
    """The promises. The inheritor has the fixture `open_as`."""

    @pytest.fixture
    def world(self, database: Database) -> World:
        return build_world(database.url)

    async def test_a_pause_answers_the_mentor_as_paused(self, open_as: Open, world: World) -> None:
        back = today() + timedelta(days=10)
        paused = await open_as(as_(world.bo)).pause_mentor(
            world.ada.mentor_id, "illness", expected_return_on=back, note="  in hospital "
        )
        assert (paused.mentor_id, paused.organisation_id) == (world.ada.mentor_id, world.organisation_id)
        assert (paused.status, paused.previous_status) == (MentorStatus.PAUSED, MentorStatus.ACTIVE)
        assert (paused.changed_by, paused.reason) == (world.bo.user_id, "illness")
        assert (paused.note, paused.expected_return_on) == ("in hospital", back)
        assert paused.pause_at == paused.changed_at == paused.updated_at
        assert paused == await open_as(as_(world.ada)).fetch_mentor_status(world.ada.mentor_id)

    async def test_coming_back_clears_the_pause(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        await ada.pause_mentor(world.ada.mentor_id, "travel", expected_return_on=today(), note="far away")
        back = await ada.reactivate_mentor(world.ada.mentor_id)
        assert (back.status, back.previous_status) == (MentorStatus.ACTIVE, MentorStatus.PAUSED)
        assert (back.pause_at, back.expected_return_on, back.reason, back.note) == (None, None, None, None)
        assert back.reactivated_at == back.changed_at

    async def test_a_reason_for_coming_back_is_kept(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        await ada.pause_mentor(world.ada.mentor_id, "travel")
        back = await ada.reactivate_mentor(world.ada.mentor_id, "returned")
        assert back.reason == "returned"

    async def test_an_active_mentor_leaves_in_one_step(self, open_as: Open, world: World) -> None:
        left = await open_as(as_(world.dag)).deactivate_mentor(
            world.ada.mentor_id, "resigned", note="thanks for all"
        )
        assert (left.status, left.previous_status) == (MentorStatus.INACTIVE, MentorStatus.ACTIVE)
        assert (left.reason, left.note, left.changed_by) == (
            "resigned",
            "thanks for all",
            world.dag.user_id,
        )

    async def test_a_paused_mentor_leaves_by_the_two_legal_steps(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        await ada.pause_mentor(world.ada.mentor_id, "illness")
        left = await ada.deactivate_mentor(world.ada.mentor_id, "resigned")
        assert (left.status, left.previous_status) == (MentorStatus.INACTIVE, MentorStatus.ACTIVE)
        history = await ada.fetch_status_history(world.ada.mentor_id)
        assert [entry.new_status for entry in history] == ["inactive", "active", "paused", "active"]

    async def test_each_legal_move_can_be_named(self, open_as: Open, world: World) -> None:
        bo = open_as(as_(world.bo))
        for to, reason in (("paused", "other"), ("active", None), ("inactive", "deactivated")):
            moved = await bo.update_mentor_status(
                world.ada.mentor_id, MentorStatus(to), world.bo.user_id, reason
            )
            assert (moved.status, moved.reason, moved.changed_by) == (to, reason, world.bo.user_id)

    async def test_a_paused_mentor_is_not_paused_again(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        first = await ada.pause_mentor(world.ada.mentor_id, "illness")
        with pytest.raises(AlreadyPaused) as caught:
            await ada.pause_mentor(world.ada.mentor_id, "travel")
        assert caught.value.detail == {"from": "paused", "to": "paused", "allowed": ["active"]}
        assert await ada.fetch_mentor_status(world.ada.mentor_id) == first

    async def test_an_active_mentor_does_not_come_back(self, open_as: Open, world: World) -> None:
        with pytest.raises(AlreadyActive):
            await open_as(as_(world.ada)).reactivate_mentor(world.ada.mentor_id)

    async def test_a_paused_mentor_does_not_leave_in_one_move(self, open_as: Open, world: World) -> None:
        bo = open_as(as_(world.bo))
        await bo.pause_mentor(world.ada.mentor_id, "other")
        with pytest.raises(InvalidTransition, match="paused -> inactive") as caught:
            await bo.update_mentor_status(
                world.ada.mentor_id, MentorStatus.INACTIVE, world.bo.user_id, "resigned"
            )
        assert not isinstance(caught.value, Conflict)

    async def test_who_has_left_does_not_come_back(self, open_as: Open, world: World) -> None:
        bo = open_as(as_(world.bo))
        await bo.deactivate_mentor(world.ada.mentor_id, "deactivated")
        for change in (
            bo.reactivate_mentor(world.ada.mentor_id),
            bo.pause_mentor(world.ada.mentor_id, "other"),
            bo.deactivate_mentor(world.ada.mentor_id, "deactivated"),
        ):
            with pytest.raises(InvalidTransition) as caught:
                await change
            assert caught.value.detail["allowed"] == []

    async def test_an_outdated_view_is_a_conflict_and_changes_nothing(
        self, open_as: Open, world: World
    ) -> None:
        ada = open_as(as_(world.ada))
        seen = await ada.fetch_mentor_status(world.ada.mentor_id)
        paused = await ada.pause_mentor(world.ada.mentor_id, "illness", expected_updated_at=seen.updated_at)
        for change in (
            ada.reactivate_mentor(world.ada.mentor_id, expected_updated_at=seen.updated_at),
            ada.deactivate_mentor(world.ada.mentor_id, "resigned", expected_updated_at=seen.updated_at),
            ada.pause_mentor(world.ada.mentor_id, "other", expected_updated_at=seen.updated_at),
            ada.update_mentor_status(
                world.ada.mentor_id, MentorStatus.ACTIVE, world.ada.user_id, None, seen.updated_at
            ),
        ):
            with pytest.raises(Conflict) as caught:
                await change
            assert not isinstance(caught.value, InvalidTransition)
        assert await ada.fetch_mentor_status(world.ada.mentor_id) == paused
        assert len(await ada.fetch_status_history(world.ada.mentor_id)) == 2

    async def test_each_change_gives_the_token_for_the_next(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        paused = await ada.pause_mentor(world.ada.mentor_id, "illness")
        back = await ada.reactivate_mentor(world.ada.mentor_id, expected_updated_at=paused.updated_at)
        left = await ada.deactivate_mentor(
            world.ada.mentor_id, "resigned", expected_updated_at=back.updated_at
        )
        assert paused.updated_at < back.updated_at < left.updated_at

    async def test_ada_is_hidden_from_cy_and_eva(self, open_as: Open, world: World) -> None:
        for stranger in (world.cy, world.eva, world.finn, world.greta):
            repository = open_as(as_(stranger))
            with pytest.raises(MentorNotFound):
                await repository.fetch_mentor_status(world.ada.mentor_id)
            with pytest.raises(MentorNotFound):
                await repository.fetch_status_history(world.ada.mentor_id)

    async def test_cy_and_eva_may_not_change_ada(self, open_as: Open, world: World) -> None:
        for stranger in (world.cy, world.eva, world.finn, world.greta):
            repository = open_as(as_(stranger))
            for change in (
                repository.pause_mentor(world.ada.mentor_id, "other"),
                repository.reactivate_mentor(world.ada.mentor_id),
                repository.deactivate_mentor(world.ada.mentor_id, "resigned"),
                repository.cancel_scheduled_pause(world.ada.mentor_id),
            ):
                with pytest.raises(PermissionDenied):
                    await change

    async def test_a_visitor_may_do_nothing(self, open_as: Open, world: World) -> None:
        visitor = open_as(Claims())
        for request in (
            visitor.fetch_mentor_status(world.ada.mentor_id),
            visitor.fetch_active_mentors_for_chapter(world.north.chapter_id),
            visitor.pause_mentor(world.ada.mentor_id, "other"),
        ):
            with pytest.raises(PermissionDenied):
                await request

    async def test_nobody_acts_in_anothers_name(self, open_as: Open, world: World) -> None:
        with pytest.raises(PermissionDenied):
            await open_as(as_(world.bo)).update_mentor_status(
                world.ada.mentor_id, MentorStatus.PAUSED, world.ada.user_id, "other"
            )

    @pytest.mark.parametrize("named", [True, False])
    async def test_the_service_acts_for_whom_it_names_or_as_the_system(
        self, open_as: Open, world: World, named: bool
    ) -> None:
        actor_id = world.bo.user_id if named else None
        paused = await open_as(Service()).update_mentor_status(
            world.ada.mentor_id, MentorStatus.PAUSED, actor_id, "other"
        )
        assert paused.changed_by == actor_id

    async def test_an_unknown_mentor_is_not_found(self, open_as: Open, world: World) -> None:
        service = open_as(Service())
        for request in (
            service.fetch_mentor_status(world.stranger_id),
            service.fetch_status_history(world.stranger_id),
            service.pause_mentor(world.stranger_id, "other"),
            service.reactivate_mentor(world.stranger_id),
            service.deactivate_mentor(world.stranger_id, "resigned"),
            service.cancel_scheduled_pause(world.stranger_id),
        ):
            with pytest.raises(MentorNotFound):
                await request

    async def test_nonsense_is_refused_in_words(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        yesterday = today() - timedelta(days=2)
        for request in (
            ada.pause_mentor(world.ada.mentor_id, ""),
            ada.pause_mentor(world.ada.mentor_id, "because"),
            ada.pause_mentor(world.ada.mentor_id, "certification_expired"),
            ada.pause_mentor(world.ada.mentor_id, "other", expected_return_on=yesterday),
            ada.pause_mentor(world.ada.mentor_id, "other", pause_at=LONG_AGO),
            ada.pause_mentor(world.ada.mentor_id, "other", note="x" * 2001),
            ada.deactivate_mentor(world.ada.mentor_id, ""),
            ada.fetch_status_history(world.ada.mentor_id, limit=0),
            ada.fetch_status_history(world.ada.mentor_id, limit=2**40),
        ):
            with pytest.raises(InvalidArgument) as caught:
                await request
            assert caught.value.hint
        assert (await ada.fetch_mentor_status(world.ada.mentor_id)).status is MentorStatus.ACTIVE

    async def test_text_that_cannot_be_stored_is_refused(self, open_as: Open, world: World) -> None:
        with pytest.raises(InvalidArgument):
            await open_as(as_(world.ada)).pause_mentor(world.ada.mentor_id, "other", note="a\0b")

    async def test_a_lapsed_certificate_keeps_a_mentor_away(
        self, open_as: Open, world: World, database: Database
    ) -> None:
        with psycopg.connect(database.url) as connection:
            set_status(connection, world.ada, "paused", reason="certification_expired")
            require_certificate(connection, world.organisation_id)
            add_certificate(connection, world.ada, issued_on=date(2020, 1, 1), expires_on=date(2022, 12, 31))
        with pytest.raises(CertificationExpired) as caught:
            await open_as(as_(world.ada)).reactivate_mentor(world.ada.mentor_id)
        assert caught.value.detail == {"expired_on": "2022-12-31"}

    async def test_a_repeated_request_gets_its_first_answer(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        back = today() + timedelta(days=3)
        pausing = {"note": "a note", "expected_return_on": back, "idempotency_key": "pause-1"}
        paused = await ada.pause_mentor(world.ada.mentor_id, "illness", **pausing)  # type: ignore[arg-type]  # a dict of several types
        assert await ada.pause_mentor(world.ada.mentor_id, "illness", **pausing) == paused  # type: ignore[arg-type]  # as above
        came_back = await ada.reactivate_mentor(world.ada.mentor_id, idempotency_key="back-1")
        # Still the first answer, although the mentor has come back since; and nothing is changed again.
        assert await ada.pause_mentor(world.ada.mentor_id, "illness", **pausing) == paused  # type: ignore[arg-type]  # as above
        await ada.pause_mentor(world.ada.mentor_id, "travel")
        assert await ada.reactivate_mentor(world.ada.mentor_id, idempotency_key="back-1") == came_back
        assert len(await ada.fetch_status_history(world.ada.mentor_id)) == 4

    async def test_a_repeated_move_gets_its_first_answer(self, open_as: Open, world: World) -> None:
        bo = open_as(as_(world.bo))
        first = await bo.update_mentor_status(
            world.ada.mentor_id, MentorStatus.PAUSED, world.bo.user_id, "other", idempotency_key="k"
        )
        await bo.reactivate_mentor(world.ada.mentor_id)
        again = await bo.update_mentor_status(
            world.ada.mentor_id, MentorStatus.PAUSED, world.bo.user_id, "other", idempotency_key="k"
        )
        assert again == first

    async def test_a_key_is_good_for_one_request_only(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        await ada.pause_mentor(world.ada.mentor_id, "illness", idempotency_key="k")
        with pytest.raises(InvalidArgument, match="key"):
            await ada.pause_mentor(world.ada.mentor_id, "travel", idempotency_key="k")

    async def test_a_planned_pause_leaves_the_mentor_active_and_can_be_taken_back(
        self, open_as: Open, world: World
    ) -> None:
        ada = open_as(as_(world.ada))
        planned = await ada.pause_mentor(
            world.ada.mentor_id, "travel", pause_at=datetime.now(UTC) + timedelta(days=5)
        )
        assert (planned.status, planned.pause_at) == (MentorStatus.ACTIVE, None)
        assert planned.scheduled_pause_at is not None
        assert await ada.cancel_scheduled_pause(world.ada.mentor_id) is True
        assert (await ada.fetch_mentor_status(world.ada.mentor_id)).scheduled_pause_at is None
        assert await ada.cancel_scheduled_pause(world.ada.mentor_id) is False

    async def test_a_pause_is_made_longer_without_ending_it(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        soon, later = today() + timedelta(days=10), today() + timedelta(days=60)
        paused = await ada.pause_mentor(
            world.ada.mentor_id, "illness", expected_return_on=soon, note="a note"
        )
        longer = await ada.update_expected_return(
            world.ada.mentor_id, later, expected_updated_at=paused.updated_at, idempotency_key="k"
        )
        assert (longer.status, longer.expected_return_on, longer.pause_at) == (
            MentorStatus.PAUSED,
            later,
            paused.pause_at,
        )
        assert (longer.reason, longer.note, longer.changed_at) == ("illness", "a note", paused.changed_at)
        assert longer.updated_at > paused.updated_at
        assert len(await ada.fetch_status_history(world.ada.mentor_id)) == 2
        again = await ada.update_expected_return(
            world.ada.mentor_id, later, expected_updated_at=paused.updated_at, idempotency_key="k"
        )
        assert again == longer
        with pytest.raises(Conflict):
            await ada.update_expected_return(world.ada.mentor_id, None, expected_updated_at=paused.updated_at)
        endless = await open_as(as_(world.bo)).update_expected_return(world.ada.mentor_id, None)
        assert endless.expected_return_on is None

    async def test_only_a_pause_has_a_return_to_change(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        with pytest.raises(AlreadyActive):
            await ada.update_expected_return(world.ada.mentor_id, today() + timedelta(days=5))
        await ada.pause_mentor(world.ada.mentor_id, "illness")
        with pytest.raises(InvalidArgument):
            await ada.update_expected_return(world.ada.mentor_id, today() - timedelta(days=2))
        with pytest.raises(PermissionDenied):
            await open_as(as_(world.cy)).update_expected_return(world.ada.mentor_id, None)
        await ada.deactivate_mentor(world.ada.mentor_id, "resigned")
        with pytest.raises(InvalidTransition):
            await ada.update_expected_return(world.ada.mentor_id, None)

    async def test_the_history_pages_from_the_newest_back(self, open_as: Open, world: World) -> None:
        ada = open_as(as_(world.ada))
        await ada.pause_mentor(world.ada.mentor_id, "illness", note="a note")
        await ada.reactivate_mentor(world.ada.mentor_id)
        newest = await ada.fetch_status_history(world.ada.mentor_id, 2)
        assert [(entry.previous_status, entry.new_status) for entry in newest] == [
            ("paused", "active"),
            ("active", "paused"),
        ]
        assert (newest[1].reason, newest[1].note, newest[1].changed_by) == (
            "illness",
            "a note",
            world.ada.user_id,
        )
        (oldest,) = await ada.fetch_status_history(world.ada.mentor_id, 2, newest[-1].changed_at)
        assert (oldest.previous_status, oldest.new_status) == (None, "active")
        assert "a note" not in repr(newest)

    async def test_a_chapter_lists_active_and_paused_apart(self, open_as: Open, world: World) -> None:
        bo = open_as(as_(world.bo))
        await bo.pause_mentor(world.ada.mentor_id, "illness", expected_return_on=today())
        active = await bo.fetch_active_mentors_for_chapter(world.north.chapter_id)
        paused = await bo.fetch_paused_mentors_for_chapter(world.north.chapter_id)
        assert [mentor.mentor_id for mentor in active.mentors] == [world.finn.mentor_id]
        (ada,) = paused.mentors
        assert (ada.first_name, ada.pause_reason, ada.expected_return_on) == ("Ada", "illness", today())
        assert ada.paused_at == ada.updated_at
        assert paused.next is None
        assert "Ada" not in repr(paused)

    async def test_a_list_pages_by_name_and_skips_nobody(
        self, open_as: Open, world: World, database: Database
    ) -> None:
        with psycopg.connect(database.url) as connection:
            for _ in range(3):  # of one name, so that the id decides
                add_mentor(connection, "Ada", chapters=[world.north])
        dag = open_as(as_(world.dag))
        seen: list[UUID] = []
        page = await dag.fetch_active_mentors_for_chapter(world.north.chapter_id, limit=2)
        while True:
            seen += [mentor.mentor_id for mentor in page.mentors]
            if page.next is None:
                break
            page = await dag.fetch_active_mentors_for_chapter(
                world.north.chapter_id, limit=2, after=page.next
            )
        assert len(seen) == len(set(seen)) == 5
        assert seen[-1] == world.finn.mentor_id

    async def test_a_list_can_be_searched(self, open_as: Open, world: World) -> None:
        page = await open_as(as_(world.bo)).fetch_active_mentors_for_chapter(
            world.north.chapter_id, search="fIn"
        )
        assert [mentor.mentor_id for mentor in page.mentors] == [world.finn.mentor_id]

    async def test_north_is_closed_to_cy(self, open_as: Open, world: World) -> None:
        for chapter_id in (world.north.chapter_id, uuid4()):
            with pytest.raises(PermissionDenied):
                await open_as(as_(world.cy)).fetch_paused_mentors_for_chapter(chapter_id)
