"""The demo's second act: certificates have run out, the nightly check pauses their mentors, a renewal brings one back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from peerpause.certifications.expiry import ExpiryReport
from peerpause.certifications.renewals import record_renewal
from peerpause.database.session import Claims, Service
from peerpause.demo.fcm_standin import Arrival
from peerpause.demo.narrator import Narrator, require, until
from peerpause.demo.stage import Stage

_PATIENCE: Final = 60.0


class CertificatesAct:
    """A lapsed mentor is off the public roster at once, paused by the night's check, and back with the renewal."""

    def __init__(self, stage: Stage, *, console: Console) -> None:
        self._services = stage.services
        self._standin = stage.standin
        self._console = console
        self._narrator = Narrator(console)

    async def play(self) -> None:
        """Play the act.

        1. a mentor whose certificate has run out is not on the roster, whatever their status says;
        2. the check pauses all who are lapsed; run again, it finds nothing to do;
        3. each coordinator gets one push that sums it up;
        4. a coordinator records a renewal: the mentor is active and listed again.

        Raises ``StoryFailed`` at the first step that does not do what it should.
        """
        rows = await self._services.sessions.call(Service(), "demo_lapsed")
        if not rows:
            self._narrator.scene(
                6, "Every certificate has been renewed by earlier runs; --fresh brings the lapsed back."
            )
            return
        cast = rows[0]
        self._narrator.scene(
            6, f"{cast['mentor_first_name']}'s certificate has run out. Status: {cast['status']}."
        )
        require(
            not await self._is_listed(cast),
            "a lapsed mentor is off the public roster, before any job has run",
        )
        self._console.print(
            "  The public page does not list the mentor, although no job has run yet: it asks for the date."
        )
        arrivals = self._standin.on_arrival()
        await self._check(arrivals)
        await self._renew(cast, arrivals)

    async def _check(self, arrivals: AsyncIterator[Arrival]) -> None:
        self._narrator.scene(7, "The nightly check, started by hand:")
        first = await self._run()
        again = await self._run()
        require(again.paused == 0 and again.errors == 0, "the second run finds nothing to do")
        self._console.print(
            f"  paused [bold]{first.paused}[/], skipped {first.skipped}, errors {first.errors}; run again: paused {again.paused}"
        )
        if first.paused:
            await self._summaries(first, arrivals)

    async def _run(self) -> ExpiryReport:
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task("expired certificates", total=None)
            report = await self._services.expiry.run(
                progress=lambda report: bar.update(task, completed=report.visited, total=report.expected)
            )
        self._services.bell.ring()
        require(report.status == "succeeded", "the run succeeds")
        return report

    async def _summaries(self, report: ExpiryReport, arrivals: AsyncIterator[Arrival]) -> None:
        """Each coordinator of a paused mentor gets one push; the demo does not wait for the minute they are spread over."""
        assert report.job_id is not None  # a run that succeeded has one
        coordinators = await self._hurry(report.job_id)
        waiting = {f"demo-phone-{each}" for each in coordinators}
        summed_up = 0
        async for arrival in until(arrivals, _PATIENCE, "every coordinator gets a summary"):
            event = arrival.message.get("data", {}).get("event")
            if arrival.accepted and arrival.target in waiting:
                waiting.discard(arrival.target)
                summed_up += event == "summary_certification"
                if event == "summary_certification" and summed_up == 1:
                    self._narrator.show(arrival)
            if not waiting:
                break
        self._console.print(
            f"  {len(coordinators)} coordinators got one push each, {summed_up} of them a summary of several mentors."
        )

    async def _hurry(self, job_run_id: UUID) -> list[UUID]:
        """Wait until the outbox has told the run's changes, then let their pushes go now."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                told = await self._services.outbox.tell_changes()
                (row,) = await self._services.sessions.call(
                    Service(), "demo_hurry", {"job_run_id": job_run_id}
                )
                if row["coordinators"] and not told.changes:
                    for sender in self._services.senders:
                        sender.wake()
                    return list(row["coordinators"])
                await asyncio.sleep(0.1)

    async def _renew(self, cast: Mapping[str, Any], arrivals: AsyncIterator[Arrival]) -> None:
        self._narrator.scene(
            8,
            f"{cast['coordinator_name']} records that {cast['mentor_first_name']}'s certificate was renewed.",
        )
        today = date.today()
        renewal = await record_renewal(
            self._services.sessions,
            Claims(cast["coordinator_id"]),
            cast["mentor_id"],
            issued_on=today,
            expires_on=today + timedelta(days=730),
            kind=cast["kind"],
        )
        self._services.bell.ring()
        require(renewal.reactivated and renewal.status == "active", "the renewal ends the pause")
        phone = f"demo-phone-{cast['mentor_user_id']}"
        async for arrival in until(arrivals, _PATIENCE, "the mentor is told of the renewal"):
            if arrival.accepted and arrival.target == phone and _event(arrival) == "certification_renewed":
                self._narrator.show(arrival)
                break
        require(await self._is_listed(cast), "a renewed mentor is back on the public roster")
        self._console.print("  The public page lists the mentor again.")

    async def _is_listed(self, cast: Mapping[str, Any]) -> bool:
        return await self._narrator.is_listed(self._services.sessions, cast)


def _event(arrival: Arrival) -> str | None:
    event: str | None = arrival.message.get("data", {}).get("event")
    return event
