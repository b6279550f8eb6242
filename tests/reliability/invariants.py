"""What must hold after any fault: every acknowledged change is there with exactly one row of history, nothing else is, and everybody was told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

_HISTORY = """
select h.mentor_id, h.previous_status::text, h.new_status::text, h.changed_at, h.told_at
from public.peer_mentor_status_history as h
order by h.mentor_id, h.changed_at
"""
_MENTORS = "select p.id, p.status::text, p.updated_at from public.peer_mentors as p"
# Who was to hear of each change: each active coordinator of each of the mentor's chapters but the one who made it. The step out of a
# pause on the way out is news to nobody.
_INBOX = """
select h.id, r.user_id, count(n.id) as entries
from public.peer_mentor_status_history as h
inner join public.chapter_memberships as m on m.mentor_id = h.mentor_id
inner join public.coordinator_roles as r on r.chapter_id = m.chapter_id and r.active
left join public.notifications as n on n.history_id = h.id and n.recipient_id = r.user_id
where
  h.previous_status is not null and r.user_id is distinct from h.changed_by and h.reason is distinct from 'resignation_step'
group by h.id, r.user_id
having count(n.id) <> 1
"""


def breaches(url: str, acknowledged: Mapping[UUID, int]) -> list[str]:
    """Everything that does not hold, in words. ``acknowledged`` says how often each mentor's status was changed, as far as anybody was told."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        rows = connection.execute(_HISTORY).fetchall()
        mentors = {row["id"]: row for row in connection.execute(_MENTORS).fetchall()}
        unheard = connection.execute(_INBOX).fetchall()
    history: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        history.setdefault(row["mentor_id"], []).append(row)
    found = [f"{len(unheard)} times somebody was not told, or twice"] if unheard else []
    for mentor_id, mentor in mentors.items():
        found += [
            f"{mentor_id}: {what}"
            for what in _of_one(mentor, history.get(mentor_id, []), acknowledged.get(mentor_id, 0))
        ]
    return found


async def holds_in_the_end(url: str, acknowledged: Mapping[UUID, int]) -> None:
    """Wait for everybody to have been told, then see that everything holds."""
    found: list[str] = []
    for _ in range(600):
        found = await asyncio.to_thread(breaches, url, acknowledged)
        if not found:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("\n".join(found[:20]))


def _of_one(mentor: Mapping[str, Any], history: list[dict[str, Any]], acknowledged: int) -> Iterator[str]:
    changes = [row for row in history if row["previous_status"] is not None]
    if len(changes) != acknowledged:
        yield f"{acknowledged} changes were acknowledged, {len(changes)} are in the history"
    if any(earlier["new_status"] != later["previous_status"] for earlier, later in pairwise(history)):
        yield "a change does not begin where the one before it ended"
    if not history or history[-1]["new_status"] != mentor["status"]:
        yield f"is {mentor['status']}, which the history does not say"
    elif changes and changes[-1]["changed_at"] != mentor["updated_at"]:
        yield "was changed without a row of history"
    if any(row["told_at"] is None for row in changes):
        yield "a change has not been told"
