"""Who may do what, asked of a running database: every table and every function, tried as every kind of person on everybody's rows.

In one transaction that is rolled back, two organisations are made up, and as each of their people each table is read, updated and deleted from, and each
function called, once for each place that a row can be in: their own, their chapter's, another chapter's, another organisation's. Only the
rows of the made-up people are touched, so nothing that is there is locked or changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from peerpause.access.matrix import IDENTITIES, AccessMatrix, Place
from peerpause.database.session import Caller, Claims, Service
from peerpause.errors import Unavailable
from peerpause.sql import query

_Connection = psycopg.AsyncConnection[dict[str, Any]]

_NAMES: Final = {Place.SELF: "self", Place.NEAR: "peer", Place.FAR: "far", Place.AWAY: "away"}
_CHAPTERS: Final = {Place.SELF: "near", Place.NEAR: "near", Place.FAR: "far", Place.AWAY: "away"}
_ORGANISATIONS: Final = {Place.SELF: "Own", Place.NEAR: "Own", Place.FAR: "Own", Place.AWAY: "Other"}
_ASKS_AS: Final = {"mentor": "self", "coordinator": "coordinator", "admin": "admin"}
# What row security, a missing right or our own functions answer to somebody whose it is not.
_NOT_YOURS: Final = frozenset({"42501", "PT404"})
# Whose notes each of them reads, for others to see that they did; nobody's own reading is recorded.
_READERS: Final = {"coordinator": ("self", "peer"), "far-active": ("far",), "away-active": ("away",)}
_HOOK: Final = "https://example.org/hook"
_WHY: Final = "The course was moved."
_SEEN: Final = "r"
_INSERT: Final = "i"
_UPDATE: Final = "u"
_DELETE: Final = "d"
_CALL: Final = "x"


async def access_matrix(url: str) -> AccessMatrix:
    """Try everything on the database at ``url``, a login that may become `anon`, `authenticated` and `service_role`. Changes nothing.

    Raises ``Unavailable`` where the database is away.
    """
    async with _rolled_back(url) as connection:
        trial = await _Trial.begin(connection)
        found: dict[str, dict[str, dict[tuple[str, Place], str]]] = {"tables": {}, "functions": {}}
        for identity in IDENTITIES:
            await trial.become(identity.name)
            for place in identity.places:
                for table, letters in [each async for each in trial.tables(place)]:
                    found["tables"].setdefault(table, {})[identity.name, place] = letters
                for function, letters in [each async for each in trial.functions(identity.name, place)]:
                    found["functions"].setdefault(function, {})[identity.name, place] = letters
    return AccessMatrix(found["tables"], found["functions"])


class _Trial:
    """The made-up people, and one connection on which each of them tries things in turn."""

    def __init__(self, connection: _Connection, cast: Mapping[str, Mapping[str, str]]) -> None:
        self._connection = connection
        self._cast = {
            kind: {name: UUID(each) for name, each in named.items()} for kind, named in cast.items()
        }

    @classmethod
    async def begin(cls, connection: _Connection) -> _Trial:
        """Make the people up, and let everything happen to each of them that leaves rows behind."""
        await _assume(connection, Service())
        cast = await (await connection.execute(query("access_cast").encode())).fetchone()
        assert cast is not None
        trial = cls(connection, cast)
        await trial._live()
        return trial

    async def _live(self) -> None:
        mentors = [self._cast["mentors"][name] for name in _NAMES.values()]
        organisations = [self._cast["organisations"][name] for name in ("Own", "Other")]
        for mentor in mentors:
            for function, about in _life_of(mentor):
                await self._call(function, about)
        for organisation, leaver in zip(organisations, ("own-leaver", "other-leaver"), strict=True):
            await self._call("create_webhook_endpoint", {"p_organisation_id": organisation, "p_url": _HOOK})
            gone = {"p_person_id": self._cast["people"][leaver], "p_organisation_id": organisation}
            await self._call("erase_person", {**gone, "p_apply": True})
        await self._run("access_more", mentor_ids=mentors, organisation_ids=organisations)
        for place in (Place.NEAR, Place.FAR, Place.AWAY):
            role = {
                "chapter_id": str(self._cast["chapters"][_CHAPTERS[place]]),
                "person_id": str(self._cast["people"][_NAMES[place]]),
                "given": False,
            }
            await self._run(
                "own_import_record_roles",
                organisation_id=self._cast["organisations"][_ORGANISATIONS[place]],
                changed_by=None,
                roles=Jsonb([role]),
            )
        for row in await self._rows("access_history", mentor_ids=mentors):
            await self._run("fan_out_changes", at_most=1, base_url=None, history_id=row["id"])
        for reader, read in _READERS.items():
            await _assume(self._connection, Claims(self._cast["people"][reader]))
            for name in read:
                await self._call("read_mentor_notes", {"p_mentor_id": self._cast["mentors"][name]})

    async def become(self, identity: str) -> None:
        """From now on ask as somebody else."""
        person = self._cast["people"].get(_ASKS_AS.get(identity, ""))
        caller: Caller = Service() if identity == "service" else Claims(person)
        await _assume(self._connection, caller)

    async def tables(self, place: Place) -> AsyncIterator[tuple[str, str]]:
        """Each table with what can be done to the rows of that place."""
        for table in await self._rows("access_tables"):
            yield table["table_name"], await self._table(table, place)

    async def functions(self, identity: str, place: Place) -> AsyncIterator[tuple[str, str]]:
        """Each function with whether it answers about that place."""
        for function in await self._rows("access_functions"):
            name = function["function_name"]
            can = function["may_call"] and await self._answers(name, self._arguments(name, identity, place))
            yield name, _CALL if can else ""

    async def _table(self, table: Mapping[str, Any], place: Place) -> str:
        (rights,) = await self._rows("access_rights", table_name=table["table_name"])
        may_insert = _INSERT if rights["may_insert"] else ""
        if table["key_column"] is None:
            return may_insert
        names = {
            "table_name": table["table_name"],
            "key_column": table["key_column"],
            "updatable_column": rights["updatable_column"],
        }
        somebody = {"id": self._owner(table["table_name"], table["key_column"], place)}
        found = _SEEN if await self._sees(names, somebody) else ""
        found += may_insert
        if rights["updatable_column"] is not None and await self._changes("access_touch", names, somebody):
            found += _UPDATE
        if rights["may_delete"] and await self._changes("access_remove", names, somebody):
            found += _DELETE
        return found

    def _owner(self, table: str, key: str, place: Place) -> UUID:
        """Whose rows of a table are meant: the id that its key column holds for that place."""
        if key == "organisation_id" or table == "organisations":
            return self._cast["organisations"][_ORGANISATIONS[place]]
        if key == "chapter_id" or table == "chapters":
            return self._cast["chapters"][_CHAPTERS[place]]
        kind = "mentors" if key in ("mentor_id", "id") else "people"
        return self._cast[kind][_NAMES[place]]

    async def _sees(self, names: Mapping[str, str], somebody: Mapping[str, UUID]) -> bool:
        async with self._tried() as outcome:
            cursor = await self._connection.execute(_filled_in("access_see", names), somebody)
            row = await cursor.fetchone()
            outcome.is_good = row is not None and row["seen"]
        return outcome.is_good

    async def _changes(self, what: str, names: Mapping[str, str], somebody: Mapping[str, UUID]) -> bool:
        async with self._tried() as outcome:
            cursor = await self._connection.execute(_filled_in(what, names), somebody)
            outcome.is_good = cursor.rowcount > 0
        # Somebody whose row others still point at had the right to delete it.
        return outcome.is_good or outcome.sqlstate == psycopg.errors.ForeignKeyViolation.sqlstate

    async def _answers(self, function: str, arguments: Mapping[str, object] | None) -> bool:
        if arguments is None:
            return True
        async with self._tried() as outcome:
            outcome.is_good = await self._call(function, arguments) > 0
        # Whoever is refused for another reason than whose it is was let in.
        return outcome.is_good or outcome.sqlstate not in (None, *_NOT_YOURS)

    def _arguments(self, function: str, identity: str, place: Place) -> Mapping[str, object] | None:
        """What a function is called with to ask about a place; None for one that is not about any place."""
        mentor = {"p_mentor_id": self._cast["mentors"][_NAMES[place]]}
        chapter = self._cast["chapters"][_CHAPTERS[place]]
        organisation = {"p_organisation_id": self._cast["organisations"][_ORGANISATIONS[place]]}
        person = {"p_person_id": self._cast["people"][_NAMES[place]], **organisation}
        soon = date.today() + timedelta(days=40)
        match function:
            case "update_mentor_status":
                actor = self._cast["people"].get(_ASKS_AS.get(identity, ""))
                return {**mentor, "p_new_status": "active", "p_actor_id": actor, "p_reason": "returned"}
            case "rpc_pause_mentor":
                return {**mentor, "p_reason": "travel"}
            case "rpc_deactivate_mentor":
                return {**mentor, "p_reason": "resigned"}
            case "update_expected_return":
                return {**mentor, "p_expected_return_on": soon}
            case "record_renewal":
                return {**mentor, "p_issued_at": date.today(), "p_expires_at": soon}
            case "grant_certification_override":
                return {**mentor, "p_justification": _WHY, "p_valid_until": soon}
            case "update_public_profile":
                about = {"p_languages": ["nb"], "p_presentation": "Hello", "p_public_contact": None}
                return {**mentor, "p_listed": True, **about}
            case (
                "rpc_reactivate_mentor"
                | "rpc_cancel_scheduled_pause"
                | "get_mentor_status"
                | "get_mentor_status_history"
                | "read_mentor_notes"
                | "list_mentor_reads"
            ):
                return mentor
            case "list_chapter_mentors" | "public_chapter" | "public_chapter_roster":
                return {"p_chapter_id": chapter}
            case "run_certification_expiry":
                return {"p_chapter_ids": [chapter]}
            case "create_webhook_endpoint":
                return {**organisation, "p_url": _HOOK}
            case "set_retention":
                return {**organisation, **dict.fromkeys(_RETENTION, 365), "p_notes_months": 12}
            case "export_person":
                return person
            case "erase_person":
                return {**person, "p_apply": False}
            case (
                "list_erasures"
                | "get_retention"
                | "list_webhook_endpoints"
                | "rotate_inbound_secret"
                | "revoke_inbound_secret"
                | "verify_audit"
                | "export_audit"
            ):
                return organisation
            case _:
                return None

    @asynccontextmanager
    async def _tried(self) -> AsyncIterator[_Outcome]:
        """Take back whatever the block does, and note why it was refused."""
        outcome = _Outcome()
        try:
            async with self._connection.transaction(force_rollback=True):
                yield outcome
        except psycopg.Error as refusal:
            outcome.sqlstate = refusal.sqlstate

    async def _call(self, function: str, arguments: Mapping[str, object]) -> int:
        """Call a function of schema public; how many rows it answers."""
        named = sql.SQL(", ").join(
            sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments
        )
        statement = sql.SQL(query("access_call")).format(
            function_name=sql.Identifier(function), arguments=named
        )
        row = await (await self._connection.execute(statement, arguments)).fetchone()
        assert row is not None
        return int(row["found"])

    async def _run(self, what: str, **arguments: object) -> None:
        await self._connection.execute(query(what).encode(), arguments)

    async def _rows(self, what: str, **arguments: object) -> Sequence[Mapping[str, Any]]:
        return await (await self._connection.execute(query(what).encode(), arguments)).fetchall()


def _life_of(mentor: UUID) -> Iterator[tuple[str, Mapping[str, object]]]:
    """What happens to a made-up mentor, so that there is something of each kind to see."""
    someone, today = {"p_mentor_id": mentor}, date.today()
    yield "record_renewal", {**someone, "p_issued_at": today, "p_expires_at": today + timedelta(days=300)}
    yield "grant_certification_override", {**someone, "p_justification": _WHY, "p_valid_until": today}
    later = datetime.now(UTC) + timedelta(days=20)
    yield "rpc_pause_mentor", {**someone, "p_reason": "travel", "p_pause_at": later}
    yield "rpc_pause_mentor", {**someone, "p_reason": "travel", "p_note": "Away."}
    yield "update_expected_return", {**someone, "p_expected_return_on": today + timedelta(days=30)}


@dataclass(slots=True)
class _Outcome:
    is_good: bool = False
    sqlstate: str | None = None


_RETENTION: Final = (
    "p_notes_months",
    "p_deliveries_days",
    "p_inbox_days",
    "p_runs_days",
    "p_reads_days",
)


@asynccontextmanager
async def _rolled_back(url: str) -> AsyncIterator[_Connection]:
    try:
        connection = await psycopg.AsyncConnection.connect(url, row_factory=dict_row, connect_timeout=5)
    except psycopg.OperationalError:
        raise Unavailable("The database does not answer.", hint="Check PEERPAUSE_DATABASE_URL.") from None
    async with connection, connection.transaction(force_rollback=True):
        yield connection


async def _assume(connection: _Connection, caller: Caller) -> None:
    arguments = {"role": caller.role, "claims": caller.to_json(), "lock_timeout": "2s"}
    await connection.execute(query("assume_caller").encode(), arguments)


def _filled_in(what: str, names: Mapping[str, str | None]) -> sql.Composed:
    identifiers = {name: sql.Identifier(each) for name, each in names.items() if each is not None}
    return sql.SQL(query(what)).format(**identifiers)
