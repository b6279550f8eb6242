"""Which due pushes go out on their own, which together, and which wait a little: pure, time comes in as ``now``.

The inbox keeps an entry for each change whatever is decided here; only the phone is spared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID, uuid5

MOST_IN_A_MINUTE: Final = 5
"""Pushes one person gets within a minute before the rest is summed up."""

_MINUTE: Final = timedelta(minutes=1)


class Due(Protocol):
    """What the decision needs to know of a delivery."""

    @property
    def id(self) -> UUID:
        """The delivery."""
        ...

    @property
    def recipient_id(self) -> UUID:
        """Whom it is for."""
        ...

    @property
    def about_self(self) -> bool:
        """Whether the recipient is the mentor."""
        ...

    @property
    def job_run_id(self) -> UUID | None:
        """The run that made the change, if one did."""
        ...

    @property
    def summary_id(self) -> UUID | None:
        """What it was tied to before, if it was."""
        ...

    @property
    def recently_sent(self) -> Sequence[datetime]:
        """When the recipient was sent something in the last minute; aware times."""
        ...


D = TypeVar("D", bound=Due)


@dataclass(frozen=True, slots=True)
class Bundle(Generic[D]):
    """Deliveries to one person that go out as one push. ``summary_id`` is ``None`` for a single one."""

    deliveries: tuple[D, ...]
    summary_id: UUID | None


@dataclass(frozen=True, slots=True)
class Postponed(Generic[D]):
    """A delivery that waits until ``until`` (aware), to go out with others under ``summary_id``."""

    delivery: D
    summary_id: UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class Plan(Generic[D]):
    """What to do with the deliveries that are due; each of them is in it exactly once."""

    bundles: tuple[Bundle[D], ...]
    postponed: tuple[Postponed[D], ...]


def plan_pushes(due: Iterable[D], *, now: datetime) -> Plan[D]:
    """Decide for each delivery, recipient by recipient.

    1. What was tied together before (a repeat after a crash, a burst that waited) stays together.
    2. The changes of one job run become one push for each coordinator; the mentors themselves get their own.
    3. Of everything else, up to five pushes go to one person within a minute; if more are due, they become one; if five went
       out just now, the rest waits for the first of them to be a minute old and then becomes one.
    """
    tied: defaultdict[tuple[UUID, UUID], list[D]] = defaultdict(list)
    loose: defaultdict[UUID, list[D]] = defaultdict(list)
    for delivery in due:
        group = _group(delivery)
        if group is None:
            loose[delivery.recipient_id].append(delivery)
        else:
            tied[delivery.recipient_id, group].append(delivery)

    bundles = [_bundle(group, deliveries) for (_, group), deliveries in tied.items()]
    postponed: list[Postponed[D]] = []
    for recipient_id, deliveries in loose.items():
        recent = [sent for sent in deliveries[0].recently_sent if sent > now - _MINUTE]
        if len(recent) + len(deliveries) <= MOST_IN_A_MINUTE:
            bundles += [Bundle((each,), None) for each in deliveries]
        elif len(recent) < MOST_IN_A_MINUTE:
            bundles.append(_bundle(uuid5(recipient_id, str(deliveries[0].id)), deliveries))
        else:
            until = min(recent) + _MINUTE
            summary_id = uuid5(recipient_id, until.isoformat())
            postponed += [Postponed(each, summary_id, until) for each in deliveries]
    return Plan(bundles=tuple(bundles), postponed=tuple(postponed))


def _group(delivery: Due) -> UUID | None:
    if delivery.summary_id is not None:
        return delivery.summary_id
    if delivery.job_run_id is not None and not delivery.about_self:
        return uuid5(delivery.job_run_id, str(delivery.recipient_id))
    return None


def _bundle(summary_id: UUID, deliveries: Sequence[D]) -> Bundle[D]:
    return Bundle(tuple(deliveries), summary_id if len(deliveries) > 1 else None)
