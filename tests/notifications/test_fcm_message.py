"""A push message takes exactly the form Google's discovery document describes, and refuses what FCM would refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.errors import InvalidArgument
from peerpause.notifications.channels.fcm import PushMessage
from tests.notifications.fcm_discovery import faults

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOKEN = "device-token-of-bo"


def a_push(**changes: Any) -> PushMessage:
    fields: dict[str, Any] = {"token": TOKEN, "title": "Ada", "body": "Ada is paused", **changes}
    return PushMessage(**fields)


def a_full_push(**changes: Any) -> PushMessage:
    return a_push(
        data={"mentor_id": "11111111-1111-4111-8111-111111111111", "event": "paused"},
        collapse_key="mentor-1",
        high_priority=True,
        ttl=3600,
        android_channel="mentor_status",
        apns_category="MENTOR_STATUS",
        thread_id="chapter-south",
        link="https://peerpause.example/mentors/1",
        **changes,
    )


def test_the_body_is_exactly_this() -> None:
    assert a_full_push().to_json(now=NOON) == {
        "message": {
            "token": TOKEN,
            "notification": {"title": "Ada", "body": "Ada is paused"},
            "data": {"mentor_id": "11111111-1111-4111-8111-111111111111", "event": "paused"},
            "android": {
                "priority": "HIGH",
                "ttl": "3600s",
                "collapseKey": "mentor-1",
                "notification": {"channelId": "mentor_status", "tag": "mentor-1"},
            },
            "apns": {
                "headers": {
                    "apns-priority": "10",
                    "apns-expiration": str(int(NOON.timestamp()) + 3600),
                    "apns-collapse-id": "mentor-1",
                },
                "payload": {"aps": {"category": "MENTOR_STATUS", "thread-id": "chapter-south"}},
            },
            "webpush": {
                "headers": {"TTL": "3600", "Urgency": "high", "Topic": "MVTGLyldOR2kXmvVYpGsoMkafCUCS6OY"},
                "notification": {"tag": "mentor-1"},
                "fcmOptions": {"link": "https://peerpause.example/mentors/1"},
            },
        }
    }


def test_an_installation_id_goes_into_its_own_field() -> None:
    message = a_push(token=None, fid="installation-of-bo").to_json()["message"]
    assert message["fid"] == "installation-of-bo"
    assert "token" not in message


def test_an_unhurried_message_says_so_on_every_platform() -> None:
    message = a_push().to_json()["message"]
    assert message["android"]["priority"] == "NORMAL"
    assert message["apns"]["headers"]["apns-priority"] == "5"
    assert message["webpush"]["headers"]["Urgency"] == "normal"


def test_without_a_moment_apple_is_told_no_end() -> None:
    assert "apns-expiration" not in a_push().to_json()["message"]["apns"]["headers"]


@pytest.mark.parametrize("message", [a_push(), a_full_push(), a_push(token=None, fid="f")])
def test_google_knows_every_field(message: PushMessage) -> None:
    assert faults(message.to_json(now=NOON)) == []


_text = st.text(st.characters(codec="utf-8"), max_size=60)


@given(
    title=_text,
    body=_text,
    data=st.dictionaries(st.text("abcdef_", min_size=1, max_size=8), _text, max_size=5),
    collapse_key=st.none() | st.text(min_size=1, max_size=100),
    high_priority=st.booleans(),
    ttl=st.integers(0, 28 * 24 * 3600),
    android_channel=st.none() | _text,
    apns_category=st.none() | _text,
    thread_id=st.none() | _text,
    link=st.none() | st.just("https://peerpause.example/"),
)
def test_google_knows_every_field_whatever_the_message(**fields: Any) -> None:
    body = PushMessage(token=TOKEN, **fields).to_json(now=NOON)
    assert faults(body) == []
    headers = body["message"]["apns"]["headers"]
    assert len(headers.get("apns-collapse-id", "").encode()) <= 64
    assert len(body["message"]["webpush"]["headers"].get("Topic", "")) <= 32


def test_long_collapse_keys_stay_apart_and_stay_themselves() -> None:
    def ids(key: str) -> tuple[str, str]:
        message = a_push(collapse_key=key).to_json()["message"]
        return message["apns"]["headers"]["apns-collapse-id"], message["webpush"]["headers"]["Topic"]

    one, other = "k" * 99 + "1", "k" * 99 + "2"
    assert ids(one) == ids(one)
    assert ids(one)[0] != ids(other)[0]
    assert ids(one)[1] != ids(other)[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"token": None},
        {"fid": "both"},
        {"token": ""},
        {"ttl": -1},
        {"ttl": 28 * 24 * 3600 + 1},
        {"link": "http://peerpause.example/"},
        {"data": {"from": "x"}},
        {"data": {"google.x": "x"}},
        {"data": {"gcm.notification.x": "x"}},
        {"title": "", "body": "ø" * 2049},
    ],
)
def test_it_refuses_what_fcm_would_refuse(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        a_push(**changes)


def test_it_takes_the_largest_payload_fcm_takes() -> None:
    assert a_push(title="", body="ø" * 2048).body


def test_its_repr_holds_no_token_and_no_name() -> None:
    shown = repr(a_full_push()) + repr(a_push(token=None, fid="installation-of-bo"))
    for secret in (TOKEN, "Ada", "installation-of-bo", "11111111"):
        assert secret not in shown


@pytest.mark.parametrize(
    "body",
    [
        {"message": {"token": "t", "surprise": 1}},
        {"message": {"token": 1}},
        {"message": {"token": "t", "data": {"k": 1}}},
        {"message": {"token": "t", "android": {"ttl": "1h"}}},
        {"message": {"token": "t", "android": {"priority": "urgent"}}},
        {"message": {"token": "t", "android": {"notification": {"titleLocArgs": [1]}}}},
        [],
    ],
)
def test_the_checker_spots_a_fault(body: object) -> None:
    assert len(faults(body)) == 1
