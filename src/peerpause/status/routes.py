"""The HTTP routes of a mentor's status: read, change, page through. They translate; the service and the database decide."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from peerpause.auth.callers import SignedIn
from peerpause.auth.limits import Changing, IdempotencyKey, KeyOfMany
from peerpause.auth.lists import SORT, Cursor, Limit, Since, Until
from peerpause.database.paging import write_cursor
from peerpause.database.session import Caller, Sessions
from peerpause.errors import Conflict, InvalidTransition, PeerPauseError, PreconditionFailed, Unavailable
from peerpause.status.answers import (
    BulkAnswer,
    BulkOutcome,
    BulkPauseRequest,
    BulkReactivateRequest,
    DeactivateRequest,
    HistoryAnswer,
    HistoryEntryAnswer,
    ListedMentorAnswer,
    MentorListAnswer,
    PauseRequest,
    PlannedPauseAnswer,
    ReactivateRequest,
    StatusAnswer,
)
from peerpause.status.etags import etag, expected_by, is_known
from peerpause.status.listing import HistoryList, MentorList, MentorOrder
from peerpause.status.records import read_entry, read_page
from peerpause.status.rules import MentorStatus, MentorStatusRecord, ReasonCode
from peerpause.status.service import MentorStatusService

router = APIRouter(prefix="/v1", tags=["status"])


class _Parts(Protocol):
    """What these routes need of the process they run in."""

    @property
    def sessions(self) -> Sessions: ...
    def status(self, caller: Caller) -> MentorStatusService: ...


async def _parts(request: Request) -> _Parts:
    parts: _Parts = request.app.state.services
    return parts


HasParts = Annotated[_Parts, Depends(_parts)]
IfMatch = Annotated[
    str | None,
    Header(
        description="The ETag of the status you saw. If it has moved on, nothing is changed and 412 is answered."
    ),
]


@router.get(
    "/mentors/{mentor_id}/status",
    response_model=StatusAnswer,
    responses={304: {"description": "Not modified."}},
)
async def get_status(
    mentor_id: UUID,
    caller: SignedIn,
    parts: HasParts,
    response: Response,
    if_none_match: Annotated[str | None, Header()] = None,
) -> object:
    """Where a mentor stands. The ETag goes into `If-Match` of a change."""
    record = await parts.status(caller).get_mentor_status(mentor_id)
    tag = etag(record.updated_at)
    if is_known(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return _answer(record, response)


@router.post("/mentors/{mentor_id}/pause")
async def pause(
    mentor_id: UUID,
    body: PauseRequest,
    caller: Changing,
    parts: HasParts,
    response: Response,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> StatusAnswer:
    """Pause a mentor now, or plan the pause where `pause_at` lies ahead: then the mentor is still active."""
    with _precondition(if_match) as expected:
        record = await parts.status(caller).pause_mentor(
            mentor_id,
            body.reason,
            pause_at=body.pause_at,
            expected_return_on=body.expected_return_on,
            note=body.note,
            expected_updated_at=expected,
            idempotency_key=idempotency_key,
        )
    return _answer(record, response)


@router.post("/mentors/{mentor_id}/reactivate")
async def reactivate(
    mentor_id: UUID,
    caller: Changing,
    parts: HasParts,
    response: Response,
    body: ReactivateRequest | None = None,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> StatusAnswer:
    """Bring a paused mentor back."""
    with _precondition(if_match) as expected:
        record = await parts.status(caller).reactivate_mentor(
            mentor_id,
            reason=None if body is None else body.reason,
            expected_updated_at=expected,
            idempotency_key=idempotency_key,
        )
    return _answer(record, response)


@router.post("/mentors/{mentor_id}/deactivate")
async def deactivate(
    mentor_id: UUID,
    body: DeactivateRequest,
    caller: Changing,
    parts: HasParts,
    response: Response,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> StatusAnswer:
    """Let an active or paused mentor leave for good."""
    with _precondition(if_match) as expected:
        record = await parts.status(caller).deactivate_mentor(
            mentor_id,
            body.reason,
            note=body.note,
            expected_updated_at=expected,
            idempotency_key=idempotency_key,
        )
    return _answer(record, response)


@router.delete("/mentors/{mentor_id}/planned-pause")
async def cancel_planned_pause(mentor_id: UUID, caller: Changing, parts: HasParts) -> PlannedPauseAnswer:
    """Take back a pause that has not begun."""
    return PlannedPauseAnswer(cancelled=await parts.status(caller).cancel_scheduled_pause(mentor_id))


@router.get("/mentors/{mentor_id}/history")
async def get_history(
    mentor_id: UUID,
    caller: SignedIn,
    parts: HasParts,
    new_status: Annotated[MentorStatus | None, Query(description="Only changes to this status.")] = None,
    reason: Annotated[ReasonCode | None, Query(description="Only changes for this reason.")] = None,
    by: Annotated[
        Literal["system", "people"] | None,
        Query(description="Only changes by jobs, or only those by people."),
    ] = None,
    since: Since = None,
    until: Until = None,
    sort: Annotated[Literal["changed_at", "-changed_at"], Query(description=SORT)] = "-changed_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> HistoryAnswer:
    """A mentor's changes, the newest first unless asked otherwise."""
    asked = HistoryList(
        mentor_id=mentor_id,
        new_status=new_status,
        reason=reason,
        by=by,
        since=since,
        until=until,
        oldest_first=sort == "changed_at",
    )
    _, rows = await parts.sessions.call_all(caller, *asked.page(limit=limit, cursor=cursor))
    return HistoryAnswer.model_construct(
        items=[HistoryEntryAnswer.of(read_entry(row)) for row in rows],
        next=write_cursor(rows[-1]["changed_at"], rows[-1]["id"]) if len(rows) == limit else None,
    )


