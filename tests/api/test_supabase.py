"""`/rest/v1/rpc/…` byte for byte where clients depend on it: which functions, which arguments, which refusals."""

from __future__ import annotations

from typing import Any

import pytest

from peerpause.database.functions import client_function_names
from tests.api.serving import Api
from tests.cast import World


async def test_only_the_functions_of_our_migrations_can_be_called(api: Api, world: World) -> None:
    service = api.as_service()
    for name in ("pg_sleep", "set_config", "current_setting", "guard_peer_mentor", "pause_mentor", "version"):
        missing = await service.post(f"/rest/v1/rpc/{name}", json={})
        assert (missing.status_code, missing.json()["code"]) == (404, "PGRST202")
    assert {"update_mentor_status", "rpc_pause_mentor", "get_mentor_status"} <= client_function_names()


async def test_an_unknown_function_is_told_as_postgrest_does(api: Api) -> None:
    missing = await api.as_service().post("/rest/v1/rpc/get_mentor_status", json={"mentor": 1, "x": 2})
    assert missing.json() == {
        "code": "PGRST202",
        "message": "Could not find the function public.get_mentor_status(mentor, x) in the schema cache",
        "details": "Searched for the function public.get_mentor_status with parameters mentor, x, but no matches were found"
        " in the schema cache.",
        "hint": None,
    }


@pytest.mark.parametrize(
    ("function", "arguments", "status", "code"),
    [
        ("get_mentor_status", {"p_mentor_id": "no uuid"}, 400, "22P02"),
        ("get_mentor_status", {"p_mentor_id": "a\0b"}, 400, "22P05"),
        ("get_mentor_status_history", {"p_mentor_id": None, "p_limit": 0}, 400, "22023"),
        ("get_mentor_status_history", {"p_mentor_id": None, "p_limit": 10**20}, 400, "22003"),
        ("get_mentor_status", {"p_mentor_id": "00000000-0000-0000-0000-000000000000"}, 404, "PT404"),
        (
            "rpc_pause_mentor",
            {"p_mentor_id": "00000000-0000-0000-0000-000000000000", "p_reason": "x"},
            404,
            "PT404",
        ),
        ("rpc_pause_mentor", {"p_mentor_id": "ADA", "p_reason": "because"}, 400, "22023"),
        ("rpc_reactivate_mentor", {"p_mentor_id": "ADA"}, 400, "P0001"),
        ("list_chapter_mentors", {"p_chapter_id": "SOUTH"}, 403, "42501"),
        ("rpc_pause_mentor", {"p_mentor_id": "GRETA", "p_reason": "other"}, 403, "42501"),
        ("certification_watchdog", {}, 403, "42501"),
    ],
)
async def test_sqlstates_decide_the_status(
    api: Api, world: World, function: str, arguments: dict[str, Any], status: int, code: str
) -> None:
    ids = {"ADA": world.ada.mentor_id, "GRETA": world.greta.mentor_id, "SOUTH": world.south.chapter_id}
    arguments = {name: str(ids.get(value, value)) if value else value for name, value in arguments.items()}
    refused = await api.as_(world.bo).post(f"/rest/v1/rpc/{function}", json=arguments)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert set(refused.json()) == {"code", "message", "details", "hint"}
    assert refused.headers["Content-Type"].startswith("application/json")


async def test_a_visitor_is_asked_to_sign_in(api: Api, world: World) -> None:
    for function in ("get_mentor_status", "rpc_reactivate_mentor"):
        refused = await api.as_visitor().post(
            f"/rest/v1/rpc/{function}", json={"p_mentor_id": str(world.ada.mentor_id)}
        )
        assert (refused.status_code, refused.json()["code"]) == (401, "42501")
        assert refused.headers["WWW-Authenticate"] == "Bearer"


async def test_a_forged_token_is_refused_before_anything_is_asked(api: Api) -> None:
    refused = await api.with_headers(Authorization="Bearer a.b.c").post("/rest/v1/rpc/no_such", json={})
    assert (refused.status_code, refused.json()["code"]) == (401, "PGRST301")


