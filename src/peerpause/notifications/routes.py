"""The HTTP routes of a person's inbox: what they were told, what is unread, what they have seen to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from peerpause.auth.callers import Person
from peerpause.auth.lists import SORT, Cursor, Limit, Since, Until
from peerpause.database.paging import read_cursor, read_id, read_moment, write_cursor
from peerpause.database.session import Claims, Sessions, Step
from peerpause.errors import NotFound

router = APIRouter(prefix="/v1", tags=["inbox"])


class _Parts(Protocol):
    """What these routes need of the process they run in."""

    @property
    def sessions(self) -> Sessions: ...


class NotificationAnswer(BaseModel):
    """One entry of the inbox. `payload` says of whom, what changed, when and why; it never holds a note."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0192f0c1-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
                    "event": "mentor_paused",
                    "about_self": False,
                    "payload": {
                        "event": "mentor_paused",
                        "mentor_id": "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10",
                        "display_name": "Ada Hansen",
                        "previous_status": "active",
                        "new_status": "paused",
                        "reason_code": "travel",
                        "timestamp": "2026-11-01T09:30:00.123456+00:00",
                    },
                    "created_at": "2026-11-01T09:30:00.323456Z",
                    "read_at": None,
                    "acknowledged_at": None,
                }
            ]
        }
    )

    id: UUID
    event: str
    about_self: bool = Field(description="True where the reader is the mentor.")
    payload: dict[str, Any]
    created_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None


class InboxAnswer(BaseModel):
    """A page of the inbox, and how much of all of it is unread."""

    unread: int
    items: list[NotificationAnswer]
    next: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")


@router.get("/notifications")
async def read_inbox(
    request: Request,
    caller: Person,
    limit: Limit = 50,
    cursor: Cursor = None,
    only_unread: Annotated[bool, Query(description="Leave out what has been read.")] = False,
    event: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[a-z_]+$", description="Only this kind, such as `mentor_paused`."),
    ] = None,
    mentor_id: Annotated[UUID | None, Query(description="Only what is about this mentor.")] = None,
    since: Since = None,
    until: Until = None,
    sort: Annotated[Literal["created_at", "-created_at"], Query(description=SORT)] = "-created_at",
) -> InboxAnswer:
    """What the caller was told, the newest first unless asked otherwise."""
    before, before_id = _place(cursor)
    rows, (unread,) = await _sessions(request).call_all(
        caller,
        Step(
            "read_inbox",
            {
                "limit": limit,
                "before": before,
                "before_id": before_id,
                "only_unread": only_unread,
                "event": event,
                "mentor_id": mentor_id,
                "since": since,
                "until": until,
                "oldest_first": sort == "created_at",
            },
        ),
        Step("count_unread"),
    )
    last = rows[-1] if len(rows) == limit else None
    return InboxAnswer.model_construct(
        unread=unread["unread"],
        items=[_answer(row) for row in rows],
        next=None if last is None else write_cursor(last["created_at"], last["id"]),
    )


@router.post("/notifications/{notification_id}/read")
async def mark_as_read(notification_id: UUID, request: Request, caller: Person) -> NotificationAnswer:
    """The caller has read it. The first time counts; doing it again changes nothing."""
    return await _mark(request, caller, notification_id, acknowledge=False)


@router.post("/notifications/{notification_id}/acknowledge")
async def acknowledge(notification_id: UUID, request: Request, caller: Person) -> NotificationAnswer:
    """The caller has seen to it, and so has read it. The first time counts; doing it again changes nothing."""
    return await _mark(request, caller, notification_id, acknowledge=True)


async def _mark(
    request: Request, caller: Claims, notification_id: UUID, *, acknowledge: bool
) -> NotificationAnswer:
    rows = await _sessions(request).call(
        caller, "mark_notification", {"id": notification_id, "acknowledge": acknowledge}
    )
    if not rows:
        raise NotFound("There is no such entry in your inbox.", hint="Load the inbox again.")
    return _answer(rows[0])


def _place(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if cursor is None:
        return None, None
    moment, entry = read_cursor(cursor, length=2)
    return read_moment(moment), read_id(entry)


def _answer(row: Mapping[str, Any]) -> NotificationAnswer:
    return NotificationAnswer.model_construct(**{name: row[name] for name in NotificationAnswer.model_fields})


def _sessions(request: Request) -> Sessions:
    parts: _Parts = request.app.state.services
    return parts.sessions
