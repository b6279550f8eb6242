"""Letting go: how long an organisation keeps what it need not keep for good, and the nightly run that goes by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import structlog

from peerpause.database.session import Caller, Service, Sessions
from peerpause.errors import PeerPauseError
from peerpause.telemetry import Event

JOB: Final = "retention"
_AT_ONCE: Final = 2_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """How long an organisation keeps things. The defaults hold for whoever has decided nothing.

    Notes are counted from the change they belong to, deliveries from their end, inbox entries from their coming, runs from their end,
    and what the read log holds from the reading.
    """

    notes_months: int = 24
    deliveries_days: int = 180
    inbox_days: int = 365
    runs_days: int = 730
    reads_days: int = 730


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """What one run let go of, by kind, in one organisation, or with ``organisation_id`` None in what belongs to none.

    ``job_id`` is None where nothing was run, because it was only to be seen, or because another run was at it. ``error_code`` says why a
    run failed; what it had let go of until then is gone all the same.
    """

    organisation_id: UUID | None
    job_id: UUID | None
    counts: Mapping[str, int]
    error_code: str | None = None


class Retention:
    """The rules, as far as the caller administers the organisation, and their execution, as the service."""

    def __init__(self, *, sessions: Sessions, at_once: int = _AT_ONCE) -> None:
        """``at_once`` is how many rows of each kind go in one transaction."""
        self._sessions = sessions
        self._at_once = at_once

    async def rules(self, caller: Caller, organisation_id: UUID) -> RetentionRules:
        """The rules that hold for an organisation. Raises PermissionDenied."""
        (row,) = await self._sessions.call(caller, "get_retention", {"organisation_id": organisation_id})
        return RetentionRules(**row)

    async def decide(self, caller: Caller, organisation_id: UUID, rules: RetentionRules) -> None:
        """Set the rules of an organisation, from the next run on. Raises PermissionDenied, InvalidArgument out of bounds."""
        await self._sessions.call(
            caller, "set_retention", {"organisation_id": organisation_id, **asdict(rules)}
        )

    async def look(self, *, organisation_id: UUID | None = None) -> tuple[RetentionRun, ...]:
        """What a run would let go of, in one organisation or everywhere; changes nothing."""
        seen = []
        for each in await self._wanted(organisation_id):
            (row,) = await self._sessions.call(Service(), "count_outdated", {"organisation_id": each})
            seen.append(RetentionRun(each, None, row["counts"]))
        return tuple(seen)

    async def run(self, *, organisation_id: UUID | None = None) -> tuple[RetentionRun, ...]:
        """Let go of what is older than the rules say, organisation by organisation; each is a job run of its own.

        One that fails is recorded and logged, and does not hold up the others. Stopped anywhere, the next run goes on.
        """
        return tuple([await self._run_one(each) for each in await self._wanted(organisation_id)])

    async def _wanted(self, organisation_id: UUID | None) -> tuple[UUID | None, ...]:
        if organisation_id is not None:
            return (organisation_id,)
        rows = await self._sessions.call(Service(), "list_organisations")
        return (*(row["id"] for row in rows), None)

    async def _run_one(self, organisation_id: UUID | None) -> RetentionRun:
        about = {"job": JOB, "organisation_id": None if organisation_id is None else str(organisation_id)}
        (begun,) = await self._sessions.call(
            Service(), "begin_retention_run", {"organisation_id": organisation_id}
        )
        run_id: UUID | None = begun["run_id"]
        if run_id is None:
            _log.info(Event.JOB_ALREADY_RUNNING, **about)
            return RetentionRun(organisation_id, None, {})
        about["job_id"] = str(run_id)
        _log.info(Event.JOB_START, **about)
        counts: Counter[str] = Counter()
        try:
            while step := await self._step(run_id):
                counts.update(step)
            await self._sessions.call(Service(), "finish_job_run", {"run_id": run_id})
        except PeerPauseError as error:
            _log.error(Event.JOB_ERROR, error=error.code, counts=dict(counts), **about)
            await self._sessions.call(Service(), "fail_job_run", {"run_id": run_id, "error_code": error.code})
            return RetentionRun(organisation_id, run_id, counts, error.code)
        _log.info(Event.JOB_COMPLETE, counts=dict(counts), **about)
        return RetentionRun(organisation_id, run_id, counts)

    async def _step(self, run_id: UUID) -> Mapping[str, int]:
        (row,) = await self._sessions.call(
            Service(), "retain_batch", {"run_id": run_id, "at_most": self._at_once}
        )
        counts: Mapping[str, int] = row["counts"]
        return counts


@asynccontextmanager
async def retention(database_url: str) -> AsyncIterator[Retention]:
    """Retention in the database at this address, for a command that needs nothing else."""
    async with Sessions(url=database_url, size=1) as sessions:
        yield Retention(sessions=sessions)
