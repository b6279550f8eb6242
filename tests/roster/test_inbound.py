"""Renewed certificates from an organisation's own system: signed by nobody else, taken once, wholly or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from peerpause.database.session import Claims, Sessions
from peerpause.roster.endpoints import WebhookEndpoints
from peerpause.roster.inbound import MOST_BYTES, MOST_UPDATES
from tests.cast import World, add_certificate, require_certificate, set_status
from tests.certifications.time_travel import LONG_AGO, today_in
from tests.database.acting import Session, count, status_of
from tests.roster.test_webhooks import AnyAddress


@dataclass(slots=True)
class OtherSystem:
    """The membership system of Ada's organisation, which signs what it sends."""

    http: httpx.AsyncClient
    organisation_id: UUID
    secret: str

    async def send(
        self,
        body: object,
        *,
        message_id: str | None = None,
        sent_at: datetime | None = None,
        secret: str | None = None,
        to: UUID | str | None = None,
        tampered: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        message_id, sent_at = message_id or str(uuid4()), sent_at or datetime.now(UTC)
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": Webhook(secret or self.secret).sign(message_id, sent_at, text),
        }
        return await self.http.post(
            f"/webhooks/certifications/{to or self.organisation_id}",
            content=tampered if tampered is not None else text.encode(),
            headers={"content-type": "application/json", **signed, **(headers or {})},
        )


@pytest.fixture
async def system(http: httpx.AsyncClient, sessions: Sessions, world: World, owner: Session) -> OtherSystem:
    """Ada is number 17 and Finn number 18 of their organisation; Greta is number 17 of hers."""
    for mentor, number in ((world.ada, "17"), (world.finn, "18"), (world.greta, "17")):
        owner.execute(
            "update public.peer_mentors set external_id = %s where id = %s", (number, mentor.mentor_id)
        )
    require_certificate(owner, world.organisation_id)
    endpoints = WebhookEndpoints(sessions=sessions, addresses=AnyAddress())
    secret = await endpoints.rotate_inbound_secret(Claims(world.dag.user_id), world.organisation_id)
    return OtherSystem(http, world.organisation_id, secret)


def renewed(owner: Session, *numbers: str, **changed: object) -> dict[str, Any]:
    """A message that reports renewals until a year from now."""
    today = today_in(owner)
    update = {"issued_on": str(today), "expires_on": str(today + timedelta(days=365)), **changed}
    return {
        "type": "certification.renewed",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {"updates": [{"mentor": number, **update} for number in numbers]},
    }


def certificates(owner: Session) -> int:
    return count(owner, "select count(*) from public.certifications")


async def test_renewals_are_recorded_for_the_organisations_own_mentors(
    system: OtherSystem, world: World, owner: Session
) -> None:
    answer = await system.send(renewed(owner, "17", "18", note="course 2026"))
    assert answer.status_code == 200
    assert answer.json() == {"recorded": 2, "repeated": False}
    rows = owner.execute("select mentor_id, kind, recorded_by from public.certifications").fetchall()
    assert {row["mentor_id"] for row in rows} == {world.ada.mentor_id, world.finn.mentor_id}
    assert {(row["kind"], row["recorded_by"]) for row in rows} == {("peer_mentor", None)}


async def test_a_renewal_brings_a_mentor_back_who_was_paused_for_it(
    system: OtherSystem, world: World, owner: Session
) -> None:
    add_certificate(owner, world.ada, issued_on=LONG_AGO, expires_on=today_in(owner) - timedelta(days=1))
    with owner.transaction():
        set_status(owner, world.ada, "paused", reason="certification_expired")
        set_status(owner, world.finn, "paused", reason="illness")
    await system.send(renewed(owner, "17", "18"))
    assert status_of(owner, world.ada) == "active"
    assert status_of(owner, world.finn) == "paused"


async def test_a_repetition_changes_nothing_however_late(system: OtherSystem, owner: Session) -> None:
    message = renewed(owner, "17")
    assert (await system.send(message, message_id="evt-1")).json() == {"recorded": 1, "repeated": False}
    owner.execute("update peerpause.inbound_messages set received_at = received_at - interval '90 days'")
    owner.execute("delete from public.idempotency_keys")
    again = await system.send(message, message_id="evt-1")
    assert again.status_code == 200
    assert again.json() == {"recorded": 1, "repeated": True}
    assert certificates(owner) == 1


async def test_an_id_used_for_another_message_is_refused(system: OtherSystem, owner: Session) -> None:
    await system.send(renewed(owner, "17"), message_id="evt-1")
    answer = await system.send(renewed(owner, "18"), message_id="evt-1")
    assert answer.status_code == 400
    assert certificates(owner) == 1


async def test_one_unknown_mentor_undoes_the_whole_message_and_it_may_be_sent_again(
    system: OtherSystem, owner: Session
) -> None:
    answer = await system.send(renewed(owner, "17", "nobody", "18", "no one"), message_id="evt-1")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "2, 4" in answer.json()["hint"]
    assert "nobody" not in answer.text
    assert certificates(owner) == 0
    assert (await system.send(renewed(owner, "17"), message_id="evt-1")).json()["repeated"] is False


