"""The audit trail of organisations as their admins and operators use it: verify it, export it, write its end down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

from peerpause.database.session import Caller, Service, Sessions
from peerpause.telemetry import Event

_PAGE: Final = 5_000
_ADOPTED_AT_ONCE: Final = 5_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that does not agree with the chain. docs/audit.md says what each ``code`` means."""

    code: str
    place: int | None = None
    kind: str | None = None
    entry_id: UUID | None = None
    mentor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """How one organisation's audit stands.

    ``waiting`` are changes nobody has been told of yet; they join the chain when they are told. ``adopted`` were taken in by hand.
    ``place`` and ``hash`` are the end of the chain, None before its first link.
    """

    organisation_id: UUID
    links: int
    adopted: int
    waiting: int
    place: int
    hash: str | None
    findings: tuple[AuditFinding, ...]

    @property
    def ok(self) -> bool:
        """Whether everything recorded agrees with the chain."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class AuditEnd:
    """The end of an organisation's chain. Kept elsewhere, it shows later whether the end was cut off."""

    organisation_id: UUID
    place: int
    hash: str


class AuditTrail:
    """The audit of the organisations the caller administers; of all of them, for the service. Others get PermissionDenied."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def organisations(self) -> tuple[UUID, ...]:
        """Every organisation there is, as the service sees them."""
        return tuple(row["id"] for row in await self._sessions.call(Service(), "list_organisations"))

    async def verify(self, caller: Caller, organisation_id: UUID, *, at_most: int = 1000) -> AuditReport:
        """Compare everything recorded with the chain; gives at most so many findings, and logs that there were any."""
        parameters = {"organisation_id": organisation_id, "at_most": at_most}
        (row,) = await self._sessions.call(caller, "verify_audit", parameters)
        report = _report(row["report"])
        if not report.ok:
            codes = sorted({finding.code for finding in report.findings})
            _log.error(Event.AUDIT_BROKEN, organisation_id=str(organisation_id), codes=codes)
        return report

    async def ends(self, caller: Caller) -> tuple[AuditEnd, ...]:
        """Where the chains end now."""
        return tuple(AuditEnd(**row) for row in await self._sessions.call(caller, "audit_ends"))

    async def export(
        self, caller: Caller, organisation_id: UUID, *, with_notes: bool = False
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The chain in order, each link with what it vouches for, as JSON values; ``with_notes`` is for the service.

        Read in pages, so that a long chain does not fill the memory.
        """
        after = 0
        while True:
            parameters = {
                "organisation_id": organisation_id,
                "after": after,
                "limit": _PAGE,
                "with_notes": with_notes,
            }
            rows = await self._sessions.call(caller, "export_audit", parameters)
            for row in rows:
                yield {key: str(value) if isinstance(value, UUID) else value for key, value in row.items()}
            if len(rows) < _PAGE:
                return
            after = rows[-1]["place"]

    async def hash_at(self, caller: Caller, organisation_id: UUID, place: int) -> str | None:
        """The hash of the link at a place, None where there is none: to be compared with an end written down earlier."""
        parameters = {"organisation_id": organisation_id, "after": place - 1, "limit": 1, "with_notes": False}
        rows = await self._sessions.call(caller, "export_audit", parameters)
        return str(rows[0]["hash"]) if rows and rows[0]["place"] == place else None

    async def adopt(self, organisation_id: UUID) -> int:
        """Take rows into the chain that were recorded before it or past it, marked as adopted; answers how many."""
        total = 0
        while True:
            parameters = {"organisation_id": organisation_id, "at_most": _ADOPTED_AT_ONCE}
            (row,) = await self._sessions.call(Service(), "adopt_rows", parameters)
            total += int(row["adopted"])
            if row["adopted"] < _ADOPTED_AT_ONCE:
                return total


def _report(answer: Mapping[str, Any]) -> AuditReport:
    return AuditReport(
        organisation_id=UUID(answer["organisation_id"]),
        links=answer["links"],
        adopted=answer["adopted"],
        waiting=answer["waiting"],
        place=answer["place"],
        hash=answer["hash"],
        findings=_findings(answer["findings"]),
    )


def _findings(found: Sequence[Mapping[str, Any]]) -> tuple[AuditFinding, ...]:
    return tuple(
        AuditFinding(
            code=each["code"],
            place=each.get("place"),
            kind=each.get("kind"),
            entry_id=UUID(each["entry_id"]) if "entry_id" in each else None,
            mentor_id=UUID(each["mentor_id"]) if "mentor_id" in each else None,
        )
        for each in found
    )


@asynccontextmanager
async def audit_trail(database_url: str) -> AsyncIterator[AuditTrail]:
    """The audit of the database at this address, for a command that needs nothing else."""
    async with Sessions(url=database_url, size=1) as sessions:
        yield AuditTrail(sessions=sessions)
