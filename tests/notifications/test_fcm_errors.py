"""Each answer of FCM leads to the reply that Google's own codes ask for, and nothing it could say breaks the judge."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.fcm_errors import verdict

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def judged(status: int, body: object, retry_after: str | None = None) -> ChannelReply:
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return verdict(status, raw, retry_after=retry_after, now=NOON)


def fault(status: str, *details: object, message: str = "") -> dict[str, Any]:
    return {"error": {"status": status, "message": message, "details": list(details)}}


def fcm(code: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def fields(*names: str) -> dict[str, Any]:
    violations = [{"field": name, "description": "wrong"} for name in names]
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}


INVALID_TOKEN = "The registration token is not a valid FCM registration token"


@pytest.mark.parametrize(
    "status, body, reply",
    [
        (200, {"name": "projects/p/messages/1"}, Delivered("projects/p/messages/1")),
        (404, fault("NOT_FOUND", fcm("UNREGISTERED")), TokenGone("UNREGISTERED")),
        (403, fault("PERMISSION_DENIED", fcm("SENDER_ID_MISMATCH")), TokenGone("SENDER_ID_MISMATCH")),
        (
            401,
            fault("UNAUTHENTICATED", fcm("THIRD_PARTY_AUTH_ERROR")),
            Refused("THIRD_PARTY_AUTH_ERROR", True),
        ),
        (401, fault("UNAUTHENTICATED"), Refused("UNAUTHENTICATED", True)),
        (401, b"<html>", Refused("UNAUTHENTICATED", True)),
        (403, fault("PERMISSION_DENIED"), Refused("PERMISSION_DENIED", True)),
        (403, b"", Refused("HTTP_403", True)),
        (404, fault("NOT_FOUND"), Refused("NOT_FOUND", True)),
        (404, b"<html>", Refused("HTTP_404", True)),
        (302, b"", Refused("HTTP_302", True)),
        (429, fault("RESOURCE_EXHAUSTED", fcm("QUOTA_EXCEEDED")), TryAgain("QUOTA_EXCEEDED", 60.0)),
        (500, fault("INTERNAL", fcm("INTERNAL")), TryAgain("INTERNAL")),
        (503, fault("UNAVAILABLE", fcm("UNAVAILABLE")), TryAgain("UNAVAILABLE")),
        (502, b"<html>Bad gateway</html>", TryAgain("HTTP_502")),
        (408, b"", TryAgain("HTTP_408")),
        (400, fault("FAILED_PRECONDITION"), Refused("FAILED_PRECONDITION")),
        (413, fault("INVALID_ARGUMENT"), Refused("INVALID_ARGUMENT")),
    ],
)
def test_each_answer_has_its_reply(status: int, body: object, reply: ChannelReply) -> None:
    assert judged(status, body) == reply


@pytest.mark.parametrize(
    "body",
    [
        fault("INVALID_ARGUMENT", fcm("INVALID_ARGUMENT"), message=INVALID_TOKEN),
        fault("INVALID_ARGUMENT", fields("message.token")),
        fault("INVALID_ARGUMENT", fields("message.fid"), fcm("INVALID_ARGUMENT")),
        fault("INVALID_ARGUMENT", fcm("INVALID_ARGUMENT"), message="The FID is not valid."),
    ],
)
def test_an_invalid_argument_that_names_the_token_retires_it(body: object) -> None:
    assert judged(400, body) == TokenGone("INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "body",
    [
        fault("INVALID_ARGUMENT", fields("message.data[0].value"), fcm("INVALID_ARGUMENT")),
        fault("INVALID_ARGUMENT", fields("message.token", "message.data"), fcm("INVALID_ARGUMENT")),
        fault("INVALID_ARGUMENT", fields("message.android.ttl"), message=INVALID_TOKEN),
        fault("INVALID_ARGUMENT", fcm("INVALID_ARGUMENT"), message="Android message is too big"),
        fault("INVALID_ARGUMENT", fcm("INVALID_ARGUMENT"), message="Recipient of the message is not set."),
        fault("INVALID_ARGUMENT", message=INVALID_TOKEN),
        fault("INVALID_ARGUMENT"),
    ],
)
def test_any_other_invalid_argument_is_our_own_bug_and_keeps_the_token(body: object) -> None:
    assert judged(400, body) == Refused("INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "body",
    [None, b"", b"It works!", b"\xff\xfe", b"[1]", b'"x"', b"[" * 100_000, {}, {"name": 1}, {"error": {}}],
)
@pytest.mark.parametrize("status", [200, 400])
def test_garbage_is_worth_another_try(status: int, body: object) -> None:
    assert judged(status, body) == TryAgain("BAD_ANSWER")


@pytest.mark.parametrize(
    "header, seconds",
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
    ],
)
def test_it_waits_as_told(header: str | None, seconds: float | None) -> None:
    assert judged(503, b"", header) == TryAgain("HTTP_503", seconds)
    assert judged(429, b"", header) == TryAgain("QUOTA_EXCEEDED", 60.0 if seconds is None else seconds)


def test_a_code_that_does_not_look_like_one_is_not_passed_on() -> None:
    assert judged(503, fault("Ada's token is abc")) == TryAgain("HTTP_503")


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["INVALID_ARGUMENT", INVALID_TOKEN]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "status", "message", "details", "@type", "errorCode", "fieldViolations", "field"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    status=st.integers(200, 599),
    body=_json | st.binary(max_size=20),
    retry_after=st.none() | st.text(max_size=20),
)
def test_nothing_it_could_hear_makes_it_raise(status: int, body: object, retry_after: str | None) -> None:
    reply = judged(status, body, retry_after)
    assert isinstance(reply, Delivered | TokenGone | TryAgain | Refused)
    if isinstance(reply, TryAgain) and reply.after is not None:
        assert reply.after >= 0
