"""Looks an installation over: what is set up, what is missing, what is stuck, and what to do about each. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import psycopg

from peerpause.database.migrate import Migrator
from peerpause.database.session import Row, Service, Sessions
from peerpause.errors import ConfigurationError, PeerPauseError
from peerpause.notifications.channels import Refused, TokenGone, TryAgain
from peerpause.settings import Settings
from peerpause.wiring import mail_channel, push_channel

_FAULT = TryAgain | Refused | TokenGone


class Verdict(StrEnum):
    """How a check ended. A note is no fault: something is not set up, and that may be meant."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, as a sentence, and what to do about it where there is anything to do."""

    check: str
    verdict: Verdict
    message: str
    advice: str | None = None


async def examine(settings: Settings, *, database_url: str) -> tuple[Finding, ...]:
    """Check everything that can be checked from here; the database first, for most of the rest is in it.

    Asks the database, Google's token endpoint and the mail host; sends nothing. Never raises for what it finds.
    """
    findings = [*(await _database(database_url))]
    findings += [await _push(settings), await _mail(settings), *_keys(settings)]
    return tuple(findings)


async def _database(url: str) -> list[Finding]:
    try:
        await (await psycopg.AsyncConnection.connect(url, connect_timeout=5)).close()
    except psycopg.OperationalError:
        # Without the driver's sentence, which quotes the address.
        return [_wrong("database", "The database does not answer.", _ADDRESS)]
    async with Sessions(url=url, size=2) as sessions:
        findings = [_fine("database", "The database answers.")]
        migrations = await _migrations(url)
        findings.append(migrations)
        if migrations.verdict is Verdict.WRONG:
            return findings  # the rest would ask for what may not be there
        try:
            (facts,) = await sessions.call(Service(), "diagnose")
            findings.append(await _worker(sessions, facts))
            findings += _telling(facts)
            findings += await _schedule(sessions)
        except PeerPauseError as error:
            findings.append(_wrong("database", error.message, error.hint or "See the server's log."))
        return findings


async def _migrations(url: str) -> Finding:
    try:
        ledger = await Migrator(url=url).status()
    except psycopg.errors.InsufficientPrivilege:
        return _note(
            "migrations",
            "This login may not read the ledger of migrations.",
            "Run `peerpause migrate status` as the role that owns the database.",
        )
    except (PeerPauseError, psycopg.Error) as error:
        return _wrong("migrations", f"The ledger cannot be read ({type(error).__name__}).", _MIGRATE)
    if ledger.pending:
        return _wrong("migrations", f"{len(ledger.pending)} migrations are not applied.", _MIGRATE)
    if ledger.unknown:
        return _wrong(
            "migrations",
            "A newer program has been at this database.",
            "Install the newer PeerPause here too.",
        )
    return _fine("migrations", "Every migration is applied.")


async def _worker(sessions: Sessions, facts: Row) -> Finding:
    if not facts["has_procrastinate"]:
        return _wrong(
            "worker", "Procrastinate's tables are missing, so no worker can keep the schedule.", _MIGRATE
        )
    (row,) = await sessions.call(Service(), "living_workers")
    if not row["workers"]:
        return _wrong(
            "worker",
            "No worker has given a sign of life for two minutes: nobody is told of changes.",
            "Start `peerpause worker`, or `peerpause serve`, which runs one beside it.",
        )
    return _fine("worker", f"{row['workers']} running.")


def _telling(facts: Row) -> Iterator[Finding]:
    stuck = facts["stuck_changes"] + facts["stuck_deliveries"]
    if stuck:
        yield _wrong(
            "outbox",
            f"{facts['stuck_changes']} changes and {facts['stuck_deliveries']} deliveries are overdue.",
            "See that a worker runs, and what it logs; `peerpause deliveries list --state pending` shows them.",
        )
    else:
        yield _fine("outbox", "Nothing is overdue.")
    if facts["failed_today"]:
        yield _wrong(
            "deliveries",
            f"{facts['failed_today']} deliveries failed or expired within a day.",
            "`peerpause deliveries list --state failed --state expired` says why; then `peerpause deliveries retry`.",
        )
    else:
        yield _fine("deliveries", "None failed within a day.")
    if facts["orphaned_chapters"]:
        first = ", ".join(str(each) for each in facts["orphaned_chapter_ids"])
        yield _wrong(
            "coordinators",
            f"{facts['orphaned_chapters']} chapters with mentors have no active coordinator ({first}).",
            "Appoint one for each; until then the organisation's admins are told instead.",
        )
    else:
        yield _fine("coordinators", "Every chapter with mentors has one.")


