"""Runs of the certificate check as people look at them, and runs by hand that go on while somebody watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from peerpause.certifications.expiry import JOB, CertificationExpiryJob
from peerpause.database.session import Caller, Row, Sessions
from peerpause.errors import NotFound
from peerpause.telemetry import Event

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A run of the check. ``started_by`` None is the schedule's; ``is_full`` leaves no chapter out.

    ``visited`` of ``expected`` certificates that have run out have been looked at; of the mentors behind them ``queried`` had
    lapsed, and were ``paused``, ``skipped`` because they were away already, or could not be changed (``errors``, ``failures``).
    """

    run_id: UUID
    status: str
    organisation_id: UUID | None
    started_by: UUID | None
    started_by_name: str | None = field(repr=False)
    is_full: bool
    chapters: Sequence[str]
    started_at: datetime
    finished_at: datetime | None
    queried: int
    paused: int
    skipped: int
    errors: int
    visited: int
    expected: int
    error_code: str | None
    failures: Sequence[Mapping[str, Any]]

    @property
    def is_running(self) -> bool:
        """Whether it is not over yet."""
        return self.status == "running"

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it runs."""
        return None if self.finished_at is None else self.finished_at - self.started_at

    @property
    def share_done(self) -> float:
        """How far it has come, from 0 to 1. Certificates that run out meanwhile can make it look farther than it is."""
        if not self.is_running:
            return 1.0
        return min(1.0, self.visited / self.expected) if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class PausedMentor:
    """A mentor whom a run paused; ``expired_on`` was the certificate's last valid day."""

    mentor_id: UUID
    display_name: str = field(repr=False)
    status: str
    expired_on: date | None


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a run did to those whom the reader answers for: the first of those it paused, how many in all, and whom it failed to pause."""

    paused: Sequence[PausedMentor]
    total: int
    failed: Mapping[UUID, str] = field(repr=False)


class ChecksByHand:
    """Starts checks as the person who asks, and carries them out in the background, whether or not that person stays.

    A process that ends meanwhile closes its runs as failed; who was paused stays paused, and the next run does the rest.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        job: CertificationExpiryJob,
        wake_outbox: Callable[[], None],
        patience: float = 5.0,
    ) -> None:
        """``patience`` is how many seconds a run gets to come to its end when the process is about to."""
        self._sessions = sessions
        self._job = job
        self._wake_outbox = wake_outbox
        self._patience = patience
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, caller: Caller, chapter_ids: Sequence[UUID] | None) -> UUID | None:
        """Begin a check of these chapters, or of all the caller answers for; None where another run is at it.

        Raises ``PermissionDenied`` for a chapter that is not the caller's.
        """
        parameters = {"chapter_ids": None if chapter_ids is None else list(chapter_ids)}
        (row,) = await self._sessions.call(caller, "begin_expiry_run_by_hand", parameters)
        run_id: UUID | None = row["run_id"]
        if run_id is not None:
            task = asyncio.create_task(self._carry_out(run_id))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            await asyncio.sleep(0)  # a task that was cancelled before its first step could not close its run
        return run_id

    async def close(self) -> None:
        """Give what is under way a moment to finish, end what does not, and wait for its end."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=self._patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _carry_out(self, run_id: UUID) -> None:
        try:
            await self._job.carry_out(run_id)
        except Exception as error:
            # The run's row says it too; nobody waits for this task.
            _log.warning(Event.JOB_ERROR, job=JOB, job_id=str(run_id), error=type(error).__name__)
        finally:
            self._wake_outbox()


async def read_checks(sessions: Sessions, caller: Caller, *, limit: int, skip: int = 0) -> Sequence[CheckRun]:
    """Runs that the caller may see, the newest first."""
    rows = await sessions.call(caller, "read_expiry_runs", {"run_id": None, "limit": limit, "skip": skip})
    return [_read(row) for row in rows]


async def read_check(sessions: Sessions, caller: Caller, run_id: UUID) -> CheckRun:
    """One of them. Raises ``NotFound`` where there is none that the caller may see."""
    rows = await sessions.call(caller, "read_expiry_runs", {"run_id": run_id, "limit": 1, "skip": 0})
    if not rows:
        raise NotFound("There is no such run, or none that you may see.")
    return _read(rows[0])


async def find_running(sessions: Sessions, caller: Caller) -> UUID | None:
    """The run that is under way, where the caller may see it."""
    rows = await sessions.call(caller, "running_check")
    return rows[0]["run_id"] if rows else None


async def read_consequences(
    sessions: Sessions,
    caller: Caller,
    run: CheckRun,
    *,
    whole: Sequence[UUID],
    chapters: Sequence[UUID],
    limit: int,
) -> Consequences:
    """What a run did to those in these organisations and chapters."""
    rows = await sessions.call(
        caller,
        "paused_by_run",
        {
            "whole": list(whole),
            "chapters": list(chapters),
            "run_id": run.run_id,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "limit": limit,
        },
    )
    failed = [UUID(failure["mentor_id"]) for failure in run.failures]
    names = await sessions.call(caller, "names_of_mentors", {"mentor_ids": failed}) if failed else []
    return Consequences(
        paused=[
            PausedMentor(row["mentor_id"], row["display_name"], row["status"], row["expired_on"])
            for row in rows
        ],
        total=rows[0]["total"] if rows else 0,
        failed={row["mentor_id"]: row["display_name"] for row in names},
    )


def _read(row: Row) -> CheckRun:
    return CheckRun(**{name: row[name] for name in CheckRun.__dataclass_fields__})
