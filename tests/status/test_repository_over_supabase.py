"""The repository over supabase-py keeps the same contract, asks exactly what Supabase expects, and translates every refusal."""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from supabase import AsyncClient, AsyncClientOptions

from peerpause.database.session import Caller
from peerpause.errors import (
    AlreadyActive,
    AlreadyPaused,
    CertificationExpired,
    Conflict,
    DatabaseFault,
    InvalidArgument,
    InvalidTransition,
    MentorNotFound,
    PeerPauseError,
    PermissionDenied,
    Unavailable,
)
from peerpause.status.records import MentorCursor
from peerpause.status.repository import MentorStatusRepository
from peerpause.status.rules import MentorStatus
from peerpause.status.supabase import SupabaseMentorStatusRepository
from tests.servers import Database
from tests.status.contract import MentorStatusRepositoryContract, Open
from tests.status.rpc_standin import RpcStandIn, token_of

PROJECT = "https://north.supabase.example"
SECRET = "a secret that an error page quotes"
ADA, BO, CHAPTER = uuid4(), uuid4(), uuid4()
MOMENT = datetime(2026, 6, 15, 11, 0, 0, 120, tzinfo=UTC)
STATUS = {
    "mentor_id": str(ADA),
    "organisation_id": str(uuid4()),
    "display_name": "Ada Hansen",
    "first_name": "Ada",
    "status": "paused",
    "previous_status": "active",
    "changed_at": MOMENT.isoformat(),
    "changed_by": str(BO),
    "reason": "illness",
    "note": None,
    "pause_reason": "illness",
    "paused_at": MOMENT.isoformat(),
    "expected_return_on": "2026-07-01",
    "reactivated_at": None,
    "updated_at": MOMENT.isoformat(),
    "scheduled_pause_at": None,
}
ANSWER = {
    key: STATUS[key]
    for key in ("mentor_id", "status", "pause_reason", "paused_at", "reactivated_at", "updated_at")
}


class TestSupabaseMentorStatusRepository(MentorStatusRepositoryContract):
    @pytest.fixture
    async def open_as(self, database: Database) -> AsyncIterator[Open]:
        async with httpx.AsyncClient(transport=RpcStandIn(database)) as http:

            def open_as(caller: Caller) -> MentorStatusRepository:
                return SupabaseMentorStatusRepository(client=a_client(http, token_of(caller)))

            yield open_as


