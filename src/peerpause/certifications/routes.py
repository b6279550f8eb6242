"""The HTTP routes of certificates: record a renewal, run the check by hand, see its runs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from peerpause.auth.callers import SignedIn
from peerpause.auth.limits import Changing, IdempotencyKey
from peerpause.auth.lists import SORT, Cursor, Limit, Since, Until
from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.certifications.renewals import record_renewal
from peerpause.database.paging import read_cursor, read_id, read_moment, write_cursor
from peerpause.database.session import Service, Sessions

router = APIRouter(prefix="/v1", tags=["certificates"])

_STORABLE = r"^[^\x00]*$"


class _Bell(Protocol):
    def ring(self) -> None: ...


class _Parts(Protocol):
    """What these routes need of the process they run in."""

    @property
    def sessions(self) -> Sessions: ...
    @property
    def expiry(self) -> CertificationExpiryJob: ...
    @property
    def bell(self) -> _Bell: ...


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RenewalRequest(_Body):
    """A certificate that was renewed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"issued_on": "2026-11-01", "expires_on": "2028-10-31"}]}
    )

    issued_on: date
    expires_on: date | None = Field(default=None, description="The last valid day; left out: it has no end.")
    note: Annotated[str, Field(max_length=2000, pattern=_STORABLE)] | None = None
    kind: Annotated[str, Field(min_length=1, max_length=100, pattern=_STORABLE)] | None = Field(
        default=None, description="Which certificate; left out: the one the organisation requires."
    )


class RenewalAnswer(BaseModel):
    """What a renewal did."""

    mentor_id: UUID
    certification_id: UUID
    kind: str
    expires_on: date | None
    reactivated: bool = Field(description="True where it ended a pause.")
    status: str


class RunRequest(_Body):
    """Which chapters to check."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"chapter_ids": ["c0f5b6f4-3c6e-4d8f-9a55-2d8c7a1b3e44"]}]}
    )

    chapter_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="Left out: all that the caller answers for."
    )


class RunReport(BaseModel):
    """What a run did. Without a `job_id` nothing was done, because another run is at it."""

    job_id: UUID | None
    status: Literal["running", "succeeded", "failed", "already_running"]
    queried: int
    paused: int
    skipped: int
    errors: int
    duration_ms: int


class ExpiryRun(BaseModel):
    """A run of the certificate check."""

    id: UUID
    status: Literal["running", "succeeded", "failed"]
    started_by: UUID | None = Field(description="Who started it by hand; null is the schedule.")
    chapter_ids: list[UUID] | None = Field(description="The chapters it was limited to; null is all.")
    started_at: datetime
    finished_at: datetime | None
    queried: int
    paused: int
    skipped: int
    errors: int
    error_code: str | None


class ExpiryRuns(BaseModel):
    """A page of runs."""

    items: list[ExpiryRun]
    next: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")


@router.post("/certifications/{mentor_id}/renewals", status_code=201)
async def renew(
    mentor_id: UUID,
    body: RenewalRequest,
    request: Request,
    caller: Changing,
    idempotency_key: IdempotencyKey = None,
) -> RenewalAnswer:
    """Record that a mentor's certificate was renewed. A pause that was for the certificate ends with it."""
    parts: _Parts = request.app.state.services
    renewal = await record_renewal(
        parts.sessions,
        caller,
        mentor_id,
        issued_on=body.issued_on,
        expires_on=body.expires_on,
        note=body.note,
        kind=body.kind,
        idempotency_key=idempotency_key,
    )
    parts.bell.ring()
    return RenewalAnswer(**asdict(renewal))


@router.post("/expiry-runs")
async def start_run(request: Request, caller: Changing, body: RunRequest | None = None) -> RunReport:
    """Run the certificate check now and wait for its end. Doing it again pauses nobody a second time."""
    parts: _Parts = request.app.state.services
    chapter_ids = None if body is None else body.chapter_ids
    if isinstance(caller, Service):
        report: dict[str, Any] = asdict(await parts.expiry.run(chapter_ids=chapter_ids))
    else:
        (row,) = await parts.sessions.call(caller, "run_certification_expiry", {"chapter_ids": chapter_ids})
        report = row["report"]
    parts.bell.ring()
    return RunReport(**{name: report[name] for name in RunReport.model_fields})


@router.get("/expiry-runs")
async def list_runs(
    request: Request,
    caller: SignedIn,
    status: Annotated[
        Literal["running", "succeeded", "failed"] | None, Query(description="Only runs with this outcome.")
    ] = None,
    by: Annotated[
        Literal["schedule", "hand"] | None,
        Query(description="Only runs by the schedule, or only those by hand."),
    ] = None,
    since: Since = None,
    until: Until = None,
    sort: Annotated[Literal["started_at", "-started_at"], Query(description=SORT)] = "-started_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ExpiryRuns:
    """Runs of the check, the newest first unless asked otherwise: an admin sees all, others those they started."""
    parts: _Parts = request.app.state.services
    after, after_id = (None, None) if cursor is None else read_cursor(cursor, length=2)
    rows = await parts.sessions.call(
        caller,
        "list_expiry_runs",
        {
            "status": status,
            "by": by,
            "since": since,
            "until": until,
            "oldest_first": sort == "started_at",
            "after": None if after is None else read_moment(after),
            "after_id": None if after_id is None else read_id(after_id),
            "limit": limit,
        },
    )
    return ExpiryRuns.model_construct(
        items=[ExpiryRun.model_construct(**row) for row in rows],
        next=write_cursor(rows[-1]["started_at"], rows[-1]["id"]) if len(rows) == limit else None,
    )
