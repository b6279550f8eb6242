"""API, worker and jobs together against a model: whatever people do in whatever order, the database says what the model says.

Hypothesis chooses what happens next: pauses, returns, resignations, renewals, checks of certificates, plain SQL, requests sent twice, people
who may not, and a clock that jumps. After each step status and history are compared; in the end everybody must have been told, once.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from psycopg.rows import dict_row

from peerpause.worker.schema import ensure_schema
from tests.api.serving import SERVICE_KEY, token
from tests.cast import (
    Chapter,
    Mentor,
    Person,
    World,
    add_chapter,
    add_coordinator,
    add_mentor,
    build_world,
    require_certificate,
)
from tests.certifications.time_travel import LONG_AGO, certify, move_clock, today_in
from tests.reliability.invariants import holds_in_the_end
from tests.reliability.serving import served
from tests.servers import Database

_MINUTES = float(os.environ.get("PEERPAUSE_TORTURE", "0"))
_VALID_FOR = 30
REFUSED = (400, 409)
mentors = st.integers(min_value=0, max_value=1)


@dataclass(slots=True)
class Expected:
    """What the model says of a mentor."""

    status: str = "active"
    reason: str | None = None
    expires_on: date = LONG_AGO


class Organisation(RuleBasedStateMachine):
    """One chapter with two mentors and a coordinator; new ones for each example, in a database that all share."""

    url: ClassVar[str]
    database: ClassVar[Database]
    world: ClassVar[World]
    changes: ClassVar[Counter[UUID]] = Counter()

    @initialize()
    def begin(self) -> None:
        self.owner = psycopg.connect(self.database.url, autocommit=True, row_factory=dict_row)
        self.client = httpx.Client(base_url=self.url, timeout=60)
        move_clock(self.owner, timedelta())
        self.today = today_in(self.owner)
        self.chapter: Chapter = add_chapter(self.owner, self.world.organisation_id, f"chapter {uuid4()}")
        self.coordinator: Person = add_coordinator(self.owner, "Kim", chapters=[self.chapter])
        self.people: list[Mentor] = [add_mentor(self.owner, name, chapters=[self.chapter]) for name in "AB"]
        self.expected = [Expected(expires_on=self.today + timedelta(days=_VALID_FOR)) for _ in self.people]
        for mentor, expected in zip(self.people, self.expected, strict=True):
            certify(self.owner, mentor, expected.expires_on)

    def teardown(self) -> None:
        if hasattr(self, "owner"):
            self.owner.close()
            self.client.close()

    @rule(number=mentors, by_coordinator=st.booleans(), twice=st.booleans())
    def pause(self, number: int, by_coordinator: bool, twice: bool) -> None:
        answer = self.send(
            number, "pause", {"reason": "travel"}, self.actor(number, by_coordinator), twice=twice
        )
        expected = self.expected[number]
        if expected.status == "active":
            assert answer.status_code == 200
            self.becomes(number, "paused", "travel")
        else:
            assert answer.status_code in REFUSED

    @rule(number=mentors, by_coordinator=st.booleans(), twice=st.booleans())
    def come_back(self, number: int, by_coordinator: bool, twice: bool) -> None:
        answer = self.send(number, "reactivate", {}, self.actor(number, by_coordinator), twice=twice)
        if self.expected[number].status == "paused" and not self.is_lapsed(number):
            assert answer.status_code == 200
            self.becomes(number, "active", None)
        else:
            assert answer.status_code in REFUSED

    @rule(number=mentors)
    def resign(self, number: int) -> None:
        before = self.expected[number].status
        answer = self.send(number, "deactivate", {"reason": "resigned"}, self.people[number])
        if before == "inactive":
            assert answer.status_code in REFUSED
            return
        assert answer.status_code == 200
        if before == "paused":
            self.becomes(number, "active", None)  # both legal steps, each with its history
        self.becomes(number, "inactive", None)

    @rule(number=mentors, move=st.sampled_from(["pause", "reactivate", "deactivate"]))
    def somebody_else_tries(self, number: int, move: str) -> None:
        for stranger in (self.world.eva, self.people[1 - number]):
            body = {} if move == "reactivate" else {"reason": "other"}
            assert self.send(number, move, body, stranger).status_code in (403, 404)

    @rule(number=mentors)
    def somebody_was_faster(self, number: int) -> None:
        stale = {"If-Match": '"2001-01-01T00:00:00+00:00"'}
        answer = self.send(number, "pause", {"reason": "travel"}, self.people[number], headers=stale)
        assert answer.status_code in (409, 412)

    @rule(number=mentors)
    def plain_sql(self, number: int) -> None:
        statement = "update public.peer_mentors set status = 'paused', pause_reason = 'other' where id = %s"
        mentor_id = self.people[number].mentor_id
        match self.expected[number].status:
            case "active":
                self.owner.execute(statement, (mentor_id,))
                self.becomes(number, "paused", "other")
            case "inactive":
                with pytest.raises(psycopg.Error):
                    self.owner.execute(statement, (mentor_id,))
            case _:
                pass  # facts of a running pause are not the model's concern

    @rule()
    def certificates_are_checked(self) -> None:
        answer = self.client.post(
            "/v1/expiry-runs",
            json={"chapter_ids": [str(self.chapter.chapter_id)]},
            headers={"Authorization": f"Bearer {SERVICE_KEY}"},
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        for number, expected in enumerate(self.expected):
            if expected.status == "active" and self.is_lapsed(number):
                self.becomes(number, "paused", "certification_expired")

    @rule(number=mentors)
    def a_certificate_is_renewed(self, number: int) -> None:
        expected = self.expected[number]
        until = self.today + timedelta(days=_VALID_FOR)
        answer = self.client.post(
            f"/v1/certifications/{self.people[number].mentor_id}/renewals",
            json={"issued_on": self.today.isoformat(), "expires_on": until.isoformat()},
            headers={"Authorization": f"Bearer {token(self.coordinator)}"},
        )
        if expected.status == "inactive":
            assert answer.status_code in (201, *REFUSED), answer.text
            return
        assert answer.status_code == 201, answer.text
        expected.expires_on = max(until, expected.expires_on)
        if expected.reason == "certification_expired":
            self.becomes(number, "active", None)

    @rule(days=st.sampled_from([0, _VALID_FOR, _VALID_FOR + 1, 2 * _VALID_FOR + 1]))
    def the_clock_jumps(self, days: int) -> None:
        move_clock(self.owner, timedelta(days=days))
        self.today = today_in(self.owner)

    @invariant()
    def the_database_says_the_same(self) -> None:
        if not hasattr(self, "owner"):
            return
        for mentor, expected in zip(self.people, self.expected, strict=True):
            row = self.owner.execute(
                "select p.status::text, p.pause_reason, (select count(*) from public.peer_mentor_status_history as h"
                " where h.mentor_id = p.id and h.previous_status is not null) as changes"
                " from public.peer_mentors as p where p.id = %s",
                (mentor.mentor_id,),
            ).fetchone()
            assert row == {
                "status": expected.status,
                "pause_reason": expected.reason,
                "changes": self.changes[mentor.mentor_id],
            }

    def actor(self, number: int, by_coordinator: bool) -> Person:
        return self.coordinator if by_coordinator else self.people[number]

    def is_lapsed(self, number: int) -> bool:
        return self.expected[number].expires_on < self.today

    def becomes(self, number: int, status: str, reason: str | None) -> None:
        self.expected[number].status, self.expected[number].reason = status, reason
        self.changes[self.people[number].mentor_id] += 1

    def send(
        self,
        number: int,
        move: str,
        body: dict[str, Any],
        actor: Person,
        *,
        twice: bool = False,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send it, or as somebody does who did not hear the answer, twice with the same key."""
        sent = {
            "Authorization": f"Bearer {token(actor)}",
            "Idempotency-Key": str(uuid4()),
            **(headers or {}),
        }
        path = f"/v1/mentors/{self.people[number].mentor_id}/{move}"
        first = self.client.post(path, json=body, headers=sent)
        if twice:
            second = self.client.post(path, json=body, headers=sent)
            assert (second.status_code, second.json()) == (first.status_code, first.json())
        return first


@pytest.mark.timeout(600 + _MINUTES * 120)
async def test_whatever_people_do_the_database_and_the_model_agree(database: Database) -> None:
    await ensure_schema(database.url)
    world = build_world(database.url)
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        for mentor in (world.ada, world.finn):
            certify(connection, mentor, None)
    settings = hypothesis.settings(
        max_examples=10 + round(40 * _MINUTES),
        stateful_step_count=20,
        deadline=None,
        derandomize=_MINUTES == 0,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    async with served(database) as (_, url):
        bound = {"url": url, "database": database, "world": world, "changes": Counter[UUID]()}
        machine = type("BoundOrganisation", (Organisation,), bound)
        await asyncio.to_thread(run_state_machine_as_test, machine, settings=settings)
        changes = bound["changes"]
        assert isinstance(changes, Counter)
        await holds_in_the_end(database.url, changes)
