"""Bringing a notice to people's devices: who gets which outcome, who is called how often, and what one may cost another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.fcm_message import PushMessage
from peerpause.notifications.dispatch import Delivery, Parcel, PushDispatcher
from peerpause.notifications.messages import Manner, Notice, notice
from peerpause.notifications.outcomes import DispatchOutcome, DispatchResult
from peerpause.notifications.payload import NotificationEvent, NotificationPayload
from peerpause.notifications.recipients import Device
from tests.notifications.pipeline import FakeTime

BUSY = TryAgain("UNAVAILABLE")
GONE = TokenGone("UNREGISTERED")
MISMATCH = TokenGone("SENDER_ID_MISMATCH")
NO_APPLE_KEY = Refused("THIRD_PARTY_AUTH_ERROR", misconfigured=True)
WRONG_KEY = Refused("PERMISSION_DENIED", misconfigured=True)


class FakeChannel:
    """Answers each device with its own script, then with success; `before` may make a call wait."""

    def __init__(
        self, scripts: dict[str, list[ChannelReply]] | None = None, *, always: ChannelReply | None = None
    ) -> None:
        self._scripts = scripts or {}
        self._always = always
        self.calls: list[str] = []
        self.before: Callable[[str], Any] | None = None

    async def send(self, message: PushMessage) -> ChannelReply:
        device = message.token or message.fid or ""
        self.calls.append(device)
        if self.before is not None:
            await self.before(device)
        script = self._scripts.get(device)
        if script:
            return script.pop(0)
        return self._always or Delivered(f"projects/p/messages/{len(self.calls)}")

    async def close(self) -> None: ...


def a_notice() -> Notice:
    mentor_id = uuid4()
    payload = NotificationPayload(
        event=NotificationEvent.MENTOR_PAUSED,
        mentor_id=mentor_id,
        organisation_id=uuid4(),
        display_name="Ada Hansen",
        first_name="Ada",
        previous_status="active",
        new_status="paused",
        reason_code="illness",
        actor_id=None,
        timestamp=datetime(2026, 3, 1, tzinfo=UTC),
        deep_link=f"peerpause://mentors/{mentor_id}",
        history_id=uuid4(),
    )
    return notice(payload, Manner(language="nb"))


def a_parcel(*devices: str, user_id: UUID | None = None) -> Parcel:
    return Parcel(user_id or uuid4(), tuple(Device(each, "token") for each in devices), a_notice())


def dispatcher(channel: FakeChannel | None, time: FakeTime | None = None, **more: Any) -> PushDispatcher:
    time = time or FakeTime()
    return PushDispatcher(channel=channel, sleep=time.sleep, clock=time.clock, **more)


async def delivered(channel: FakeChannel | None, *devices: str) -> Delivery:
    return await dispatcher(channel).deliver(a_parcel(*devices))


# Outcomes


async def test_it_names_the_message_as_google_does() -> None:
    delivery = await delivered(FakeChannel(), "phone")
    assert delivery.outcome.outcome is DispatchOutcome.SENT
    assert delivery.reference == "projects/p/messages/1"
    assert (delivery.outcome.attempts, delivery.try_again, delivery.gone) == (1, None, ())


async def test_without_a_device_nothing_is_called_and_nothing_is_wrong() -> None:
    channel = FakeChannel()
    delivery = await delivered(channel)
    assert (delivery.outcome.outcome, delivery.try_again, channel.calls) == (
        DispatchOutcome.NO_TOKEN,
        None,
        [],
    )


async def test_without_a_channel_it_is_not_configured() -> None:
    delivery = await delivered(None, "phone")
    assert (delivery.outcome.outcome, delivery.try_again) == (DispatchOutcome.NOT_CONFIGURED, None)


async def test_two_failures_and_a_success_are_three_calls_two_and_four_seconds_apart() -> None:
    channel, time = FakeChannel({"phone": [BUSY, BUSY]}), FakeTime()
    delivery = await dispatcher(channel, time).deliver(a_parcel("phone"))
    assert delivery.outcome.outcome is DispatchOutcome.SENT
    assert (delivery.outcome.attempts, len(channel.calls), time.waits) == (3, 3, [2, 4])


async def test_after_three_failures_it_has_failed_and_is_worth_a_later_try() -> None:
    channel = FakeChannel(always=BUSY)
    delivery = await delivered(channel, "phone")
    assert delivery.outcome.outcome is DispatchOutcome.FAILED_AFTER_RETRIES
    assert (delivery.outcome.code, delivery.try_again, len(channel.calls)) == ("UNAVAILABLE", BUSY, 3)


async def test_a_dead_device_is_named_for_retirement_after_one_call() -> None:
    channel = FakeChannel(always=GONE)
    delivery = await delivered(channel, "phone")
    assert (delivery.outcome.outcome, delivery.try_again) == (DispatchOutcome.TOKEN_RETIRED, None)
    assert delivery.gone == ((Device("phone", "token"), "UNREGISTERED"),)
    assert len(channel.calls) == 1


async def test_a_message_that_is_wrong_by_itself_keeps_the_device() -> None:
    with capture_logs() as logs:
        delivery = await delivered(FakeChannel(always=Refused("INVALID_ARGUMENT")), "phone")
    assert (delivery.outcome.outcome, delivery.outcome.code) == (
        DispatchOutcome.FAILED_AFTER_RETRIES,
        "INVALID_ARGUMENT",
    )
    assert (delivery.gone, delivery.try_again) == ((), None)
    assert [(each["event"], each["log_level"]) for each in logs] == [("push.refused", "error")]


# Several devices


async def test_every_device_of_a_person_is_called() -> None:
    channel = FakeChannel()
    await delivered(channel, "phone", "tablet", "browser")
    assert sorted(channel.calls) == ["browser", "phone", "tablet"]


async def test_one_device_that_took_it_is_enough_and_the_dead_one_is_retired() -> None:
    delivery = await delivered(FakeChannel({"old phone": [GONE]}), "old phone", "phone")
    assert delivery.outcome.outcome is DispatchOutcome.SENT
    assert [device.token for device, _ in delivery.gone] == ["old phone"]


async def test_a_device_that_may_come_back_outweighs_a_dead_one() -> None:
    channel = FakeChannel({"old phone": [GONE], "phone": [BUSY] * 3})
    delivery = await delivered(channel, "old phone", "phone")
    assert delivery.outcome.outcome is DispatchOutcome.FAILED_AFTER_RETRIES
    assert delivery.try_again == BUSY
    assert [device.token for device, _ in delivery.gone] == ["old phone"]


async def test_an_installation_id_goes_out_as_one() -> None:
    seen: list[PushMessage] = []

    class Channel(FakeChannel):
        async def send(self, message: PushMessage) -> ChannelReply:
            seen.append(message)
            return Delivered()

    await dispatcher(Channel()).deliver(Parcel(uuid4(), (Device("an-id", "fid"),), a_notice()))
    assert [(each.token, each.fid) for each in seen] == [(None, "an-id")]


async def test_a_device_nobody_could_address_does_not_cost_the_others_their_push() -> None:
    channel = FakeChannel()
    delivery = await delivered(channel, "", "phone")
    assert delivery.outcome.outcome is DispatchOutcome.SENT
    assert channel.calls == ["phone"]


# Many people


async def test_a_missing_device_and_a_dead_one_do_not_abort_the_others() -> None:
    channel = FakeChannel({"dead": [GONE], "busy": [BUSY] * 3})
    parcels = [a_parcel("one"), a_parcel(), a_parcel("dead"), a_parcel("busy"), a_parcel("two")]
    deliveries = await dispatcher(channel).deliver_all(parcels)
    result = DispatchResult(tuple(each.outcome for each in deliveries))
    assert [str(each.outcome) for each in result.recipients] == [
        "sent",
        "no_token",
        "token_retired",
        "failed_after_retries",
        "sent",
    ]
    assert [each.user_id for each in result.recipients] == [each.user_id for each in parcels]
    assert (result.total, result.successful, result.failed) == (5, 2, 2)


async def test_nobody_to_tell_is_an_empty_result() -> None:
    result = DispatchResult(tuple(each.outcome for each in await dispatcher(FakeChannel()).deliver_all([])))
    assert (result.total, result.successful, result.failed, result.recipients) == (0, 0, 0, ())


async def test_twenty_people_are_served_side_by_side() -> None:
    channel, all_here = FakeChannel(), asyncio.Barrier(20)

    async def wait_for_the_others(device: str) -> None:
        await all_here.wait()

    channel.before = wait_for_the_others
    deliveries = await dispatcher(channel).deliver_all([a_parcel(f"phone {n}") for n in range(20)])
    assert {each.outcome.outcome for each in deliveries} == {DispatchOutcome.SENT}


async def test_a_slow_phone_holds_up_nobody() -> None:
    channel, others_are_done = FakeChannel(), asyncio.Event()

    async def hang(device: str) -> None:
        if device == "slow":
            await others_are_done.wait()

    channel.before = hang
    sending = dispatcher(channel)
    slow = asyncio.create_task(sending.deliver(a_parcel("slow")))
    await sending.deliver_all([a_parcel(f"phone {n}") for n in range(50)])
    assert not slow.done()
    others_are_done.set()
    assert (await slow).outcome.outcome is DispatchOutcome.SENT


async def test_waiting_between_attempts_takes_up_no_place() -> None:
    """With one place only, a phone that waits for its next attempt lets another through."""
    is_waiting, other_is_through = asyncio.Event(), asyncio.Event()
    channel = FakeChannel({"busy": [BUSY]})

    async def wait_for_the_other(seconds: float) -> None:
        is_waiting.set()
        await other_is_through.wait()

    sending = PushDispatcher(channel=channel, sleep=wait_for_the_other, at_once=1)
    busy = asyncio.create_task(sending.deliver(a_parcel("busy")))
    await is_waiting.wait()
    await sending.deliver(a_parcel("other"))
    other_is_through.set()
    assert (await busy).outcome.outcome is DispatchOutcome.SENT


async def test_no_more_calls_are_under_way_than_there_are_places() -> None:
    channel, under_way, most = FakeChannel(), 0, 0

    async def count(device: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        under_way -= 1

    channel.before = count
    await dispatcher(channel, at_once=4).deliver_all([a_parcel(f"{n}a", f"{n}b") for n in range(20)])
    assert most == 4


# Our own set-up


async def test_refused_credentials_stop_the_batch_with_one_log_line() -> None:
    channel = FakeChannel(always=WRONG_KEY)
    parcels = [a_parcel(f"phone {n}") for n in range(1000)]
    with capture_logs() as logs:
        deliveries = await dispatcher(channel, at_once=10).deliver_all(parcels)
    assert {(each.outcome.outcome, each.outcome.code) for each in deliveries} == {
        (DispatchOutcome.NOT_CONFIGURED, "PERMISSION_DENIED")
    }
    assert all(each.try_again is not None for each in deliveries)
    assert len(channel.calls) <= 10
    assert [(each["event"], each["log_level"], each["code"]) for each in logs] == [
        ("channel.misconfigured", "error", "PERMISSION_DENIED")
    ]


async def test_after_a_minute_it_asks_again_and_goes_on_once_it_is_mended() -> None:
    channel, time = FakeChannel({"phone": [WRONG_KEY]}), FakeTime()
    sending = dispatcher(channel, time)
    await sending.deliver(a_parcel("phone"))
    await sending.deliver(a_parcel("phone"))
    assert len(channel.calls) == 1
    time.passed += 60
    assert (await sending.deliver(a_parcel("phone"))).outcome.outcome is DispatchOutcome.SENT


async def test_a_missing_apple_key_stops_only_the_devices_it_concerns() -> None:
    channel = FakeChannel({"iphone": [NO_APPLE_KEY]})
    sending = dispatcher(channel)
    with capture_logs() as logs:
        apple = await sending.deliver(a_parcel("iphone"))
        android = await sending.deliver(a_parcel("android"))
    assert apple.outcome.outcome is DispatchOutcome.NOT_CONFIGURED
    assert apple.gone == ()
    assert android.outcome.outcome is DispatchOutcome.SENT
    assert [each["code"] for each in logs] == ["THIRD_PARTY_AUTH_ERROR"]


async def test_a_missing_apple_key_is_not_told_for_each_iphone() -> None:
    with capture_logs() as logs:
        await dispatcher(FakeChannel(always=NO_APPLE_KEY)).deliver_all(
            [a_parcel(f"iphone {n}") for n in range(50)]
        )
    assert len(logs) == 1


async def test_a_dead_device_is_retired_though_another_one_lacks_apples_key() -> None:
    channel = FakeChannel({"iphone": [NO_APPLE_KEY], "old phone": [GONE]})
    delivery = await delivered(channel, "iphone", "old phone")
    assert delivery.outcome.outcome is DispatchOutcome.NOT_CONFIGURED
    assert [device.token for device, _ in delivery.gone] == ["old phone"]


async def test_a_device_of_another_project_is_retired() -> None:
    delivery = await delivered(FakeChannel(always=MISMATCH), "phone")
    assert delivery.outcome.outcome is DispatchOutcome.TOKEN_RETIRED
    assert [code for _, code in delivery.gone] == ["SENDER_ID_MISMATCH"]


async def test_when_a_fifth_of_a_run_is_another_projects_the_credentials_are_wrong_not_the_devices() -> None:
    channel, time = FakeChannel(always=MISMATCH), FakeTime()
    sending = dispatcher(channel, time, at_once=1)
    with capture_logs() as logs:
        deliveries = await sending.deliver_all([a_parcel(f"phone {n}") for n in range(100)])
    assert sum(len(each.gone) for each in deliveries) < 5
    assert len(channel.calls) == 5
    assert [each["code"] for each in logs] == ["SENDER_ID_MISMATCH"]
    time.passed += 60
    again = await sending.deliver_all([a_parcel(f"phone {n}") for n in range(100)])
    assert sum(len(each.gone) for each in again) == 0, "on probation not one more device is lost"
    assert len(channel.calls) == 6


async def test_a_few_devices_of_another_project_among_many_are_just_old() -> None:
    channel = FakeChannel({f"old {n}": [MISMATCH] for n in range(10)})
    names = [f"phone {n}" for n in range(90)]
    for position in range(10):
        names.insert(position * 9 + 8, f"old {position}")
    sending = dispatcher(channel)
    deliveries = [await sending.deliver(a_parcel(name)) for name in names]
    assert sum(len(each.gone) for each in deliveries) == 10


@pytest.mark.parametrize("kind", ["token", "fid"])
def test_no_device_shows_itself_in_a_repr(kind: str) -> None:
    assert "secret" not in repr(Parcel(uuid4(), (Device("secret", kind),), a_notice()).devices)
