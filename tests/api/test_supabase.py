"""`/rest/v1/rpc/…` byte for byte where clients depend on it: which functions, which arguments, which refusals."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from peerpause.database.functions import client_function_names
from tests.api.serving import Api
from tests.cast import World, add_mentor, set_status
from tests.servers import Database


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
    assert second.status_code == 206
    beyond = await bo.post(path, json=arguments, params={"offset": 3}, headers={"Prefer": "count=exact"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "PGRST103")
    assert beyond.json()["details"] == "An offset of 3 was requested, but there are only 2 rows."
    asked = await bo.get(path, params={**arguments, "p_status": "paused"})
    assert (asked.json(), asked.headers["Content-Range"]) == ([], "*/*")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "active"}, "PGRST100"),
        ({"status": "resembles.active"}, "PGRST100"),
        ({"display_name": "fts.ada"}, "PGRST100"),
        ({"display_name": "match.^A"}, "PGRST100"),
        ({"status": "in.active"}, "PGRST100"),
        ({"status": "is.active"}, "PGRST100"),
        ({"no_such": "eq.1"}, "42703"),
        ({"or": "status.eq.active"}, "PGRST100"),
        ({"or": "(status.active)"}, "PGRST100"),
        ({"or": "(no_such.eq.1)"}, "42703"),
        ({"and": "(" * 20 + ")" * 20}, "PGRST100"),
        ({"or": "(" + ",".join(["status.eq.active"] * 200) + ")"}, "PGRST100"),
        ({"order": "first_name.sideways"}, "PGRST100"),
        ({"order": "no_such"}, "42703"),
        ({"order": "first_name; drop table x"}, "PGRST100"),
        ({"select": "status::text"}, "PGRST100"),
        ({"select": "chapters(name)"}, "PGRST100"),
        ({"status": "eq.asleep"}, "22P02"),
        ({"updated_at": "gt.yesterdayish"}, "22007"),
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


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"status": "eq.active"}, "Ada Finn Zoe"),
        ({"status": "neq.active"}, "Per"),
        ({"status": "not.eq.active"}, "Per"),
        ({"status": "in.(paused,inactive)"}, "Per"),
        ({"status": "in.()"}, ""),
        ({"first_name": 'in.("Ada","Z\\"oe","Zoe")'}, "Ada Zoe"),
        ({"first_name": "gt.Ada"}, "Finn Per Zoe"),
        ({"first_name": "gte.Finn", "status": "eq.active"}, "Finn Zoe"),
        ({"first_name": ["gt.Ada", "lt.Zoe"]}, "Finn Per"),
        ({"first_name": "lte.Finn"}, "Ada Finn"),
        ({"first_name": "like.*e*"}, "Per Zoe"),
        ({"first_name": "like.z%"}, ""),
        ({"first_name": "ilike.z%"}, "Zoe"),
        ({"first_name": "not.ilike.*A*"}, "Finn Per Zoe"),
        ({"pause_reason": "is.null"}, "Ada Finn Zoe"),
        ({"pause_reason": "not.is.null"}, "Per"),
        ({"pause_reason": "is.not_null"}, "Per"),
        ({"pause_reason": "isdistinct.travel"}, "Ada Finn Zoe"),
        ({"or": "(first_name.eq.Ada,status.eq.paused)"}, "Ada Per"),
        ({"or": '(first_name.like."A*",and(first_name.gt.F,first_name.lt.P))'}, "Ada Finn"),
        ({"not.or": "(first_name.eq.Ada,status.eq.paused)"}, "Finn Zoe"),
        ({"order": "first_name.desc"}, "Zoe Per Finn Ada"),
        ({"order": "pause_reason.asc.nullsfirst,first_name.desc"}, "Zoe Finn Ada Per"),
        ({"order": "pause_reason,first_name"}, "Per Ada Finn Zoe"),
        ({"order": "first_name.desc", "limit": "2", "offset": "1"}, "Per Finn"),
        ({"first_name": "eq.' or true --"}, ""),
        ({"first_name": "like.%s%(limit)s"}, ""),
    ],
    ids=str,
)
async def test_rows_are_filtered_and_sorted_as_postgrest_does(
    api: Api, world: World, database: Database, query: dict[str, Any], names: str
) -> None:
    with psycopg.connect(database.url) as connection:
        for name in ("Per", "Zoe"):
            mentor = add_mentor(connection, name, chapters=[world.north])
            if name == "Per":
                set_status(connection, mentor, "paused", reason="travel")
    arguments = {"p_chapter_id": str(world.north.chapter_id)}
    bo = api.as_(world.bo)
    posted = await bo.post("/rest/v1/rpc/list_chapter_mentors", json=arguments, params=query)
    assert " ".join(row["first_name"] for row in posted.json()) == names
    asked = await bo.get("/rest/v1/rpc/list_chapter_mentors", params={**arguments, **query})
    assert asked.json() == posted.json()


async def test_a_column_may_be_given_another_name(api: Api, world: World) -> None:
    chosen = await api.as_(world.bo).post(
        "/rest/v1/rpc/list_chapter_mentors",
        json={"p_chapter_id": str(world.north.chapter_id)},
        params={"select": "name:first_name, status", "order": "first_name"},
    )
    assert chosen.json()[0] == {"name": "Ada", "status": "active"}


async def test_a_pattern_for_what_is_no_text_is_an_operator_that_does_not_exist(
    api: Api, world: World
) -> None:
    refused = await api.as_(world.bo).post(
        "/rest/v1/rpc/list_chapter_mentors",
        json={"p_chapter_id": str(world.north.chapter_id)},
        params={"mentor_id": "like.6*"},
    )
    assert (refused.status_code, refused.json()["code"]) == (404, "42883")
    assert refused.json()["message"].startswith("operator does not exist: uuid ~~")


async def test_a_filter_on_what_a_change_answers_does_not_stop_the_change(api: Api, world: World) -> None:
    path = "/rest/v1/rpc/rpc_pause_mentor"
    arguments = {"p_mentor_id": str(world.ada.mentor_id), "p_reason": "travel"}
    bo = api.as_(world.bo)
    refused = await bo.post(path, json=arguments, params={"no_such": "eq.1"})
    assert (refused.status_code, refused.json()["code"]) == (400, "42703")
    answered = await bo.post(path, json=arguments, params={"status": "eq.active"})
    assert (answered.status_code, answered.json()) == (200, [])
    status = await bo.post("/rest/v1/rpc/get_mentor_status", json={"p_mentor_id": str(world.ada.mentor_id)})
    assert status.json()[0]["status"] == "paused"


async def test_a_single_value_has_no_columns(api: Api, world: World) -> None:
    path = "/rest/v1/rpc/rpc_cancel_scheduled_pause"
    arguments = {"p_mentor_id": str(world.ada.mentor_id)}
    ada = api.as_(world.ada)
    assert (await ada.post(path, json=arguments, params={"limit": 1})).json() is False
    refused = await ada.post(path, json=arguments, params={"status": "eq.active"})
    assert (refused.status_code, refused.json()["code"]) == (400, "42703")


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