@router.get("/chapters/{chapter_id}/mentors")
async def list_mentors(
    chapter_id: UUID,
    caller: SignedIn,
    parts: HasParts,
    status: Annotated[MentorStatus | None, Query(description="Only mentors with this status.")] = None,
    search: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[^\x00]*$", description="Only mentors whose name contains this."),
    ] = None,
    sort: Annotated[
        MentorOrder, Query(description=f"{SORT} Mentors without such a date come last either way.")
    ] = "name",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MentorListAnswer:
    """The mentors of a chapter, by name unless asked otherwise, for its coordinators and the organisation's admins."""
    asked = MentorList(chapter_id=chapter_id, status=status, search=search, sort=sort)
    (rows,) = await parts.sessions.call_all(caller, asked.page(limit=limit, cursor=cursor))
    mentors = read_page(rows, limit=limit).mentors
    return MentorListAnswer.model_construct(
        items=[ListedMentorAnswer.of(mentor) for mentor in mentors],
        next=asked.cursor_behind(mentors[-1]) if len(mentors) == limit else None,
    )


@router.post("/mentors/pause")
async def pause_many(
    body: BulkPauseRequest, caller: Changing, parts: HasParts, idempotency_key: KeyOfMany = None
) -> BulkAnswer:
    """Pause many mentors alike. Each is a change of its own: one that is refused does not stop the others."""
    service = parts.status(caller)
    return await _one_by_one(
        body.mentor_ids,
        lambda mentor_id: service.pause_mentor(
            mentor_id,
            body.reason,
            pause_at=body.pause_at,
            expected_return_on=body.expected_return_on,
            note=body.note,
            idempotency_key=_key_for(mentor_id, idempotency_key),
        ),
    )


@router.post("/mentors/reactivate")
async def reactivate_many(
    body: BulkReactivateRequest, caller: Changing, parts: HasParts, idempotency_key: KeyOfMany = None
) -> BulkAnswer:
    """Bring many mentors back. Each is a change of its own: one that is refused does not stop the others."""
    service = parts.status(caller)
    return await _one_by_one(
        body.mentor_ids,
        lambda mentor_id: service.reactivate_mentor(
            mentor_id, reason=body.reason, idempotency_key=_key_for(mentor_id, idempotency_key)
        ),
    )


@contextmanager
def _precondition(if_match: str | None) -> Iterator[datetime | None]:
    """The `updated_at` that `If-Match` asks for; of a conflict within the block it makes a precondition that failed."""
    expected = expected_by(if_match)
    try:
        yield expected
    except InvalidTransition:
        raise
    except Conflict as error:
        if expected is None:
            raise
        raise PreconditionFailed(error.message, detail=error.detail, hint=error.hint) from None


def _answer(record: MentorStatusRecord, response: Response) -> StatusAnswer:
    response.headers["ETag"] = etag(record.updated_at)
    return StatusAnswer.of(record)


async def _one_by_one(
    mentor_ids: list[UUID], change: Callable[[UUID], Awaitable[MentorStatusRecord]]
) -> BulkAnswer:
    outcomes = [await _outcome(mentor_id, change) for mentor_id in dict.fromkeys(mentor_ids)]
    changed = sum(outcome.ok for outcome in outcomes)
    return BulkAnswer.model_construct(changed=changed, refused=len(outcomes) - changed, outcomes=outcomes)


async def _outcome(mentor_id: UUID, change: Callable[[UUID], Awaitable[MentorStatusRecord]]) -> BulkOutcome:
    try:
        record = await change(mentor_id)
    except Unavailable:
        raise  # for the rest as well; with an Idempotency-Key the whole request may be repeated
    except PeerPauseError as error:
        return BulkOutcome.model_construct(
            mentor_id=mentor_id, ok=False, status=None, code=error.code, detail=error.message
        )
    return BulkOutcome.model_construct(
        mentor_id=mentor_id, ok=True, status=StatusAnswer.of(record), code=None, detail=None
    )


def _key_for(mentor_id: UUID, key: str | None) -> str | None:
    return None if key is None else hashlib.sha256(f"{key} {mentor_id}".encode()).hexdigest()
