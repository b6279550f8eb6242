"""Plays what people do, in the words of tests/database/model.py, on the real database, and tells what came of it in the same words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from tests.cast import World
from tests.database import model
from tests.database.acting import Session

VALID = date.today() + timedelta(days=300)
_LAPSED = date.today() - timedelta(days=3)


class Theatre:
    """Plays each operation on the real database, in the part of the one who does it."""

    def __init__(self, stage: Session, world: World) -> None:
        self._stage = stage
        self._world = world
        self._nobody = uuid4()

    def read(self, who: str, name: str) -> str:
        return self._play(who, "select * from public.get_mentor_status(%s)", self._mentor(name))

    def history(self, who: str, name: str) -> str:
        # One row is as good as all here: the history itself is compared in `state`.
        return self._play(
            who,
            "select least(count(*), 1) as answer from public.get_mentor_status_history(%s)",
            self._mentor(name),
        )

    def certificates(self, who: str, name: str) -> str:
        return self._play(who, "select from public.certifications where mentor_id = %s", self._mentor(name))

    def list_chapter(self, who: str, chapter: str) -> str:
        return self._play(
            who, "select * from public.list_chapter_mentors(%s)", getattr(self._world, chapter).chapter_id
        )

    def roster(self, who: str, chapter: str) -> str:
        return self._play(
            who, "select * from public.public_chapter_roster(%s)", getattr(self._world, chapter).chapter_id
        )

    def pause(self, who: str, name: str, reason: str | None) -> str:
        return self._play(who, "select * from public.rpc_pause_mentor(%s, %s)", self._mentor(name), reason)

    def plan(self, who: str, name: str) -> str:
        return self._play(
            who,
            "select * from public.rpc_pause_mentor(%s, 'travel', now() + interval '9 days')",
            self._mentor(name),
        )

    def cancel(self, who: str, name: str) -> str:
        return self._play(who, "select public.rpc_cancel_scheduled_pause(%s) as answer", self._mentor(name))

    def reactivate(self, who: str, name: str) -> str:
        return self._play(who, "select * from public.rpc_reactivate_mentor(%s)", self._mentor(name))

    def deactivate(self, who: str, name: str) -> str:
        return self._play(
            who, "select * from public.rpc_deactivate_mentor(%s, 'resigned')", self._mentor(name)
        )

    def update(self, who: str, name: str, new: str, actor: str | None, reason: str | None) -> str:
        return self._play(
            who,
            "select public.update_mentor_status(%s, %s, %s, %s)",
            *(self._mentor(name), new, self._person(actor), reason),
        )

    def plain_update(self, who: str, name: str, new: str) -> str:
        self._stage.execute("""select set_config('peerpause.change', '{"reason": "other"}', true)""")
        return self._play(
            who,
            "update public.peer_mentors set status = %s::public.mentor_status,"
            " pause_reason = case when %s = 'paused' then coalesce(pause_reason, 'other') end where id = %s",
            *(new, new, self._mentor(name)),
        )

    def expire(self, who: str) -> str:
        return self._play(who, "select public.run_certification_expiry() ->> 'paused' as answer")

    def lapse(self, name: str) -> None:
        self._set_expiry(name, _LAPSED)

    def renew(self, name: str) -> None:
        self._set_expiry(name, VALID)

    def retire(self, who: str) -> None:
        self._set_active(who, active=False)

    def reinstate(self, who: str) -> None:
        self._set_active(who, active=True)

    def state(self) -> dict[str, tuple[str, list[tuple[str, str, str | None]], bool]]:
        """What the tables hold of each mentor, in the model's words."""
        names = {person_id: name for name, person_id in self._user_ids().items()}
        rows = self._stage.execute(
            "select p.id, p.status, exists ("
            "   select from public.scheduled_status_changes as s where s.mentor_id = p.id and s.settled_at is null"
            " ) as is_planned, ("
            "   select coalesce(json_agg(json_build_array(h.previous_status, h.new_status, h.changed_by) order by h.changed_at), '[]')"
            "   from public.peer_mentor_status_history as h where h.mentor_id = p.id and h.previous_status is not null"
            " ) as moves from public.peer_mentors as p"
        ).fetchall()
        by_id = {row["id"]: row for row in rows}
        return {
            name: (
                by_id[self._mentor(name)]["status"],
                [
                    (old, new, names[UUID(actor)] if actor else None)
                    for old, new, actor in by_id[self._mentor(name)]["moves"]
                ],
                by_id[self._mentor(name)]["is_planned"],
            )
            for name in model.MENTORS
        }

    def _play(self, who: str, statement: str, *arguments: object) -> str:
        """The number of rows, the one `answer`, or the SQLSTATE of the refusal."""
        role = {"visitor": "anon", "service": "service_role"}.get(who, "authenticated")
        claims: dict[str, str] = {"role": role}
        if role == "authenticated":
            claims["sub"] = str(self._person(who))
        try:
            with self._stage.transaction():
                self._stage.execute(
                    "select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),)
                )
                self._stage.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
                cursor = self._stage.execute(statement.encode(), arguments)
                answer = _answer_of(cursor)
                self._stage.execute("reset role")
        except psycopg.Error as error:
            return str(error.sqlstate)
        return answer

    def _mentor(self, name: str) -> UUID:
        mentor_id: UUID = self._nobody if name == model.NOBODY else getattr(self._world, name).mentor_id
        return mentor_id

    def _person(self, who: str | None) -> UUID | None:
        return None if who is None else self._user_ids().get(who, self._nobody)

    def _user_ids(self) -> dict[str, UUID]:
        cast = ("ada", "finn", "greta", "bo", "cy", "dag", "eva", "hal")
        return {name: getattr(self._world, name).user_id for name in cast} | {
            "stranger": self._world.stranger_id
        }

    def _set_expiry(self, name: str, last_day: date) -> None:
        self._stage.execute(
            "update public.certifications set expires_on = %s where mentor_id = %s",
            (last_day, self._mentor(name)),
        )

    def _set_active(self, who: str, *, active: bool) -> None:
        self._stage.execute(
            "update public.coordinator_roles set active = %s where user_id = %s", (active, self._person(who))
        )


def _answer_of(cursor: psycopg.Cursor[Any]) -> str:
    rows: Sequence[dict[str, Any]] = cursor.fetchall() if cursor.description else []
    if len(rows) == 1 and "answer" in rows[0]:
        return str(rows[0]["answer"])
    return str(cursor.rowcount)