async def _schedule(sessions: Sessions) -> list[Finding]:
    (row,) = await sessions.call(Service(), "certification_watchdog")
    problems: list[dict[str, Any]] = row["report"]["problems"]
    codes = sorted({str(each["code"]) for each in problems if each["code"] in _SCHEDULE_ADVICE})
    if not codes:
        return [_fine("schedule", "The nightly certificate check is up to date.")]
    return [_wrong("schedule", f"The certificate check: {code}.", _SCHEDULE_ADVICE[code]) for code in codes]


async def _push(settings: Settings) -> Finding:
    try:
        async with push_channel(settings) as channel:
            if channel is None:
                return _note(
                    "push",
                    "PEERPAUSE_FCM_CREDENTIALS is not set: no pushes are sent, the inbox works.",
                    "docs/notifications.md says how to get a service account.",
                )
            fault = await channel.sign_in()
    except ConfigurationError as error:
        return _wrong("push", error.message, error.hint or _CREDENTIALS)
    if fault is not None:
        return _fault("push", "Google gave no access token", fault, _CREDENTIALS)
    return _fine("push", "Google takes the credentials.")


async def _mail(settings: Settings) -> Finding:
    try:
        async with mail_channel(settings) as channel:
            if channel is None:
                return _note(
                    "mail",
                    "PEERPAUSE_SMTP_URL is not set: people without a device are told in the inbox only.",
                    "Set it to your mail host to reach them by e-mail.",
                )
            fault = await channel.sign_in()
    except ConfigurationError as error:
        return _wrong("mail", error.message, error.hint or _MAIL_HOST)
    if isinstance(fault, _FAULT):
        return _fault("mail", "The mail host refused or did not answer", fault, _MAIL_HOST)
    return _fine("mail", "The mail host answers.")


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.jwt_secret is None and settings.jwks_url is None:
        yield _note(
            "tokens",
            "Neither PEERPAUSE_JWT_SECRET nor PEERPAUSE_JWKS_URL is set: nobody can sign in over HTTP.",
            "Set one of them before `peerpause serve`.",
        )
    if settings.service_key is None:
        yield _note(
            "service key",
            "PEERPAUSE_SERVICE_KEY is not set: no job or server can call the HTTP API as the system.",
            "Set it where an external scheduler or your own server needs it.",
        )


def _fault(check: str, what: str, fault: _FAULT, advice: str) -> Finding:
    passing = isinstance(fault, TryAgain)
    return _wrong(check, f"{what} ({fault.code}).", _ON_THE_WAY if passing else advice)


def _fine(check: str, message: str) -> Finding:
    return Finding(check, Verdict.FINE, message)


def _note(check: str, message: str, advice: str) -> Finding:
    return Finding(check, Verdict.NOTE, message, advice)


def _wrong(check: str, message: str, advice: str) -> Finding:
    return Finding(check, Verdict.WRONG, message, advice)


_MIGRATE: Final = "Run `peerpause migrate up` as the role that owns the database."
_ADDRESS: Final = "Check that the server runs, and host, port, name and password in PEERPAUSE_DATABASE_URL."
_CREDENTIALS: Final = "Make a new key for the service account in the Firebase console and put it into PEERPAUSE_FCM_CREDENTIALS."
_MAIL_HOST: Final = "Check host, port, name and password in PEERPAUSE_SMTP_URL."
_ON_THE_WAY: Final = (
    "Look whether this machine may connect to it (firewall, proxy, name service), and try again."
)
_SCHEDULE_ADVICE: Final = {
    "run_missing": "See that a worker or pg_cron runs it at 02:00 UTC; `peerpause expire` catches up now.",
    "run_failed": "The worker's log names the error; mend it and run `peerpause expire`.",
    "run_stuck": "Nothing to do if it ends by itself; otherwise the next run takes over.",
    "expired_but_active": "Run `peerpause expire`; the public roster leaves these mentors out already.",
}
