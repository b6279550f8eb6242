"""Telling by hand: the result lists everybody with their outcome, and whatever goes wrong is a warning, never an error."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from peerpause.database.session import Claims, Sessions
from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.errors import InvalidTransition, Unavailable
from peerpause.notifications.outcomes import DispatchResult
from peerpause.notifications.payload import NotificationEvent, NotificationPayload
from peerpause.status.repository import PostgresMentorStatusRepository
from peerpause.status.service import MentorStatusService
from tests.cast import Mentor, World, add_coordinator, add_device, set_status
from tests.database.acting import Session, count
from tests.notifications.pipeline import Pipeline, inbox_of, pipeline_over
from tests.notifications.test_outbox import latest_history_id

PAUSED = NotificationEvent.MENTOR_PAUSED


def payload_about(mentor: Mentor, *, actor_id: UUID | None = None) -> NotificationPayload:
    return NotificationPayload(
        event=PAUSED,
        mentor_id=mentor.mentor_id,
        organisation_id=mentor.organisation_id,
        display_name=mentor.display_name,
        first_name=mentor.first_name,
        previous_status="active",
        new_status="paused",
        reason_code="illness",
        actor_id=actor_id,
        timestamp=datetime.now(UTC),
        deep_link=f"peerpause://mentors/{mentor.mentor_id}",
    )


def outcomes(result: DispatchResult) -> dict[UUID, str]:
    return {each.user_id: str(each.outcome) for each in result.recipients}


async def test_everybody_responsible_gets_the_push(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    add_device(owner, world.bo, "bos-phone")
    add_device(owner, world.cy, "cys-phone")
    result = await pipeline.service.dispatch_push_notification(
        world.finn.mentor_id, PAUSED, payload_about(world.finn)
    )
    assert (result.total, result.successful, result.failed) == (2, 2, 0)
    assert outcomes(result) == {world.bo.user_id: "sent", world.cy.user_id: "sent"}
    assert {call.target for call in standin.arrivals} == {"bos-phone", "cys-phone"}


async def test_the_result_lists_each_outcome_and_counts_them(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    people = {
        name: add_coordinator(owner, name, chapters=[world.north])
        for name in ("Gone", "Busy", "Quiet", "Fine")
    }
    for name, person in people.items():
        add_device(owner, person, name)
    owner.execute("update public.people set push_enabled = false where first_name = 'Quiet'")
    standin.script("Gone", [answers.UNREGISTERED])
    standin.script("Busy", [answers.UNAVAILABLE] * 3)
    result = await pipeline.service.dispatch_push_notification(
        world.ada.mentor_id, PAUSED, payload_about(world.ada)
    )
    assert outcomes(result) == {
        world.bo.user_id: "no_token",
        people["Gone"].user_id: "token_retired",
        people["Busy"].user_id: "failed_after_retries",
        people["Quiet"].user_id: "opted_out",
        people["Fine"].user_id: "sent",
    }
    assert (result.total, result.successful, result.failed) == (5, 1, 2)
    assert count(owner, "select count(*) from public.device_tokens where retired_at is not null") == 1


async def test_without_credentials_it_says_so_for_everybody(world: World, sessions: Sessions) -> None:
    service = pipeline_over(sessions, None).service
    result = await service.dispatch_push_notification(world.ada.mentor_id, PAUSED, payload_about(world.ada))
    assert (outcomes(result), result.failed) == ({world.bo.user_id: "not_configured"}, 1)


async def test_who_acted_is_not_told(world: World, pipeline: Pipeline) -> None:
    result = await pipeline.service.dispatch_push_notification(
        world.finn.mentor_id, PAUSED, payload_about(world.finn, actor_id=world.bo.user_id)
    )
    assert outcomes(result).keys() == {world.cy.user_id}


async def test_nobody_to_tell_is_an_empty_result_and_a_warning(
    world: World, owner: Session, pipeline: Pipeline
) -> None:
    owner.execute("update public.coordinator_roles set active = false")
    owner.execute("update public.organisation_admins set active = false")
    with capture_logs() as logs:
        result = await pipeline.service.dispatch_push_notification(
            world.ada.mentor_id, PAUSED, payload_about(world.ada)
        )
    assert result == DispatchResult()
    assert [(each["event"], each["told"]) for each in logs] == [("recipients.no_coordinator", "nobody")]


async def test_a_payload_about_somebody_else_is_refused(world: World, pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="another mentor"):
        await pipeline.service.dispatch_push_notification(
            world.ada.mentor_id, PAUSED, payload_about(world.finn)
        )


async def test_an_event_that_contradicts_the_payload_is_refused(world: World, pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="new_status"):
        await pipeline.service.dispatch_push_notification(
            world.ada.mentor_id, NotificationEvent.MENTOR_REACTIVATED, payload_about(world.ada)
        )


async def test_a_retirement_that_cannot_be_written_down_does_not_lose_the_result(
    world: World,
    owner: Session,
    pipeline: Pipeline,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_device(owner, world.bo, "bos-phone")
    standin.script("bos-phone", [answers.UNREGISTERED])
    monkeypatch.setattr(pipeline.book, "settle", _away)
    with capture_logs() as logs:
        result = await pipeline.service.dispatch_push_notification(
            world.ada.mentor_id, PAUSED, payload_about(world.ada)
        )
    assert outcomes(result) == {world.bo.user_id: "token_retired"}
    assert [(each["event"], each["error"]) for each in logs] == [("notification.failed", "unavailable")]


# A change that has been made


async def test_a_change_is_told_now_and_the_result_lists_everybody(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    add_device(owner, world.bo, "bos-phone")
    owner.execute("update public.people set push_enabled = false where user_id = %s", (world.cy.user_id,))
    set_status(owner, world.finn, "paused", reason="travel")
    result = await notify(pipeline, owner, world.finn)
    assert outcomes(result) == {
        world.bo.user_id: "sent",
        world.cy.user_id: "opted_out",
        world.finn.user_id: "no_token",
    }
    assert len(inbox_of(owner, world.cy.user_id)) == 1
    assert len(standin.arrivals) == 1


async def test_a_change_told_before_is_not_told_again(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    add_device(owner, world.bo, "bos-phone")
    set_status(owner, world.ada, "paused", reason="travel")
    await pipeline.tell_and_send()
    result = await notify(pipeline, owner, world.ada)
    assert outcomes(result)[world.bo.user_id] == "sent"
    assert len(standin.arrivals) == 1
    assert len(inbox_of(owner, world.bo.user_id)) == 1


async def test_trouble_with_telling_is_a_warning_that_says_what_and_why(
    world: World, owner: Session, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.outbox, "tell_changes", _away)
    set_status(owner, world.ada, "paused", reason="travel")
    with capture_logs() as logs:
        result = await notify(pipeline, owner, world.ada)
    assert result == DispatchResult()
    assert logs == [
        {
            "event": "notification.failed",
            "log_level": "warning",
            "mentor_id": str(world.ada.mentor_id),
            "transition": "active->paused",
            "error": "unavailable",
        }
    ]


async def test_what_was_sent_is_answered_though_it_could_not_be_written_down(
    world: World, owner: Session, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_device(owner, world.bo, "bos-phone")
    set_status(owner, world.ada, "paused", reason="travel")
    monkeypatch.setattr(pipeline.book, "settle", _away)
    assert outcomes(await notify(pipeline, owner, world.ada))[world.bo.user_id] == "sent"


async def test_a_change_succeeds_whatever_becomes_of_its_telling(
    world: World, owner: Session, sessions: Sessions
) -> None:
    def broken_bell() -> None:
        raise LookupError

    repository = PostgresMentorStatusRepository(sessions=sessions, caller=Claims(world.ada.user_id))
    service = MentorStatusService(repository=repository, wake_outbox=broken_bell)
    record = await service.pause_mentor(world.ada.mentor_id, "illness")
    assert record.status == "paused"
    with pytest.raises(InvalidTransition):
        await service.pause_mentor(world.ada.mentor_id, "illness")
    assert (
        count(owner, "select count(*) from public.peer_mentor_status_history where new_status = 'paused'")
        == 1
    )


async def notify(pipeline: Pipeline, owner: Session, mentor: Mentor) -> DispatchResult:
    return await pipeline.service.notify_status_change(
        latest_history_id(owner, mentor), mentor_id=mentor.mentor_id, transition="active->paused"
    )


async def _away(*_: object, **__: object) -> None:
    raise Unavailable("The database cannot be reached just now.")
