"""The exact message of each event, held against Google's own description, and how a bundle is worded as a push or a mail."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from peerpause.notifications.bundles import Bundle
from peerpause.notifications.carriers import EmailCarrier
from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TryAgain
from peerpause.notifications.channels.email import EmailMessageOut
from peerpause.notifications.due import DueDelivery
from peerpause.notifications.messages import Manner, notice, summary_notice
from peerpause.notifications.outcomes import DispatchOutcome
from peerpause.notifications.payload import NotificationEvent, NotificationPayload
from peerpause.notifications.recipients import Device
from peerpause.notifications.texts import push_text
from tests.notifications.fcm_discovery import faults
from tests.notifications.pipeline import FakeTime

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MENTOR, ORGANISATION, HISTORY, RUN, BO = (UUID(int=number) for number in range(1, 6))
SINGLE = [event for event in NotificationEvent if not event.is_summary]
PHONE = Device("a-token", "token")
URGENT = {"mentor_paused", "mentor_paused_certification", "mentor_deactivated"}
_AFTER = {"mentor_reactivated": "active", "mentor_deactivated": "inactive"}


def a_payload(event: NotificationEvent = NotificationEvent.MENTOR_PAUSED) -> NotificationPayload:
    return NotificationPayload(
        event=event,
        mentor_id=MENTOR,
        organisation_id=ORGANISATION,
        display_name="Ada Hansen",
        first_name="Ada",
        previous_status="active",
        new_status=_AFTER.get(event, "paused"),
        reason_code="illness",
        actor_id=None,
        timestamp=NOON,
        deep_link=f"https://pause.example/mentors/{MENTOR}",
        history_id=HISTORY,
    )


def sent(event: NotificationEvent, manner: Manner, device: Device = PHONE) -> dict[str, Any]:
    return notice(a_payload(event), manner).to(device).to_json(now=NOON)


def test_the_message_of_a_pause_is_exactly_this() -> None:
    assert sent(NotificationEvent.MENTOR_PAUSED, Manner("en")) == {
        "message": {
            "token": "a-token",
            "notification": {
                "title": "Ada is on pause",
                "body": "Ada is on pause as peer mentor. Please hold new assignments until the pause is over.",
            },
            "data": {
                "event": "mentor_paused",
                "mentor_id": "00000000-0000-0000-0000-000000000001",
                "organisation_id": "00000000-0000-0000-0000-000000000002",
                "history_id": "00000000-0000-0000-0000-000000000003",
                "first_name": "Ada",
                "new_status": "paused",
                "deep_link": f"https://pause.example/mentors/{MENTOR}",
            },
            "android": {
                "priority": "HIGH",
                "ttl": "3600s",
                "collapseKey": "change-00000000000000000000000000000003",
                "notification": {
                    "channelId": "mentor_status",
                    "tag": "change-00000000000000000000000000000003",
                },
            },
            "apns": {
                "headers": {
                    "apns-priority": "10",
                    "apns-expiration": "1772370000",
                    "apns-collapse-id": "change-00000000000000000000000000000003",
                },
                "payload": {"aps": {"category": "MENTOR_STATUS", "thread-id": str(ORGANISATION)}},
            },
            "webpush": {
                "headers": {"TTL": "3600", "Urgency": "high", "Topic": "m9AOgUyjzg4YPLBILLypJoScEFm5nwKr"},
                "notification": {"tag": "change-00000000000000000000000000000003"},
                "fcmOptions": {"link": f"https://pause.example/mentors/{MENTOR}"},
            },
        }
    }


@pytest.mark.parametrize("event", SINGLE)
def test_each_events_message_says_what_its_texts_say_and_google_understands_it(
    event: NotificationEvent,
) -> None:
    for language, about_self, minimal in itertools.product(("nb", "nn", "en"), (False, True), (False, True)):
        manner = Manner(language, about_self=about_self, minimal=minimal, role_word="likeperson")
        for device in (Device("a-token", "token"), Device("an-id", "fid")):
            body = sent(event, manner, device)
            assert faults(body) == []
            message = body["message"]
            words = push_text(
                a_payload(event), language, about_self=about_self, minimal=minimal, role_word="likeperson"
            )
            assert message["notification"] == {"title": words.title, "body": words.body}
            assert message.get(device.kind) == device.token
            assert message["data"].get("event") == (None if minimal else event.value)
            assert message["android"]["priority"] == ("HIGH" if event.value in URGENT else "NORMAL")
            assert message["apns"]["headers"]["apns-priority"] == ("10" if event.value in URGENT else "5")
            text = json.dumps(body)
            assert "Hansen" not in text
            assert "illness" not in text
            assert ("Ada" in text) <= (not minimal)


def test_a_link_into_the_app_is_no_link_for_a_browser() -> None:
    message = notice(a_payload(), Manner("nb"))
    in_the_app = summary_notice([a_payload()], Manner("nb"), summary_id=RUN, public_url=None)
    assert message.to(Device("t", "token")).link is not None
    assert in_the_app.to(Device("t", "token")).link is None
    assert in_the_app.link == "peerpause://notifications"


def test_a_summary_counts_and_names_nobody() -> None:
    words = summary_notice(
        [a_payload()] * 7, Manner("en"), summary_id=RUN, public_url="https://pause.example"
    )
    body = words.to(Device("a-token", "token")).to_json(now=NOON)
    assert faults(body) == []
    assert "7" in body["message"]["notification"]["title"]
    assert body["message"]["data"]["count"] == "7"
    assert body["message"]["android"]["collapseKey"] == f"summary-{RUN.hex}"
    assert "Ada" not in json.dumps(body)


def test_a_summary_of_lapsed_certificates_says_so() -> None:
    lapsed = a_payload(NotificationEvent.MENTOR_PAUSED_CERTIFICATION)
    only = summary_notice([lapsed] * 2, Manner("en"), summary_id=RUN, public_url=None)
    mixed = summary_notice([lapsed, a_payload()], Manner("en"), summary_id=RUN, public_url=None)
    assert only.data["event"] == "summary_certification"
    assert mixed.data["event"] == "summary"


# E-mail


class Mailbox:
    """Keeps what is sent, and answers as told."""

    def __init__(self, *replies: ChannelReply) -> None:
        self._replies = list(replies)
        self.mails: list[EmailMessageOut] = []

    async def send(self, message: EmailMessageOut) -> ChannelReply:
        self.mails.append(message)
        return self._replies.pop(0) if self._replies else Delivered(message.message_id)

    async def close(self) -> None: ...


def a_delivery(email: str | None = "bo@example.org", number: int = 1) -> DueDelivery:
    return DueDelivery(
        id=UUID(int=100 + number),
        organisation_id=ORGANISATION,
        recipient_id=BO,
        mentor_id=MENTOR,
        about_self=False,
        job_run_id=None,
        summary_id=None,
        attempts=1,
        changed_at=NOON,
        first_tried_at=None,
        taken_at=NOON,
        payload=a_payload(),
        manner=Manner("en"),
        email=email,
        devices=(),
        recently_sent=(),
    )


def carrier(mailbox: Mailbox | None) -> EmailCarrier:
    return EmailCarrier(
        channel=mailbox,
        message_host="pause.example",
        public_url="https://pause.example",
        sleep=FakeTime().sleep,
    )


def one(email: str | None = "bo@example.org") -> Bundle[DueDelivery]:
    return Bundle((a_delivery(email),), None)


async def test_a_mail_says_what_the_push_says_and_where_the_rest_is() -> None:
    mailbox = Mailbox()
    delivery = await carrier(mailbox).carry(one())
    (mail,) = mailbox.mails
    assert delivery.outcome.outcome is DispatchOutcome.SENT
    assert (mail.to, mail.subject) == ("bo@example.org", "Ada is on pause")
    assert mail.text.endswith(f"https://pause.example/mentors/{MENTOR}\n")
    assert mail.html is not None
    assert f'<a href="https://pause.example/mentors/{MENTOR}">' in mail.html
    assert mail.message_id == f"<change-{HISTORY.hex}.{BO.hex}@pause.example>"
    assert "Hansen" not in mail.text + mail.html


async def test_a_mail_sent_again_has_the_same_id() -> None:
    mailbox = Mailbox(TryAgain("SMTP_451"))
    delivery = await carrier(mailbox).carry(one())
    assert (delivery.outcome.outcome, delivery.outcome.attempts) == (DispatchOutcome.SENT, 2)
    assert len({mail.message_id for mail in mailbox.mails}) == 1


async def test_several_changes_are_one_mail() -> None:
    mailbox = Mailbox()
    bundle = Bundle(tuple(a_delivery(number=number) for number in range(6)), RUN)
    await carrier(mailbox).carry(bundle)
    (mail,) = mailbox.mails
    assert "6" in mail.subject


@pytest.mark.parametrize(
    ("replies", "email", "outcome", "code", "again"),
    [
        ([], None, "no_token", None, False),
        ([], "no address\nat all", "failed_after_retries", "INVALID_ADDRESS", False),
        ([Refused("SMTP_550")], "bo@example.org", "failed_after_retries", "SMTP_550", False),
        ([TryAgain("TIMEOUT")] * 3, "bo@example.org", "failed_after_retries", "TIMEOUT", True),
        ([Refused("SMTP_535", misconfigured=True)], "bo@example.org", "not_configured", "SMTP_535", True),
    ],
)
async def test_each_way_a_mail_may_fail_has_its_outcome(
    replies: list[ChannelReply], email: str | None, outcome: str, code: str | None, again: bool
) -> None:
    delivery = await carrier(Mailbox(*replies)).carry(one(email))
    assert (str(delivery.outcome.outcome), delivery.outcome.code) == (outcome, code)
    assert (delivery.try_again is not None) == again


async def test_a_refused_password_is_not_tried_for_every_mail() -> None:
    mailbox = Mailbox(*[Refused("SMTP_535", misconfigured=True)] * 10)
    out = carrier(mailbox)
    outcomes = [(await out.carry(one())).outcome.outcome for _ in range(10)]
    assert set(outcomes) == {DispatchOutcome.NOT_CONFIGURED}
    assert len(mailbox.mails) == 1


async def test_without_a_mail_host_it_is_not_configured() -> None:
    delivery = await carrier(None).carry(one())
    assert (delivery.outcome.outcome, delivery.try_again) == (DispatchOutcome.NOT_CONFIGURED, None)