async def test_what_changes_something_is_not_done_by_get(api: Api, world: World) -> None:
    refused = await api.as_(world.ada).get(
        "/rest/v1/rpc/rpc_pause_mentor",
        params={"p_mentor_id": str(world.ada.mentor_id), "p_reason": "travel"},
    )
    assert (refused.status_code, refused.json()["code"]) == (405, "25006")


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "PGRST102"),
        (b"\xff\xfe", "application/json", 400, "PGRST102"),
        (b"[1]", "application/json", 400, "PGRST102"),
        (b"[" * 20_000, "application/json", 400, "PGRST102"),
        (b'{"p_mentor_id": NaN}', "application/json", 400, "22P02"),
        (b'{"p_mentor_id": "\\ud800"}', "application/json", 400, "22P02"),
        (b"p_mentor_id=1", "application/x-www-form-urlencoded", 415, "PGRST107"),
        (b"x" * 300_000, "application/json", 413, "413"),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_a_body_that_is_none_is_refused(
    api: Api, world: World, content: bytes, media_type: str, status: int, code: str
) -> None:
    refused = await api.as_(world.ada).post(
        "/rest/v1/rpc/get_mentor_status", content=content, headers={"Content-Type": media_type}
    )
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_rows_can_be_chosen_and_counted(api: Api, world: World) -> None:
    bo = api.as_(world.bo)
    path = "/rest/v1/rpc/list_chapter_mentors"
    arguments = {"p_chapter_id": str(world.north.chapter_id)}
    plain = await bo.post(path, json=arguments)
    assert (len(plain.json()), plain.headers["Content-Range"]) == (2, "0-1/*")
    second = await bo.post(
        path,
        json=arguments,
        params={"select": "first_name,status", "offset": 1, "limit": 5},
        headers={"Prefer": "count=exact"},
    )
    assert second.json() == [{"first_name": "Finn", "status": "active"}]
    assert (second.headers["Content-Range"], second.headers["Preference-Applied"]) == ("1-1/2", "count=exact")
    asked = await bo.get(path, params={**arguments, "p_status": "paused"})
    assert (asked.json(), asked.headers["Content-Range"]) == ([], "*/*")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "eq.active"}, "PGRST100"),
        ({"order": "first_name"}, "PGRST100"),
        ({"limit": "-1"}, "PGRST100"),
        ({"offset": "x"}, "PGRST100"),
        ({"select": "status->x"}, "PGRST100"),
        ({"select": "no_such"}, "42703"),
    ],
)
async def test_what_is_not_offered_is_refused_and_not_ignored(
    api: Api, world: World, query: dict[str, str], code: str
) -> None:
    refused = await api.as_(world.bo).post(
        "/rest/v1/rpc/list_chapter_mentors", json={"p_chapter_id": str(world.north.chapter_id)}, params=query
    )
    assert (refused.status_code, refused.json()["code"]) == (400, code)


async def test_one_object_is_given_only_of_one_row(api: Api, world: World) -> None:
    bo = api.as_(world.bo)
    one = {"Accept": "application/vnd.pgrst.object+json"}
    status = await bo.post(
        "/rest/v1/rpc/get_mentor_status", json={"p_mentor_id": str(world.ada.mentor_id)}, headers=one
    )
    assert status.json()["mentor_id"] == str(world.ada.mentor_id)
    many = await bo.post(
        "/rest/v1/rpc/list_chapter_mentors", json={"p_chapter_id": str(world.north.chapter_id)}, headers=one
    )
    assert (many.status_code, many.json()["code"], many.json()["details"]) == (
        406,
        "PGRST116",
        "The result contains 2 rows",
    )


async def test_other_schemas_are_not_exposed(api: Api, world: World) -> None:
    refused = await api.as_(world.ada).post(
        "/rest/v1/rpc/get_mentor_status", json={}, headers={"Content-Profile": "peerpause"}
    )
    assert (refused.status_code, refused.json()["code"]) == (406, "PGRST106")


async def test_a_key_used_for_another_request_is_refused_by_postgrests_rules(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    arguments = {"p_mentor_id": str(world.ada.mentor_id), "p_idempotency_key": "k"}
    await ada.post("/rest/v1/rpc/rpc_pause_mentor", json={**arguments, "p_reason": "travel"})
    refused = await ada.post("/rest/v1/rpc/rpc_pause_mentor", json={**arguments, "p_reason": "illness"})
    assert (refused.status_code, refused.json()["code"]) == (400, "22023")


async def test_nobody_becomes_another_by_claims_in_the_arguments(api: Api, world: World) -> None:
    refused = await api.as_(world.bo).post(
        "/rest/v1/rpc/update_mentor_status",
        json={
            "p_mentor_id": str(world.ada.mentor_id),
            "p_new_status": "paused",
            "p_actor_id": str(world.ada.user_id),
            "p_reason": "other",
        },
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "42501")
