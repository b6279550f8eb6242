"""What every answer has in common: ids, headers, limits, and a form for each refusal."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from peerpause.api.docs_page import error_kinds
from peerpause.api.manners import LARGEST_BODY
from peerpause.auth.tokens import issue_token
from tests.api.serving import SECRET, Api, serving
from tests.cast import World
from tests.servers import Database


async def test_every_answer_carries_its_id_and_the_security_headers(api: Api) -> None:
    for path in ("/healthz", "/v1/notifications", "/nowhere"):
        answer = await api.as_visitor().get(path)
        assert len(answer.headers["X-Request-Id"]) == 32
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Server" not in answer.headers


async def test_a_callers_own_id_is_kept_if_it_is_plain(api: Api) -> None:
    given = await api.as_visitor().get("/healthz", headers={"X-Request-Id": "trace-1.2_3"})
    assert given.headers["X-Request-Id"] == "trace-1.2_3"
    odd = await api.as_visitor().get("/healthz", headers={"X-Request-Id": "a b<script>"})
    assert odd.headers["X-Request-Id"] != "a b<script>"


async def test_the_id_stands_in_the_log_line(
    api: Api, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await api.as_visitor().get("/healthz", headers={"X-Request-Id": "find-me"})
    said = capsys.readouterr()
    assert "find-me" in said.out + said.err + caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("PATCH", "/v1/notifications", 405, "method_not_allowed"),
        ("GET", "/v1/mentors/no-uuid/status", 400, "invalid_argument"),
        ("GET", "/v1/mentors/%00/status", 400, "invalid_argument"),
        ("GET", "/v1/notifications?limit=0", 400, "invalid_argument"),
        ("GET", "/v1/notifications?limit=many", 400, "invalid_argument"),
    ],
)
async def test_refusals_are_problem_details(
    api: Api, world: World, method: str, path: str, status: int, code: str
) -> None:
    refused = await api.as_(world.bo).request(method, path)
    problem = refused.json()
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["detail"]
    assert problem["title"]
    assert problem["type"] == f"/docs#{code}"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"{", "application/json"),
        (b"\xff\xfe\x00", "application/json"),
        (b"[" * 50_000, "application/json"),
        (b'"text"', "application/json"),
        (b"reason=other", "text/plain"),
        (b"", "application/json"),
    ],
    ids=["cut short", "not utf-8", "deep", "no object", "wrong type", "empty"],
)
async def test_a_body_that_is_none_is_refused_in_words(
    api: Api, world: World, content: bytes, media_type: str
) -> None:
    refused = await api.as_(world.ada).post(
        f"/v1/mentors/{world.ada.mentor_id}/pause", content=content, headers={"Content-Type": media_type}
    )
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")
    assert refused.json()["code"] in {"malformed_request", "invalid_argument"}


async def test_too_much_is_refused_before_it_is_read(api: Api, world: World) -> None:
    path = f"/v1/mentors/{world.ada.mentor_id}/pause"
    refused = await api.as_(world.ada).post(path, content=b"x" * (LARGEST_BODY + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")

    async def endless() -> Any:
        for _ in range(LARGEST_BODY // 1000 + 10):
            yield b"x" * 1000

    streamed = await api.as_(world.ada).post(path, content=endless())
    assert (streamed.status_code, streamed.json()["code"]) == (413, "too_large")


async def test_a_forged_sign_in_is_refused_everywhere(api: Api, world: World) -> None:
    forged = api.with_headers(Authorization="Bearer a.b.c")
    for path in ("/v1/notifications", f"/v1/mentors/{world.ada.mentor_id}/status", "/v1/events"):
        refused = await forged.get(path)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
        assert refused.headers["WWW-Authenticate"] == "Bearer"


async def test_haste_is_told_when_to_come_back(database: Database, world: World) -> None:
    async with serving(database, changes_per_minute=2) as api:
        ada = api.as_(world.ada)
        path = f"/v1/mentors/{world.ada.mentor_id}/planned-pause"
        first = await ada.delete(path)
        assert first.headers["RateLimit-Policy"] == '"changes";q=2;w=60'
        assert first.headers["RateLimit"].startswith('"changes";r=1;t=')
        assert [(await ada.delete(path)).status_code for _ in range(2)] == [200, 429]
        refused = await ada.delete(path)
        assert refused.headers["RateLimit"].startswith('"changes";r=0;t=')
        assert (refused.json()["code"], int(refused.headers["Retry-After"]) <= 30) == (
            "too_many_requests",
            True,
        )
        rpc = await ada.post(
            "/rest/v1/rpc/rpc_cancel_scheduled_pause", json={"p_mentor_id": str(world.ada.mentor_id)}
        )
        assert (rpc.status_code, rpc.json()["code"]) == (429, "429")
        # Reading is not limited, and others are not held back.
        assert (await ada.get(f"/v1/mentors/{world.ada.mentor_id}/status")).status_code == 200
        assert (await api.as_(world.bo).delete(path)).status_code == 200


async def test_two_processes_share_one_limit(database: Database, world: World) -> None:
    path = f"/v1/mentors/{world.ada.mentor_id}/planned-pause"
    async with (
        serving(database, changes_per_minute=4) as one,
        serving(database, changes_per_minute=4) as another,
    ):
        asked = [await (one if turn % 2 else another).as_(world.ada).delete(path) for turn in range(8)]
    assert sum(answer.status_code == 200 for answer in asked) == 4
    assert sum(answer.status_code == 429 for answer in asked) == 4


async def test_whoever_guesses_at_credentials_is_made_to_wait(database: Database, world: World) -> None:
    async with serving(database, sign_ins_per_minute=3) as api:
        guesses = [api.with_headers(Authorization=f"Bearer a.b.{guess}") for guess in range(5)]
        answers = [await guess.get("/v1/notifications") for guess in guesses]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert int(answers[-1].headers["Retry-After"]) <= 20
        # The same address goes on with credentials that are good, or that merely have expired.
        assert (await api.as_(world.bo).get("/v1/notifications")).status_code == 200
        expired = issue_token(secret=SECRET, sub=world.bo.user_id, expires_in=timedelta(hours=-1))
        old = await api.with_headers(Authorization=f"Bearer {expired}").get("/v1/notifications")
        assert (old.status_code, old.json()["code"]) == (401, "token_expired")


async def test_other_origins_may_call_only_if_they_are_named(database: Database, world: World) -> None:
    preflight = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
    async with serving(database) as api:
        closed = await api.as_visitor().options("/v1/notifications", headers=preflight)
        assert "access-control-allow-origin" not in closed.headers
    async with serving(database, cors_origins="https://app.example.org, https://b.example.org") as api:
        opened = await api.as_visitor().options("/v1/notifications", headers=preflight)
        assert opened.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
        foreign = await api.as_visitor().get("/healthz", headers={"Origin": "https://evil.example.org"})
        assert "access-control-allow-origin" not in foreign.headers


async def test_only_a_site_served_by_https_insists_on_it(database: Database, world: World) -> None:
    async with serving(database) as api:
        assert "strict-transport-security" not in (await api.as_visitor().get("/healthz")).headers
    async with serving(database, public_url="https://peerpause.example.org") as api:
        assert "strict-transport-security" in (await api.as_visitor().get("/healthz")).headers


async def test_the_description_is_complete(api: Api) -> None:
    description = (await api.as_visitor().get("/openapi.json")).json()
    assert description["openapi"].startswith("3.1")
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            if (
                path.startswith(("/v1", "/functions"))
                and method in ("post", "put")
                and "requestBody" in operation
            ):
                assert "example" in json.dumps(resolved(operation["requestBody"], description)), (
                    method,
                    path,
                )
            refusals = {status for status in operation["responses"] if status[0] in "45"}
            assert refusals, (method, path)
            assert "HTTPValidationError" not in json.dumps(operation)


async def test_the_page_for_people_loads_nothing_and_names_every_refusal(api: Api) -> None:
    page = (await api.as_visitor().get("/docs")).text
    assert "<script" not in page
    assert "src=" not in page
    assert "@import" not in page
    for kind in error_kinds():
        assert f'id="{kind.code}"' in page
    assert len(error_kinds()) > 10


async def test_a_fault_of_ours_says_nothing_of_what_happened(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("Ada Hansen's secret")

    monkeypatch.setattr("peerpause.status.service.MentorStatusService.get_mentor_status", broken)
    answer = await api.as_(world.ada).get(f"/v1/mentors/{world.ada.mentor_id}/status")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "Hansen" not in answer.text
    assert answer.headers["X-Request-Id"]


async def test_a_database_away_is_told_as_such_and_comes_back(world: World, database: Database) -> None:
    async with serving(database) as api:
        ada = api.as_(world.ada)
        path = f"/v1/mentors/{world.ada.mentor_id}/status"
        assert (await ada.get(path)).status_code == 200
        with psycopg.connect(database.server.url(), autocommit=True) as connection:
            connection.execute(f'alter database "{database.name}" allow_connections false')
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (database.name,)
            )
            # At once, for each waits some seconds for the database to come back.
            away, rest, ready = await asyncio.gather(
                ada.get(path),
                ada.post("/rest/v1/rpc/get_mentor_status", json={"p_mentor_id": str(world.ada.mentor_id)}),
                api.as_visitor().get("/readyz"),
            )
            assert (away.status_code, away.json()["code"], away.headers["Retry-After"]) == (
                503,
                "unavailable",
                "2",
            )
            assert (rest.status_code, rest.json()["code"]) == (503, "PGRST001")
            assert (ready.status_code, ready.json()["database"]) == (503, "away")
            assert (await api.as_visitor().get("/healthz")).status_code == 200
            connection.execute(f'alter database "{database.name}" allow_connections true')
        while (await ada.get(path)).status_code == 503:  # noqa: ASYNC110  nobody tells when it is back
            await asyncio.sleep(0.1)
        assert (await api.as_visitor().get("/readyz")).json()["ready"] is True


def resolved(part: Any, description: dict[str, Any]) -> Any:
    """The part with its references put in."""
    match part:
        case {"$ref": str(reference)}:
            return resolved(description["components"]["schemas"][reference.rpartition("/")[2]], description)
        case dict():
            return {key: resolved(value, description) for key, value in part.items()}
        case list():
            return [resolved(value, description) for value in part]
        case _:
            return part
