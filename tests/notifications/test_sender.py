"""Sending what is due: every outcome is written down rightly, nothing is sent twice, and one recipient's trouble stays theirs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from peerpause.database.session import Sessions
from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.errors import Unavailable
from peerpause.notifications.channels import TokenGone
from peerpause.notifications.channels.fcm_message import PushMessage
from peerpause.notifications.due import DeliveryBook, Settlement
from peerpause.notifications.recipients import Device
from tests.cast import Mentor, World, add_coordinator, add_device, add_mentor, set_status
from tests.database.acting import Session, count
from tests.notifications.pipeline import Pipeline, deliveries, inbox_of, let_time_pass, pipeline_over
from tests.notifications.test_dispatch import BUSY, WRONG_KEY, FakeChannel

PHONE = "bos-phone"


@pytest.fixture(autouse=True)
def bos_phone(world: World, owner: Session) -> None:
    add_device(owner, world.bo, PHONE)


def pause(owner: Session, *mentors: Mentor) -> None:
    for mentor in mentors:
        set_status(owner, mentor, "paused", reason="travel")


def of(owner: Session, user_id: UUID) -> list[dict[str, Any]]:
    return [row for row in deliveries(owner) if row["recipient_id"] == user_id]


def mentors_of_north(owner: Session, world: World, number: int) -> list[Mentor]:
    return [add_mentor(owner, f"M{n}", chapters=[world.north]) for n in range(number)]


def pause_by_a_run(owner: Session, mentors: list[Mentor], *, status: str = "succeeded") -> UUID:
    run_id = uuid4()
    owner.execute(
        "insert into public.job_runs (id, job, status, finished_at) values (%s, 'certification_expiry', 'running', null)",
        (run_id,),
    )
    change = {"actor_id": None, "reason": "certification_expired", "job_run_id": str(run_id)}
    with owner.transaction():
        owner.execute("select set_config('peerpause.change', %s, true)", (json.dumps(change),))
        owner.execute(
            "update public.peer_mentors set status = 'paused', pause_reason = 'certification_expired' where id = any(%s)",
            ([each.mentor_id for each in mentors],),
        )
    if status != "running":
        finish_run(owner, run_id)
    return run_id


def finish_run(owner: Session, run_id: UUID) -> None:
    owner.execute(
        "update public.job_runs set status = 'succeeded', finished_at = now() where id = %s", (run_id,)
    )


# Every outcome


async def test_a_push_that_was_taken_is_written_down_with_googles_name_of_it(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    pause(owner, world.ada)
    with capture_logs() as logs:
        await pipeline.tell_and_send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["outcome"], row["attempts"], row["error_code"]) == ("sent", "sent", 1, None)
    assert row["reference"].startswith("projects/peerpause-demo/messages/")
    assert row["settled_at"] is not None
    assert [arrival.target for arrival in standin.arrivals] == [PHONE]
    assert pipeline.figure("peerpause_deliveries_settled_total", channel="push", state="sent", outcome="sent")
    assert pipeline.figure("peerpause_told_seconds_count") == 1
    (line,) = [each for each in logs if each.get("delivery_id") == str(row["id"])]
    assert line["event"] == "delivery.settled"
    assert (line["outcome"], line["attempt"], line["transition"]) == ("sent", 1, "active->paused")
    assert {"mentor_id", "recipient_id", "milliseconds", "reference", "channel"} <= line.keys()


async def test_without_a_device_it_is_skipped(world: World, owner: Session, pipeline: Pipeline) -> None:
    pause(owner, world.ada)
    await pipeline.tell_and_send()
    (row,) = of(owner, world.ada.user_id)
    assert (row["state"], row["outcome"]) == ("skipped", "no_token")


async def test_without_credentials_it_is_skipped_and_the_inbox_is_there(
    world: World, owner: Session, sessions: Sessions
) -> None:
    pause(owner, world.ada)
    await pipeline_over(sessions, None).tell_and_send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["outcome"]) == ("skipped", "not_configured")
    assert len(inbox_of(owner, world.bo.user_id)) == 1


async def test_every_device_of_a_person_gets_it_by_token_or_by_installation_id(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    owner.execute(
        "insert into public.device_tokens (token, user_id, platform, kind) values ('an-installation', %s, 'ios', 'fid')",
        (world.bo.user_id,),
    )
    pause(owner, world.ada)
    await pipeline.tell_and_send()
    messages = [arrival.message for arrival in standin.arrivals]
    assert {(each.get("token"), each.get("fid")) for each in messages} == {
        (PHONE, None),
        (None, "an-installation"),
    }
    assert len(of(owner, world.bo.user_id)) == 1


async def test_after_three_failures_it_waits_and_is_sent_later_with_the_same_collapse_key(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    standin.script(PHONE, [answers.UNAVAILABLE] * 3)
    pause(owner, world.ada)
    await pipeline.tell_and_send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["outcome"], row["error_code"]) == (
        "pending",
        "failed_after_retries",
        "UNAVAILABLE",
    )
    assert (row["attempts"], pipeline.time.waits) == (1, [2, 4])
    wait = "select count(*) from public.notification_deliveries where not_before between now() + '8 seconds' and now() + '10 seconds' and state = 'pending'"
    assert count(owner, wait) == 1
    await pipeline.send()
    assert len(standin.calls) == 3, "not before its time"
    let_time_pass(owner, 1)
    await pipeline.send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["outcome"], row["error_code"], row["attempts"]) == ("sent", "sent", None, 2)
    assert len({arrival.message["android"]["collapseKey"] for arrival in standin.calls}) == 1


async def test_an_hour_after_its_first_failure_it_expires(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    standin.script(PHONE, [], then=answers.INTERNAL)
    pause(owner, world.ada)
    await pipeline.tell_and_send()
    let_time_pass(owner, 59)
    await pipeline.send()
    assert of(owner, world.bo.user_id)[0]["state"] == "pending"
    let_time_pass(owner, 2)
    with capture_logs() as logs:
        await pipeline.send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["outcome"], row["error_code"]) == (
        "expired",
        "failed_after_retries",
        "INTERNAL",
    )
    assert [(each["state"], each["log_level"]) for each in logs if each["event"] == "delivery.settled"] == [
        ("expired", "warning")
    ]


async def test_the_hour_begins_with_the_first_failure_not_while_no_worker_ran(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    standin.script(PHONE, [answers.INTERNAL] * 3)
    pause(owner, world.ada)
    await pipeline.outbox.tell_changes()
    await pipeline.book.take("push", at_most=10)  # by a worker that died
    let_time_pass(owner, 300)
    await pipeline.send()
    assert of(owner, world.bo.user_id)[0]["state"] == "pending"


async def test_as_long_a_wait_as_google_asks_for(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    standin.script(PHONE, [answers.quota(300)])
    pause(owner, world.ada)
    await pipeline.tell_and_send()
    assert (
        count(
            owner,
            "select count(*) from public.notification_deliveries where not_before > now() + '290 seconds'",
        )
        == 1
    )
    assert len(standin.calls) == 1


async def test_a_dead_device_is_retired_and_the_delivery_says_so(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    standin.script(PHONE, [answers.UNREGISTERED])
    pause(owner, world.ada)
    await pipeline.tell_and_send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["outcome"], row["error_code"]) == ("failed", "token_retired", "UNREGISTERED")
    device = owner.execute("select retired_because, retired_at from public.device_tokens").fetchone()
    assert device is not None
    assert device["retired_because"] == "UNREGISTERED"
    set_status(owner, world.ada, "active", reason="travel")
    await pipeline.tell_and_send()
    assert of(owner, world.bo.user_id)[1]["outcome"] == "no_token"
    assert len(standin.calls) == 1


async def test_a_device_that_registered_anew_meanwhile_is_kept(
    world: World, owner: Session, sessions: Sessions
) -> None:
    class ComesBack(FakeChannel):
        async def send(self, message: PushMessage) -> TokenGone:
            owner.execute("update public.device_tokens set last_seen_at = clock_timestamp()")
            return TokenGone("UNREGISTERED")

    pause(owner, world.ada)
    await pipeline_over(sessions, ComesBack()).tell_and_send()
    assert count(owner, "select count(*) from public.device_tokens where retired_at is null") == 1


async def test_a_malformed_message_is_our_fault_and_keeps_the_device(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        PushMessage, "to_json", lambda self, now: {"message": {"token": self.token, "colour": "red"}}
    )
    pause(owner, world.ada)
    await pipeline.tell_and_send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["error_code"]) == ("failed", "INVALID_ARGUMENT")
    assert count(owner, "select count(*) from public.device_tokens where retired_at is null") == 1


async def test_refused_credentials_keep_every_delivery_alive_and_are_told_once(
    world: World, owner: Session, sessions: Sessions
) -> None:
    for number in range(30):
        add_device(owner, add_coordinator(owner, f"C{number}", chapters=[world.north]), f"phone-{number}")
    channel = FakeChannel(always=WRONG_KEY)
    pipeline = pipeline_over(sessions, channel)
    pause(owner, world.ada)
    with capture_logs() as logs:
        await pipeline.tell_and_send()
    kept = [row for row in deliveries(owner) if row["outcome"] == "not_configured"]
    assert len(kept) == 31
    assert {(row["state"], row["error_code"]) for row in kept} == {("pending", "PERMISSION_DENIED")}
    assert [each["event"] for each in logs if each.get("outcome") != "no_token"] == ["channel.misconfigured"]


# One summary instead of many


async def test_the_changes_of_a_run_are_one_push_for_the_coordinator_and_one_for_each_mentor(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    mentors = [world.ada, world.finn]
    for mentor in mentors:
        add_device(owner, mentor, f"phone-of-{mentor.first_name}")
    pause_by_a_run(owner, mentors)
    await pipeline.tell_and_send()
    assert standin.calls == [], "a run's pushes gather first"
    let_time_pass(owner, 10)
    await pipeline.send()
    by_phone = {arrival.target: arrival.message for arrival in standin.arrivals}
    assert len(standin.arrivals) == 3
    assert by_phone[PHONE]["data"]["event"] == "summary_certification"
    assert by_phone[PHONE]["data"]["count"] == "2"
    assert by_phone["phone-of-Ada"]["data"]["event"] == "mentor_paused_certification"
    assert "Ada" not in json.dumps(by_phone[PHONE])
    assert len(inbox_of(owner, world.bo.user_id)) == 2
    assert {row["state"] for row in of(owner, world.bo.user_id)} == {"sent"}


async def test_a_runs_summary_waits_for_the_run_to_end_and_for_all_of_it_to_be_told(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    mentors = [world.ada, world.finn, *mentors_of_north(owner, world, 2)]
    await pipeline.outbox.tell_changes()
    run_id = pause_by_a_run(owner, mentors, status="running")
    await pipeline.outbox.tell_changes(at_most=3)
    let_time_pass(owner, 10)
    await pipeline.send()
    finish_run(owner, run_id)
    await pipeline.send()
    assert standin.calls == [], "one change of the run has not been told"
    await pipeline.outbox.tell_changes()
    await pipeline.send()
    assert [arrival.message["data"]["count"] for arrival in standin.arrivals] == ["4"]


async def test_a_run_that_died_is_summed_up_all_the_same(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    run_id = pause_by_a_run(owner, [world.ada, world.finn], status="running")
    await pipeline.outbox.tell_changes()
    let_time_pass(owner, 10)
    owner.execute(
        "update public.job_runs set heartbeat_at = now() - interval '6 minutes' where id = %s", (run_id,)
    )
    await pipeline.send()
    assert [arrival.message["data"]["count"] for arrival in standin.arrivals] == ["2"]


async def test_a_summary_is_whole_however_few_are_taken_at_once(
    world: World, owner: Session, pipeline: Pipeline
) -> None:
    pause_by_a_run(owner, mentors_of_north(owner, world, 12))
    await pipeline.outbox.tell_changes()
    let_time_pass(owner, 10)
    taken = await pipeline.book.take("push", at_most=1)
    by_person = [each for each in taken if each.recipient_id == world.bo.user_id]
    assert len(taken) in {1, 12}
    while not by_person:
        by_person = [
            each
            for each in await pipeline.book.take("push", at_most=1)
            if each.recipient_id == world.bo.user_id
        ]
    assert len(by_person) == 12


async def test_more_than_five_changes_in_a_minute_become_one_push_and_stay_single_in_the_inbox(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    pause(owner, *mentors_of_north(owner, world, 6))
    await pipeline.tell_and_send()
    assert [arrival.message["data"].get("count") for arrival in standin.arrivals] == ["6"]
    assert len(inbox_of(owner, world.bo.user_id)) == 6


async def test_after_five_pushes_the_rest_waits_for_the_minute_to_end_uncounted(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    mentors = mentors_of_north(owner, world, 8)
    for mentor in mentors[:5]:
        pause(owner, mentor)
        await pipeline.tell_and_send()
    assert len(standin.arrivals) == 5
    pause(owner, *mentors[5:])
    await pipeline.tell_and_send()
    assert len(standin.arrivals) == 5
    waiting = [row for row in of(owner, world.bo.user_id) if row["state"] == "pending"]
    assert {row["attempts"] for row in waiting} == {0}
    assert {row["first_tried_at"] for row in waiting} == {None}
    let_time_pass(owner, 1)
    await pipeline.send()
    assert [arrival.message["data"].get("count") for arrival in standin.arrivals[5:]] == ["3"]


async def test_pushes_under_way_count_towards_the_five(
    world: World, owner: Session, sessions: Sessions
) -> None:
    channel, go_on = FakeChannel(), asyncio.Event()

    async def hang(device: str) -> None:
        await go_on.wait()

    channel.before = hang
    pipeline = pipeline_over(sessions, channel)
    mentors = mentors_of_north(owner, world, 7)
    pause(owner, *mentors[:5])
    await pipeline.outbox.tell_changes()
    await pipeline.sender.step()
    pause(owner, *mentors[5:])
    await pipeline.outbox.tell_changes()
    await pipeline.sender.step()
    go_on.set()
    await pipeline.sender.finish()
    await pipeline.send()
    assert len(channel.calls) == 5


async def test_a_summary_counts_as_one_push(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    mentors = mentors_of_north(owner, world, 8)
    pause(owner, *mentors[:6])
    await pipeline.tell_and_send()
    pause(owner, *mentors[6:])
    await pipeline.tell_and_send()
    assert [arrival.message["data"].get("count") for arrival in standin.arrivals] == ["6", None, None]


async def test_a_summary_that_failed_stays_whole_and_keeps_its_key(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    standin.script(PHONE, [answers.INTERNAL] * 3)
    pause(owner, *mentors_of_north(owner, world, 6))
    await pipeline.tell_and_send()
    assert len({row["not_before"] for row in of(owner, world.bo.user_id)}) == 1
    let_time_pass(owner, 1)
    await pipeline.send()
    assert [call.message["data"]["count"] for call in standin.calls] == ["6"] * 4
    assert len({call.message["android"]["collapseKey"] for call in standin.calls}) == 1


# Quiet hours


async def test_a_push_that_comes_due_in_quiet_hours_is_moved_to_their_end_uncounted(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    pause(owner, world.ada)
    await pipeline.outbox.tell_changes()
    owner.execute(
        "update public.people set quiet_from = (now() at time zone 'UTC' - interval '1 hour')::time,"
        " quiet_until = (now() at time zone 'UTC' + interval '2 hours')::time, time_zone = 'UTC'"
    )
    await pipeline.send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["attempts"], standin.calls) == ("pending", 0, [])
    assert (row["not_before"] - datetime.now(UTC)).total_seconds() > 7000


# At once, and one at a time


async def test_one_slow_phone_holds_up_nobody(world: World, owner: Session, sessions: Sessions) -> None:
    channel, others_are_done = FakeChannel(), asyncio.Event()

    async def hang(device: str) -> None:
        if device == PHONE:
            await others_are_done.wait()

    channel.before = hang
    others = [add_coordinator(owner, f"C{n}", chapters=[world.north]) for n in range(20)]
    for person in others:
        add_device(owner, person, f"phone-{person.first_name}")
    pipeline = pipeline_over(sessions, channel)
    pause(owner, world.ada)
    await pipeline.outbox.tell_changes()

    def sent() -> int:
        return count(owner, "select count(*) from public.notification_deliveries where state = 'sent'")

    async with asyncio.timeout(30):
        while sent() < 20:
            await pipeline.sender.step()
            await pipeline.sender.wait_for_news(0.05)
    assert of(owner, world.bo.user_id)[0]["state"] == "pending"
    others_are_done.set()
    await pipeline.sender.finish()
    assert sent() == 21


async def test_senders_side_by_side_never_send_a_change_twice(
    world: World, owner: Session, sessions: Sessions, standin: FcmStandin, pipeline: Pipeline
) -> None:
    people = [add_coordinator(owner, f"C{n}", chapters=[world.north]) for n in range(10)]
    for person in people:
        add_device(owner, person, f"phone-{person.first_name}")
    others = [pipeline_over(sessions, pipeline.dispatcher._channel) for _ in range(3)]
    pause(owner, *mentors_of_north(owner, world, 20))
    left = "select count(*) from public.notification_deliveries where state = 'pending' and channel = 'push'"

    async def work(one: Pipeline) -> None:
        while (await one.outbox.tell_changes(at_most=1)).changes or await asyncio.to_thread(
            count, owner, left
        ):
            await one.send()
            # The minute of those who have had five is over; nobody's lease is. In a thread: it may have to wait for a sender.
            await asyncio.to_thread(
                owner.execute,
                "update public.notification_deliveries set not_before = least(not_before, now()),"
                " settled_at = settled_at - interval '1 minute' where attempts = 0 or state = 'sent'",
            )

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(one) for one in (pipeline, *others)))
    keys = [(call.target, call.message["android"]["collapseKey"]) for call in standin.calls]
    assert len(keys) == len(set(keys))
    told = count(
        owner,
        "select count(*) from public.notification_deliveries where state = 'sent' and outcome = 'sent'",
    )
    assert told == 11 * 20


async def test_what_a_dead_sender_had_taken_comes_due_after_its_lease(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    pause(owner, world.ada)
    await pipeline.outbox.tell_changes()
    assert len(await pipeline.book.take("push", at_most=10)) == 2
    assert await pipeline.book.take("push", at_most=10) == ()
    await pipeline.send()
    assert standin.calls == []
    let_time_pass(owner, pipeline.book.lease / 60)
    await pipeline.send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["attempts"], len(standin.arrivals)) == ("sent", 2, 1)


async def test_a_sender_that_woke_up_late_does_not_undo_what_the_next_one_does(
    world: World, owner: Session, pipeline: Pipeline
) -> None:
    pause(owner, world.ada)
    await pipeline.outbox.tell_changes()
    late = await first_of(pipeline.book, world)
    let_time_pass(owner, 3)
    current = await first_of(pipeline.book, world)
    again = Settlement(late, "pending", "failed_after_retries", not_before=datetime.now(UTC))
    await pipeline.book.settle([again], since=late.taken_at)
    assert await pipeline.book.take("push", at_most=10) == ()
    await pipeline.book.settle([Settlement(late, "sent", "sent")], since=late.taken_at)
    await pipeline.book.settle([Settlement(current, "failed", "token_retired")], since=late.taken_at)
    assert of(owner, world.bo.user_id)[0]["state"] == "sent"


async def first_of(book: DeliveryBook, world: World) -> Any:
    return next(each for each in await book.take("push", at_most=10) if each.recipient_id == world.bo.user_id)


# When things break


async def test_an_entry_nobody_can_read_fails_alone(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin
) -> None:
    pause(owner, world.ada, world.finn)
    await pipeline.outbox.tell_changes()
    owner.execute(
        "update public.notifications set payload = '{}' where mentor_id = %s", (world.ada.mentor_id,)
    )
    with capture_logs() as logs:
        await pipeline.send()
    assert {row["mentor_id"]: row["state"] for row in of(owner, world.bo.user_id)} == {
        world.ada.mentor_id: "failed",
        world.finn.mentor_id: "sent",
    }
    broken = [each for each in logs if each["event"] == "delivery.broken"]
    assert {each["error"] for each in broken} == {"UNREADABLE_PAYLOAD"}


async def test_a_defect_in_a_channel_is_seen_tried_again_and_costs_nobody_else(
    world: World, owner: Session, sessions: Sessions
) -> None:
    channel = FakeChannel()

    async def break_down(device: str) -> None:
        if device == PHONE:
            raise LookupError(device)

    channel.before = break_down
    add_device(owner, world.cy, "cys-phone")
    pause(owner, world.finn)
    with capture_logs() as logs:
        await pipeline_over(sessions, channel).tell_and_send()
    assert (of(owner, world.bo.user_id)[0]["state"], of(owner, world.bo.user_id)[0]["error_code"]) == (
        "pending",
        "BROKEN",
    )
    assert of(owner, world.cy.user_id)[0]["state"] == "sent"
    assert [each["error"] for each in logs if each["event"] == "delivery.broken"] == ["LookupError"]


async def test_what_takes_longer_than_most_of_the_lease_is_given_up_in_time(
    world: World, owner: Session, sessions: Sessions
) -> None:
    channel = FakeChannel()

    async def hang(device: str) -> None:
        await asyncio.Event().wait()

    channel.before = hang
    pause(owner, world.ada)
    await pipeline_over(sessions, channel, lease=0.5).tell_and_send()
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["error_code"]) == ("pending", "TOO_SLOW")


async def test_while_the_database_is_away_what_was_sent_is_kept_and_written_down_later(
    world: World, owner: Session, pipeline: Pipeline, standin: FcmStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause(owner, world.ada)
    await pipeline.outbox.tell_changes()

    async def away(*_: object, **__: object) -> None:
        raise Unavailable("The database cannot be reached just now.")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.book, "settle", away)
        await pipeline.sender.step()
        with pytest.raises(Unavailable):
            await pipeline.sender.finish()
    await pipeline.send()
    assert of(owner, world.bo.user_id)[0]["state"] == "sent"
    assert len(standin.calls) == 1


async def test_stopping_lets_go_of_what_does_not_end_in_time(
    world: World, owner: Session, sessions: Sessions
) -> None:
    channel = FakeChannel({PHONE: [BUSY]})

    async def hang(device: str) -> None:
        await asyncio.Event().wait()

    channel.before = hang
    pipeline = pipeline_over(sessions, channel)
    pause(owner, world.ada)
    await pipeline.outbox.tell_changes()
    await pipeline.sender.step()
    await pipeline.sender.finish(within=0)
    (row,) = of(owner, world.bo.user_id)
    assert (row["state"], row["outcome"]) == ("pending", None)


def test_a_delivery_does_not_show_a_device_or_a_name() -> None:
    assert "secret" not in repr(Device("secret", "token"))
