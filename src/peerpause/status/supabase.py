"""The repository over a Supabase project's HTTP API, for programs that reach the database only by `supabase-py`.

Needs the extra `supabase`. The client's key and session say who the caller is, so a repository acts for the client's user.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import httpx
from postgrest.exceptions import APIError

from peerpause.database.errors import Refusal, to_error
from peerpause.errors import DatabaseFault, PeerPauseError, PermissionDenied, Unavailable
from peerpause.status.records import (
    MentorCursor,
    MentorPage,
    Row,
    StatusHistoryEntry,
    read_entry,
    read_moment,
    read_page,
    read_record,
    record_as_answered,
)
from peerpause.status.repository import SMALLEST_STEP, lost_race
from peerpause.status.rules import MentorStatus, MentorStatusRecord

if TYPE_CHECKING:
    from supabase import AsyncClient

T = TypeVar("T")

_AWAY: Final = frozenset(
    {"PGRST000", "PGRST001", "PGRST002", "PGRST003", "408", "429", "502", "503", "504", "520"}
)
_NOT_SIGNED_IN: Final = frozenset({"PGRST300", "PGRST301", "PGRST302", "PGRST303", "401", "403"})


class SupabaseMentorStatusRepository:
    """`MentorStatusRepository` over `supabase-py`.

    A change takes two requests, for HTTP has no transaction: one for the change, one for what became of it. If the second is lost,
    Unavailable is raised although the change was made; repeat it with the same ``idempotency_key`` to get its answer.
    """

    def __init__(self, *, client: AsyncClient) -> None:
        self._client = client

    async def fetch_mentor_status(self, mentor_id: UUID) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        rows = await self._rows("get_mentor_status", p_mentor_id=mentor_id)
        return _read(lambda: read_record(rows[0]))

    async def fetch_active_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        """See `MentorStatusRepository`."""
        return await self._list(chapter_id, MentorStatus.ACTIVE, search, limit, after)

    async def fetch_paused_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        """See `MentorStatusRepository`."""
        return await self._list(chapter_id, MentorStatus.PAUSED, search, limit, after)

    async def fetch_status_history(
        self, mentor_id: UUID, limit: int = 50, before: datetime | None = None
    ) -> tuple[StatusHistoryEntry, ...]:
        """See `MentorStatusRepository`."""
        rows = await self._rows(
            "get_mentor_status_history", p_mentor_id=mentor_id, p_limit=limit, p_before=before
        )
        return _read(lambda: tuple(read_entry(row) for row in rows))

    async def pause_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        pause_at: datetime | None = None,
        expected_return_on: date | None = None,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        rows = await self._rows(
            "rpc_pause_mentor",
            p_mentor_id=mentor_id,
            p_reason=reason,
            p_pause_at=pause_at,
            p_expected_return_on=expected_return_on,
            p_note=note,
            p_expected_updated_at=expected_updated_at,
            p_idempotency_key=idempotency_key,
        )
        return await self._record_after(mentor_id, rows[0] if rows else None, pause_at=pause_at)

    async def reactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        rows = await self._rows(
            "rpc_reactivate_mentor",
            p_mentor_id=mentor_id,
            p_expected_updated_at=expected_updated_at,
            p_reason=reason,
            p_idempotency_key=idempotency_key,
        )
        return await self._record_after(mentor_id, rows[0] if rows else None)

    async def deactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        rows = await self._rows(
            "rpc_deactivate_mentor",
            p_mentor_id=mentor_id,
            p_reason=reason,
            p_note=note,
            p_expected_updated_at=expected_updated_at,
            p_idempotency_key=idempotency_key,
        )
        return await self._record_after(mentor_id, rows[0] if rows else None)

    async def update_mentor_status(
        self,
        mentor_id: UUID,
        new_status: MentorStatus,
        actor_id: UUID | None,
        reason: str | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        # Without defaults in the database, these four are sent even where they are null.
        required = {
            "p_mentor_id": mentor_id,
            "p_new_status": str(new_status),
            "p_actor_id": actor_id,
            "p_reason": reason,
        }
        answer = await self._call(
            "update_mentor_status",
            required | _given(p_expected_updated_at=expected_updated_at, p_idempotency_key=idempotency_key),
        )
        return await self._record_after(mentor_id, answer)

    async def update_expected_return(
        self,
        mentor_id: UUID,
        expected_return_on: date | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        # Without defaults in the database, these two are sent even where they are null.
        required = {"p_mentor_id": mentor_id, "p_expected_return_on": expected_return_on}
        answer = await self._call(
            "update_expected_return",
            required | _given(p_expected_updated_at=expected_updated_at, p_idempotency_key=idempotency_key),
        )
        if not answer:
            raise lost_race(mentor_id)
        return await self.fetch_mentor_status(mentor_id)

    async def cancel_scheduled_pause(self, mentor_id: UUID) -> bool:
        """See `MentorStatusRepository`."""
        return bool(await self._call("rpc_cancel_scheduled_pause", _given(p_mentor_id=mentor_id)))

    async def _record_after(
        self, mentor_id: UUID, answer: Row | None, *, pause_at: datetime | None = None
    ) -> MentorStatusRecord:
        if not answer:
            raise lost_race(mentor_id)
        record = await self.fetch_mentor_status(mentor_id)
        answered_at = _read(lambda: read_moment(answer["updated_at"]))
        if record.updated_at == answered_at:
            return record
        # A repeated request's first answer, or somebody came in between the two requests.
        (then,) = await self.fetch_status_history(mentor_id, limit=1, before=answered_at + SMALLEST_STEP)
        return record_as_answered(record, then, answer=answer, pause_at=pause_at)

    async def _list(
        self,
        chapter_id: UUID,
        status: MentorStatus,
        search: str | None,
        limit: int,
        after: MentorCursor | None,
    ) -> MentorPage:
        rows = await self._rows(
            "list_chapter_mentors",
            p_chapter_id=chapter_id,
            p_status=str(status),
            p_search=search,
            p_limit=limit,
            p_after_name=after and after.display_name,
            p_after_id=after and after.mentor_id,
        )
        return _read(lambda: read_page(rows, limit=limit))

    async def _rows(self, function: str, **parameters: object) -> list[Row]:
        answer = await self._call(function, _given(**parameters))
        return answer if isinstance(answer, list) else []

    async def _call(self, function: str, parameters: Mapping[str, object]) -> Any:
        body = {name: _as_json(value) for name, value in parameters.items()}
        with _refusals_translated():
            return (await self._client.rpc(function, body).execute()).data


def _given(**parameters: object) -> dict[str, object]:
    """Those with a value: what is left out takes the function's default."""
    return {name: value for name, value in parameters.items() if value is not None}


def _as_json(value: object) -> object:
    match value:
        case UUID():
            return str(value)
        case date():  # a datetime is one too
            return value.isoformat()
        case _:
            return value


@contextmanager
def _refusals_translated() -> Iterator[None]:
    try:
        yield
    except APIError as error:
        raise _to_error(error) from None
    except httpx.HTTPError:
        raise _unreachable() from None


def _to_error(error: APIError) -> PeerPauseError:
    code = str(error.code or "")
    if code in _AWAY:
        return _unreachable()
    if code in _NOT_SIGNED_IN:
        return PermissionDenied("Your sign-in is not valid or has expired.", hint="Sign in again.")
    detail = error.details if isinstance(error.details, str | None) else json.dumps(error.details)
    return to_error(Refusal(code, error.message, detail, error.hint))


def _unreachable() -> Unavailable:
    return Unavailable("The Supabase project cannot be reached just now.", hint="Try again in a moment.")


def _read(how: Callable[[], T]) -> T:
    try:
        return how()
    except (KeyError, IndexError, TypeError, ValueError):
        raise DatabaseFault(
            "The Supabase project answered in a form we do not know.",
            hint="Check that its PeerPause migrations are as new as this program.",
        ) from None
