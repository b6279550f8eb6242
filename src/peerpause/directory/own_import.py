"""The import as an organisation's own admin does it: within their organisation, and exactly what they looked through before.

Whoever runs the installation imports without these bounds, by `peerpause import`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from peerpause.database.session import Claims, Connection, Sessions
from peerpause.directory.csv_files import ImportFile
from peerpause.directory.importing import apply_import, plan_import
from peerpause.directory.plan import Deed, ImportPlan, ImportReport, Part, Step
from peerpause.errors import Conflict, NotFound
from peerpause.sql import query


class OwnImport:
    """What one admin imports into their organisation. Everything raises ``NotFound`` where they are no admin of it."""

    def __init__(self, *, sessions: Sessions, caller: Claims, organisation_id: UUID) -> None:
        self._sessions = sessions
        self._caller = caller
        self._id = organisation_id

    async def code(self) -> str:
        """The code by which files name the organisation."""
        rows = await self._sessions.call(self._caller, "own_import_code", {"organisation_id": self._id})
        if not rows:
            raise NotFound("There is no such organisation, or it is not yours.")
        code: str = rows[0]["code"]
        return code

    async def plan(self, files: Sequence[ImportFile]) -> ImportPlan:
        """What importing the files would do, and everything that is wrong with them. Changes nothing."""
        code = await self.code()
        async with self._sessions.as_service() as connection:
            return await plan_import(connection, files, within=code)

    async def apply(self, files: Sequence[ImportFile], *, seen: str) -> ImportReport:
        """Do what the plan with the fingerprint ``seen`` says, in the caller's name: all of it, or nothing.

        Raises ``Conflict`` where the same files would do something else by now, ``ImportRejected`` where something keeps them from being
        imported.
        """
        code = await self.code()
        async with self._sessions.as_service() as connection:
            await connection.execute(query("import_take_turn").encode())
            plan = await plan_import(connection, files, within=code)
            if fingerprint(plan) != seen:
                raise Conflict(
                    "The import would do something else by now than what was looked through; nothing was changed.",
                    hint="Look through it again.",
                )
            await self._sign(connection)
            report = await apply_import(connection, plan)
            await self._record_roles(connection, plan.steps)
        return report

    async def _sign(self, connection: Connection) -> None:
        """Let the history say who began the new mentors."""
        await connection.execute(query("own_import_sign").encode(), {"user_id": self._caller.user_id})

    async def _record_roles(self, connection: Connection, steps: Sequence[Step]) -> None:
        roles = list(_roles(steps))
        if roles:
            await connection.execute(
                query("own_import_record_roles").encode(),
                {"organisation_id": self._id, "changed_by": self._caller.user_id, "roles": Jsonb(roles)},
            )


def fingerprint(plan: ImportPlan) -> str:
    """What tells two plans apart: everything they would write and everything they found."""
    content = {
        "steps": [[step.query, step.rows] for step in plan.steps],
        "findings": [finding.to_json() for finding in plan.findings],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _roles(steps: Sequence[Step]) -> Iterator[Mapping[str, Any]]:
    """Who coordinates which chapter from now on, or does no longer."""
    for step in steps:
        if step.part is Part.COORDINATORS and step.deed in (Deed.CREATE, Deed.CHANGE):
            yield from (
                {"chapter_id": row["place_id"], "person_id": row["user_id"], "given": row["active"]}
                for row in step.rows
            )