class Recorder:
    """Answers by a list and remembers the requests."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    @property
    def asked(self) -> list[tuple[str, dict[str, Any]]]:
        return [(request.url.path, json.loads(request.content)) for request in self.requests]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return (
            answer if isinstance(answer, httpx.Response) else httpx.Response(200, content=json.dumps(answer))
        )


def a_client(http: httpx.AsyncClient, token: str) -> AsyncClient:
    options = AsyncClientOptions(httpx_client=http, headers={"Authorization": f"Bearer {token}"})
    return AsyncClient(PROJECT, "publishable-key", options)


@asynccontextmanager
async def over(recorder: Recorder) -> AsyncIterator[MentorStatusRepository]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(recorder)) as http:
        yield SupabaseMentorStatusRepository(client=a_client(http, "adas-token"))


async def test_a_request_goes_to_the_function_with_key_and_token() -> None:
    recorder = Recorder([STATUS])
    async with over(recorder) as repository:
        await repository.fetch_mentor_status(ADA)
    (request,) = recorder.requests
    assert (request.method, str(request.url)) == ("POST", f"{PROJECT}/rest/v1/rpc/get_mentor_status")
    assert request.headers["apikey"] == "publishable-key"
    assert request.headers["authorization"] == "Bearer adas-token"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"p_mentor_id": str(ADA)}


Ask = Callable[[MentorStatusRepository], Awaitable[object]]

READ_BACK = ("/rest/v1/rpc/get_mentor_status", {"p_mentor_id": str(ADA)})


@pytest.mark.parametrize(
    "ask, function, body",
    [
        (lambda it: it.pause_mentor(ADA, "illness"), "rpc_pause_mentor", {"p_reason": "illness"}),
        (
            lambda it: it.pause_mentor(ADA, "illness", MOMENT, date(2026, 7, 1), "a note", MOMENT, "key"),
            "rpc_pause_mentor",
            {
                "p_reason": "illness",
                "p_pause_at": "2026-06-15T11:00:00.000120+00:00",
                "p_expected_return_on": "2026-07-01",
                "p_note": "a note",
                "p_expected_updated_at": "2026-06-15T11:00:00.000120+00:00",
                "p_idempotency_key": "key",
            },
        ),
        (lambda it: it.reactivate_mentor(ADA), "rpc_reactivate_mentor", {}),
        (
            lambda it: it.reactivate_mentor(ADA, "returned", MOMENT, "key"),
            "rpc_reactivate_mentor",
            {
                "p_reason": "returned",
                "p_expected_updated_at": "2026-06-15T11:00:00.000120+00:00",
                "p_idempotency_key": "key",
            },
        ),
        (
            lambda it: it.deactivate_mentor(ADA, "resigned", "bye"),
            "rpc_deactivate_mentor",
            {"p_reason": "resigned", "p_note": "bye"},
        ),
    ],
    ids=["pause", "pause, everything said", "reactivate", "reactivate, everything said", "deactivate"],
)
async def test_a_change_names_its_function_and_leaves_out_what_was_not_said(
    ask: Ask, function: str, body: dict[str, Any]
) -> None:
    recorder = Recorder([ANSWER], [STATUS])
    async with over(recorder) as repository:
        await ask(repository)
    assert recorder.asked == [(f"/rest/v1/rpc/{function}", {"p_mentor_id": str(ADA)} | body), READ_BACK]


async def test_a_named_move_says_all_four_things_even_where_they_are_null() -> None:
    recorder = Recorder({"success": True, "updated_at": MOMENT.isoformat()}, [STATUS])
    async with over(recorder) as repository:
        await repository.update_mentor_status(ADA, MentorStatus.ACTIVE, None, None)
    assert recorder.asked == [
        (
            "/rest/v1/rpc/update_mentor_status",
            {"p_mentor_id": str(ADA), "p_new_status": "active", "p_actor_id": None, "p_reason": None},
        ),
        READ_BACK,
    ]


async def test_lists_and_histories_are_asked_by_page() -> None:
    recorder = Recorder([], [], True)
    async with over(recorder) as repository:
        await repository.fetch_paused_mentors_for_chapter(
            CHAPTER, search="ad", limit=7, after=MentorCursor("Ada", ADA)
        )
        await repository.fetch_status_history(ADA, 3, MOMENT)
        await repository.cancel_scheduled_pause(ADA)
    assert recorder.asked == [
        (
            "/rest/v1/rpc/list_chapter_mentors",
            {
                "p_chapter_id": str(CHAPTER),
                "p_status": "paused",
                "p_search": "ad",
                "p_limit": 7,
                "p_after_name": "Ada",
                "p_after_id": str(ADA),
            },
        ),
        (
            "/rest/v1/rpc/get_mentor_status_history",
            {"p_mentor_id": str(ADA), "p_limit": 3, "p_before": MOMENT.isoformat()},
        ),
        ("/rest/v1/rpc/rpc_cancel_scheduled_pause", {"p_mentor_id": str(ADA)}),
    ]


async def test_an_answer_becomes_values() -> None:
    async with over(Recorder([STATUS])) as repository:
        record = await repository.fetch_mentor_status(ADA)
    assert (record.mentor_id, record.changed_by) == (ADA, BO)
    assert (record.updated_at, record.expected_return_on) == (MOMENT, date(2026, 7, 1))


@pytest.mark.parametrize(
    "ask, nothing",
    [
        (lambda it: it.pause_mentor(ADA, "illness"), []),
        (lambda it: it.reactivate_mentor(ADA), []),
        (lambda it: it.deactivate_mentor(ADA, "resigned"), []),
        (lambda it: it.update_mentor_status(ADA, MentorStatus.PAUSED, BO, "other"), None),
    ],
    ids=["pause", "reactivate", "deactivate", "update"],
)
async def test_no_row_is_a_conflict(ask: Ask, nothing: object) -> None:
    async with over(Recorder(nothing)) as repository:
        with pytest.raises(Conflict) as caught:
            await ask(repository)
    assert not isinstance(caught.value, InvalidTransition)


def refusal(
    code: str | None, message: str = "said so", details: object = None, hint: str | None = None
) -> httpx.Response:
    return httpx.Response(400, json={"code": code, "message": message, "details": details, "hint": hint})


def moved(from_: str, to: str) -> str:
    return json.dumps({"from": from_, "to": to, "allowed": []})


@pytest.mark.parametrize(
    "answer, kind",
    [
        (refusal("P0001", details=moved("paused", "paused")), AlreadyPaused),
        (refusal("P0001", details=moved("active", "active")), AlreadyActive),
        (refusal("P0001", details=moved("paused", "inactive")), InvalidTransition),
        (refusal("P0001", details={"from": "paused", "to": "paused", "allowed": []}), AlreadyPaused),
        (refusal("P0001", hint="certification_expired"), CertificationExpired),
        (refusal("PT404"), MentorNotFound),
        (refusal("42501"), PermissionDenied),
        (refusal("22023"), InvalidArgument),
        (refusal("22P02"), InvalidArgument),
        (refusal("55P03"), Unavailable),
        (refusal("40001"), Unavailable),
        (refusal("57P01"), Unavailable),
        (refusal("53300"), Unavailable),
        (refusal("PGRST001"), Unavailable),
        (refusal("PGRST301"), PermissionDenied),
        (refusal("PGRST202"), DatabaseFault),
        (refusal("23505", SECRET, SECRET, SECRET), DatabaseFault),
        (refusal(None, SECRET), DatabaseFault),
        (httpx.Response(503, text=SECRET), Unavailable),
        (httpx.Response(502, text=SECRET), Unavailable),
        (httpx.Response(429, text=SECRET), Unavailable),
        (httpx.Response(401, text=SECRET), PermissionDenied),
        (httpx.Response(500, text=SECRET), DatabaseFault),
        (httpx.ConnectError(SECRET), Unavailable),
        (httpx.ReadTimeout(SECRET), Unavailable),
        ([{"mentor_id": SECRET}], DatabaseFault),
        ([STATUS | {"status": SECRET}], DatabaseFault),
        ([], DatabaseFault),
        (SECRET, DatabaseFault),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
async def test_every_refusal_becomes_the_error_it_is_everywhere(
    answer: object, kind: type[PeerPauseError]
) -> None:
    async with over(Recorder(answer)) as repository:
        with pytest.raises(PeerPauseError) as caught:
            await repository.fetch_mentor_status(ADA)
    assert type(caught.value) is kind
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in f"{caught.value.detail} {caught.value.hint}"


async def test_a_change_between_change_and_answer_does_not_alter_the_answer() -> None:
    later = datetime(2026, 6, 15, 11, 5, tzinfo=UTC).isoformat()
    moved_on = STATUS | {"status": "active", "previous_status": "paused", "paused_at": None, "reason": None}
    moved_on |= {
        "changed_at": later,
        "updated_at": later,
        "reactivated_at": later,
        "expected_return_on": None,
    }
    entry = {
        "id": str(UUID(int=1)),
        "mentor_id": str(ADA),
        "previous_status": "active",
        "new_status": "paused",
        "changed_by": str(BO),
        "changed_at": MOMENT.isoformat(),
        "reason": "illness",
        "note": None,
        "expected_return_on": "2026-07-01",
        "certification_expires_at": None,
        "job_run_id": None,
    }
    recorder = Recorder([STATUS], [ANSWER], [moved_on], [entry])
    async with over(recorder) as repository:
        as_it_was = await repository.fetch_mentor_status(ADA)
        assert await repository.pause_mentor(ADA, "illness") == as_it_was
    assert recorder.asked[-1] == (
        "/rest/v1/rpc/get_mentor_status_history",
        {"p_mentor_id": str(ADA), "p_limit": 1, "p_before": "2026-06-15T11:00:00.000121+00:00"},
    )
