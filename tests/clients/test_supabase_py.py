"""The real supabase-py against our server: the repository over it keeps the very contract that the PostgreSQL one keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError
from supabase import AsyncClient, AsyncClientOptions
from supabase_functions.errors import FunctionsHttpError

from peerpause.database.session import Caller, Service
from peerpause.status.repository import MentorStatusRepository
from peerpause.status.supabase import SupabaseMentorStatusRepository
from tests.api.serving import SERVICE_KEY, Api, role_key, serving, token
from tests.cast import Person, World, build_world
from tests.servers import Database
from tests.status.contract import MentorStatusRepositoryContract, Open


def client_of(api: Api, key: str, *, signed_in: str | None = None) -> AsyncClient:
    """A client as an app makes it: with the project's key, and the access token of whoever has signed in."""
    http = httpx.AsyncClient(timeout=30)
    api.clients.append(http)
    headers = {"Authorization": f"Bearer {signed_in}"} if signed_in else {}
    return AsyncClient(api.url, key, AsyncClientOptions(httpx_client=http, headers=headers))


class TestSupabaseMentorStatusRepository(MentorStatusRepositoryContract):
    @pytest.fixture
    async def open_as(self, database: Database, world: World) -> AsyncIterator[Open]:
        async with serving(database) as api:
            people = {value.user_id: value for value in vars_of(world) if isinstance(value, Person)}

            def open_as(caller: Caller) -> MentorStatusRepository:
                if isinstance(caller, Service):
                    return SupabaseMentorStatusRepository(client=client_of(api, SERVICE_KEY))
                signed_in = None if caller.user_id is None else token(people[caller.user_id])
                return SupabaseMentorStatusRepository(
                    client=client_of(api, role_key("anon"), signed_in=signed_in)
                )

            yield open_as


def vars_of(world: World) -> list[object]:
    return [getattr(world, name) for name in world.__slots__]


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


@pytest.fixture
async def api(database: Database, world: World) -> AsyncIterator[Api]:
    async with serving(database) as api:
        yield api


async def called(client: AsyncClient, function: str, arguments: dict[str, object]) -> Any:
    return (await client.rpc(function, arguments).execute()).data


async def invoked(client: AsyncClient, function: str, **options: object) -> Any:
    return await client.functions.invoke(function, {**options, "responseType": "json"})


async def test_the_contracts_call_answers_json_and_null_on_a_conflict(api: Api, world: World) -> None:
    bo = client_of(api, role_key("anon"), signed_in=token(world.bo))
    arguments: dict[str, object] = {
        "p_mentor_id": str(world.ada.mentor_id),
        "p_new_status": "paused",
        "p_actor_id": str(world.bo.user_id),
        "p_reason": "other",
    }
    answer = await called(bo, "update_mentor_status", arguments)
    assert answer["success"] is True
    assert (answer["old_status"], answer["new_status"]) == ("active", "paused")
    stale = {**arguments, "p_new_status": "active", "p_expected_updated_at": "2020-01-01T00:00:00+00:00"}
    assert await called(bo, "update_mentor_status", stale) is None


async def test_an_error_reaches_the_client_with_all_four_parts(api: Api, world: World) -> None:
    bo = client_of(api, role_key("anon"), signed_in=token(world.bo))
    arguments = {"p_mentor_id": str(world.ada.mentor_id), "p_reason": "other"}
    await bo.rpc("rpc_pause_mentor", arguments).execute()
    with pytest.raises(APIError) as caught:
        await bo.rpc("rpc_pause_mentor", arguments).execute()
    error = caught.value
    assert (error.code, error.message) == ("P0001", "invalid status transition: paused -> paused")
    assert error.details is not None
    assert '"allowed"' in error.details


async def test_a_read_may_be_asked_for_with_get_and_as_one_object(api: Api, world: World) -> None:
    ada = client_of(api, role_key("anon"), signed_in=token(world.ada))
    arguments = {"p_mentor_id": str(world.ada.mentor_id)}
    answer: Any = await ada.rpc("get_mentor_status", arguments, get=True).execute()
    assert answer.data[0]["status"] == "active"
    counted = await ada.rpc("get_mentor_status", arguments, count="exact").execute()  # type: ignore[arg-type]  # the library's enum takes the word
    assert counted.count == 1


async def test_rows_are_filtered_sorted_and_cut_as_the_library_asks(api: Api, world: World) -> None:
    bo = client_of(api, role_key("anon"), signed_in=token(world.bo))
    chapter = {"p_chapter_id": str(world.north.chapter_id)}

    def listed() -> Any:
        return bo.rpc("list_chapter_mentors", chapter)

    paged = await listed().eq("status", "active").order("first_name", desc=True).limit(1).execute()
    assert [row["first_name"] for row in paged.data] == ["Finn"]
    chosen = await listed().in_("first_name", ["Ada", "Greta"]).ilike("display_name", "%HANSEN").execute()
    assert [row["first_name"] for row in chosen.data] == ["Ada"]
    without = await listed().is_("pause_reason", "null").neq("first_name", "Ada").execute()
    assert [row["first_name"] for row in without.data] == ["Finn"]
    either = await listed().or_("first_name.eq.Ada,status.eq.paused").execute()
    assert [row["first_name"] for row in either.data] == ["Ada"]
    with pytest.raises(APIError) as caught:
        await listed().eq("shoe_size", "42").execute()
    assert caught.value.code == "42703"


async def test_functions_are_invoked_with_the_service_key_only(api: Api, world: World) -> None:
    service = client_of(api, SERVICE_KEY)
    message = {"tokens": ["a-token"], "notification": {"title": "Hei"}, "data": {"mentors": 2}}
    sent = await invoked(service, "send-push-notifications", body=message)
    assert sent["results"] == [
        {
            "token": "a-token",
            "success": False,
            "message_id": None,
            "error": "not_configured",
            "retired": False,
        }
    ]
    ran = await invoked(service, "certification-expiry-job")
    assert (ran["status"], ran["paused"]) == ("succeeded", 0)

    ada = client_of(api, role_key("anon"), signed_in=token(world.ada))
    with pytest.raises(FunctionsHttpError) as caught:
        await invoked(ada, "certification-expiry-job")
    assert (caught.value.status, caught.value.message) == (
        401,
        "This is for servers that hold the service key.",
    )
