"""One change for many mentors: each is a change of its own, one that is refused does not stop the others, and none is passed over in silence.

What was asked and how it went is kept for a day under the id of the form, for whoever asked: the same form sent twice changes
once, and the page that tells of it can be opened again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from peerpause.database.session import Service, Sessions
from peerpause.errors import IdempotencyKeyReused, InvalidArgument, NotFound, PeerPauseError, Unavailable
from peerpause.status.service import MentorStatusService

MOST_AT_ONCE: Final = 500
"""The most mentors that one request may name."""

DONE: Final = "done"
"""The outcome of a change that was made; any other is the code of a refusal."""

ManyAction: TypeAlias = Literal["pause", "reactivate", "deactivate"]


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be done with each of the mentors. ``order_id`` is made with the form."""

    order_id: UUID
    action: ManyAction
    mentor_ids: tuple[UUID, ...]
    reason: str | None = None
    note: str | None = field(default=None, repr=False)
    expected_return_on: date | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How it went: an outcome for each mentor, in the order in which they were named; none while it is still going on."""

    order_id: UUID
    action: ManyAction
    requested_at: datetime
    outcomes: Mapping[UUID, str | None]
    is_finished: bool


async def change_many(sessions: Sessions, service: MentorStatusService, person: UUID, order: Order) -> None:
    """Change one after the other, as the service's caller, who is ``person``, and keep how it went.

    An order that was carried out before is left as it is; one that was interrupted goes on, and what was done is not done again.
    Raises InvalidArgument for none or too many mentors, IdempotencyKeyReused for an id that was used for others, Unavailable when the database is away.
    """
    if not 1 <= len(order.mentor_ids) <= MOST_AT_ONCE:
        raise InvalidArgument(
            f"A change of many names 1 to {MOST_AT_ONCE} mentors.",
            hint="Choose fewer, and send the rest after it.",
        )
    of_order = {"person": person, "id": order.order_id}
    await sessions.call(
        Service(),
        "begin_bulk_change",
        {**of_order, "action": order.action, "mentor_ids": list(order.mentor_ids)},
    )
    known = await read_tally(sessions, person, order.order_id)
    if (known.action, tuple(known.outcomes)) != (order.action, order.mentor_ids):
        raise IdempotencyKeyReused(
            "This form was sent before, for others; nothing was changed.", hint="Begin again from the list."
        )
    if known.is_finished:
        return
    outcomes = [await _outcome(service, order, mentor_id) for mentor_id in order.mentor_ids]
    await sessions.call(Service(), "finish_bulk_change", {**of_order, "outcomes": outcomes})


async def read_tally(sessions: Sessions, person: UUID, order_id: UUID) -> Tally:
    """How an order of this person's went. Raises NotFound for one that is unknown, somebody else's, or forgotten."""
    rows = await sessions.call(Service(), "read_bulk_change", {"person": person, "id": order_id})
    if not rows:
        raise NotFound("There is no such change of many, or it is more than a day old.")
    return _tally(rows[0])


async def _outcome(service: MentorStatusService, order: Order, mentor_id: UUID) -> str:
    key = hashlib.sha256(f"{order.order_id} {mentor_id}".encode()).hexdigest()
    try:
        match order.action:
            case "pause":
                await service.pause_mentor(
                    mentor_id,
                    order.reason,
                    expected_return_on=order.expected_return_on,
                    note=order.note,
                    idempotency_key=key,
                )
            case "reactivate":
                await service.reactivate_mentor(mentor_id, idempotency_key=key)
            case "deactivate":
                await service.deactivate_mentor(mentor_id, order.reason, note=order.note, idempotency_key=key)
    except Unavailable:
        raise  # for the rest as well; the form may be sent again
    except PeerPauseError as error:
        return error.code
    return DONE


def _tally(row: Mapping[str, Any]) -> Tally:
    outcomes: Sequence[str | None] = row["outcomes"] or [None] * len(row["mentor_ids"])
    return Tally(
        order_id=row["id"],
        action=row["action"],
        requested_at=row["requested_at"],
        outcomes=dict(zip(row["mentor_ids"], outcomes, strict=True)),
        is_finished=row["finished_at"] is not None,
    )
