"""The certificate check: pauses every active mentor whose required certificate has lapsed, batch by batch.

Each batch is a transaction of its own, and how far a run has come stands in its row in the database. So a run may be killed
anywhere: what it paused stays paused, and the next run goes on with those who are still active.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import structlog

from peerpause.database.session import Service, Sessions
from peerpause.errors import PeerPauseError
from peerpause.telemetry import Event

JOB: Final = "certification_expiry"
BATCH: Final = 1000
"""Expired certificates one transaction looks at: few enough that nobody waits long for a mentor's row."""

LEASE_SECONDS: Final = 60
"""After this many seconds without a finished batch a run counts as dead, and another may take over."""

_LOOK_AGAIN: Final = 2.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """What a run did. Without a ``job_id`` nothing was done, because another run is at it.

    ``queried`` mentors had lapsed; of them ``paused`` were paused by this run, ``skipped`` were paused or had left already, or were
    held by somebody else at that moment, and ``errors`` could not be paused. ``visited`` of ``expected`` expired certificates have
    been looked at. ``error_code`` says why a run failed.
    """

    job_id: UUID | None
    status: Literal["running", "succeeded", "failed", "already_running"]
    queried: int = 0
    paused: int = 0
    skipped: int = 0
    errors: int = 0
    visited: int = 0
    expected: int = 0
    duration_ms: int = 0
    error_code: str | None = None

    def counts(self) -> dict[str, int]:
        """The figures of the run, as they are logged."""
        return {
            "queried": self.queried,
            "paused": self.paused,
            "skipped": self.skipped,
            "errors": self.errors,
        }


@dataclass(frozen=True, slots=True)
class Lapse:
    """An active mentor whose required certificate has run out; ``expired_on`` was its last valid day."""

    mentor_id: UUID
    expired_on: str


class CertificationExpiryJob:
    """Runs the check as the system. One run at a time, whoever starts it: the database holds the lease."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        batch: int = BATCH,
        lease_seconds: float = LEASE_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sessions = sessions
        self._batch = batch
        self._lease = lease_seconds
        self._sleep = sleep

    async def run(
        self,
        *,
        chapter_ids: Sequence[UUID] | None = None,
        progress: Callable[[ExpiryReport], None] = lambda report: None,
        patience: float = 0,
    ) -> ExpiryReport:
        """Check all mentors, or those of some chapters, and answer what was done.

        1. open the run, or answer ``already_running`` (a full run waits up to ``patience`` seconds for a small one to end);
        2. pause batch after batch, telling ``progress`` after each;
        3. close the run.

        Raises what the database refuses with, after closing the run as failed; ``InvalidArgument`` for an unknown chapter.
        """
        run_id = await self._begin(chapter_ids, patience)
        if run_id is None:
            _log.info(Event.JOB_ALREADY_RUNNING, job=JOB)
            return ExpiryReport(None, "already_running")
        return await self.carry_out(run_id, progress=progress, chapters=_count(chapter_ids))

    async def carry_out(
        self,
        run_id: UUID,
        *,
        progress: Callable[[ExpiryReport], None] = lambda report: None,
        chapters: int | None = None,
    ) -> ExpiryReport:
        """Pause batch after batch in a run that has been opened, and close it. Raises as ``run``; ``chapters`` is only logged."""
        _log.info(Event.JOB_START, job=JOB, job_id=str(run_id), chapters=chapters)
        try:
            report = await self._work_through(run_id, progress)
        except BaseException as error:
            code = error.code if isinstance(error, PeerPauseError) else type(error).__name__
            _log.error(Event.JOB_ERROR, job=JOB, job_id=str(run_id), error=code)
            await self._give_up(run_id, code)
            raise
        level = _log.info if report.status == "succeeded" else _log.error
        event = Event.JOB_COMPLETE if report.status == "succeeded" else Event.JOB_ERROR
        level(
            event,
            job=JOB,
            job_id=str(run_id),
            status=report.status,
            error=report.error_code,
            duration_ms=report.duration_ms,
            **report.counts(),
        )
        return report

    async def would_pause(self, *, chapter_ids: Sequence[UUID] | None = None) -> tuple[Lapse, ...]:
        """The mentors a run would pause now. Changes nothing."""
        rows = await self._sessions.call(
            Service(), "list_lapsed_mentors", {"chapter_ids": _listed(chapter_ids)}
        )
        return tuple(Lapse(row["mentor_id"], row["expired_on"].isoformat()) for row in rows)

    async def _begin(self, chapter_ids: Sequence[UUID] | None, patience: float) -> UUID | None:
        parameters = {"chapter_ids": _listed(chapter_ids), "lease": self._lease}
        waited = 0.0
        while True:
            (row,) = await self._sessions.call(Service(), "begin_expiry_run", parameters)
            run_id: UUID | None = row["run_id"]
            # Only a run over a few chapters is worth waiting for: it leaves the rest undone.
            if run_id is not None or row["full_run_under_way"] or waited >= patience:
                return run_id
            await self._sleep(_LOOK_AGAIN)
            waited += _LOOK_AGAIN

    async def _work_through(self, run_id: UUID, progress: Callable[[ExpiryReport], None]) -> ExpiryReport:
        while True:
            parameters = {"run_id": run_id, "size": self._batch}
            (row,) = await self._sessions.call(Service(), "expire_batch", parameters)
            for failure in row["report"].get("failures", ()):
                _log.error(
                    Event.JOB_ERROR,
                    job=JOB,
                    job_id=str(run_id),
                    mentor_id=failure["mentor_id"],
                    error=failure["sqlstate"],
                )
            report = report_from(row["report"])
            progress(report)
            if report.status != "running":
                return report

    async def _give_up(self, run_id: UUID, code: str) -> None:
        # If even this fails, the lease runs out and the next run closes the row.
        with suppress(PeerPauseError):
            await self._sessions.call(Service(), "fail_job_run", {"run_id": run_id, "error_code": code})


def report_from(answer: Mapping[str, Any]) -> ExpiryReport:
    """Read what the database answers of a run."""
    job_id = answer["job_id"]
    return ExpiryReport(
        job_id=None if job_id is None else UUID(job_id),
        status=answer["status"],
        queried=answer["queried"],
        paused=answer["paused"],
        skipped=answer["skipped"],
        errors=answer["errors"],
        visited=answer["visited"],
        expected=answer["expected"],
        duration_ms=answer["duration_ms"],
        error_code=answer.get("error_code"),
    )


def _listed(chapter_ids: Sequence[UUID] | None) -> list[UUID] | None:
    return None if chapter_ids is None else list(chapter_ids)


def _count(chapter_ids: Sequence[UUID] | None) -> int | None:
    return None if chapter_ids is None else len(chapter_ids)