async def test_one_impossible_certificate_undoes_the_whole_message(
    system: OtherSystem, owner: Session
) -> None:
    message = renewed(owner, "17", "18")
    message["data"]["updates"][1]["expires_on"] = "2001-01-01"
    assert (await system.send(message)).status_code == 400
    assert certificates(owner) == 0
    assert count(owner, "select count(*) from peerpause.inbound_messages") == 0


STRANGER = "whsec_" + "QUJD" * 8


async def test_nobody_else_can_sign(system: OtherSystem, world: World, owner: Session) -> None:
    message = renewed(owner, "17")
    text = json.dumps(message)
    forgeries = {
        "another's secret": await system.send(message, secret=STRANGER),
        "another organisation": await system.send(message, to=world.other_organisation_id),
        "no such organisation": await system.send(message, to=uuid4()),
        "another body": await system.send(message, tampered=text.replace("17", "18").encode()),
        "one more space": await system.send(message, tampered=(text + " ").encode()),
        "an empty body": await system.send(message, tampered=b""),
        "no text": await system.send(message, tampered=b"\xff\xfe"),
        "another id": await system.send(message, headers={"webhook-id": "another"}),
        "another time": await system.send(
            message, headers={"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) + 1)}
        ),
        "no time": await system.send(message, headers={"webhook-timestamp": "nan"}),
        "an endless time": await system.send(message, headers={"webhook-timestamp": "inf"}),
        "no signature": await system.send(message, headers={"webhook-signature": ""}),
        "garbage": await system.send(message, headers={"webhook-signature": "v1"}),
        "more garbage": await system.send(message, headers={"webhook-signature": "v1,x,y v2,z"}),
        "not base64": await system.send(message, headers={"webhook-signature": "v1,!!!"}),
        "a public key's signature": await system.send(message, headers={"webhook-signature": "v1a,AAAA"}),
    }
    assert {name: answer.status_code for name, answer in forgeries.items()} == dict.fromkeys(forgeries, 401)
    # Who does not hold the secret cannot tell one from the other, nor which organisations take updates.
    assert len({answer.text for answer in forgeries.values()}) == 1
    assert certificates(owner) == 0


@pytest.mark.parametrize("minutes", [-6, 6], ids=["too old", "too new"])
async def test_a_message_from_another_time_is_refused_whoever_signed_it(
    system: OtherSystem, owner: Session, minutes: int
) -> None:
    answer = await system.send(renewed(owner, "17"), sent_at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert answer.status_code == 401
    assert certificates(owner) == 0


async def test_a_request_without_the_headers_is_refused(http: httpx.AsyncClient, world: World) -> None:
    answer = await http.post(f"/webhooks/certifications/{world.organisation_id}", json={})
    assert answer.status_code == 401
    assert (await http.post("/webhooks/certifications/17", json={})).status_code == 404


async def test_a_new_secret_leaves_the_old_one_good_for_a_day(
    system: OtherSystem, sessions: Sessions, world: World, owner: Session
) -> None:
    dag = Claims(world.dag.user_id)
    endpoints = WebhookEndpoints(sessions=sessions, addresses=AnyAddress())
    fresh = await endpoints.rotate_inbound_secret(dag, world.organisation_id)
    assert (await system.send(renewed(owner, "17"))).status_code == 200
    assert (await system.send(renewed(owner, "17"), secret=fresh)).status_code == 200
    owner.execute("update peerpause.inbound_secrets set previous_secret_until = now()")
    assert (await system.send(renewed(owner, "17"))).status_code == 401
    assert await endpoints.revoke_inbound_secret(dag, world.organisation_id)
    assert (await system.send(renewed(owner, "17"), secret=fresh)).status_code == 401


def without(message: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(message))
    place = copy
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return copy


async def test_what_does_not_have_the_form_is_refused_in_json(system: OtherSystem, owner: Session) -> None:
    good = renewed(owner, "17")
    one = good["data"]["updates"][0]
    wrong: list[object] = [
        *("", "x", "[]", "null", "1", "[" * 100_000, '{"type": NaN}'),
        *({}, without(good, "type"), without(good, "data"), {**good, "type": "certification.revoked"}),
        {**good, "more": "more words"},
        {**good, "data": {"updates": []}},
        {**good, "data": {"updates": [one] * (MOST_UPDATES + 1)}},
        *({**good, "data": {"updates": [{**one, **part}]}} for part in (
            {"mentor": ""}, {"mentor": 17}, {"mentor": None}, {"issued_on": "yesterday"}, {"issued_on": None},
            {"expires_on": "2026-02-30"}, {"note": "x" * 2001}, {"kind": ""}, {"more words": 1}, {"mentor": "1\x007"},
            {"mentor": "\ud800"},
        )),
    ]  # fmt: skip
    for body in wrong:
        answer = await system.send(body)
        assert answer.status_code == 400, body
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "invalid_argument"
    assert certificates(owner) == 0
    assert count(owner, "select count(*) from peerpause.inbound_messages") == 0


async def test_a_message_that_is_too_large_is_refused(system: OtherSystem) -> None:
    assert (await system.send("x" * (MOST_BYTES + 1))).status_code == 400


async def test_an_id_that_is_too_long_is_refused(system: OtherSystem, owner: Session) -> None:
    answer = await system.send(renewed(owner, "17"), message_id="x" * 256)
    assert answer.status_code == 400
    assert certificates(owner) == 0
