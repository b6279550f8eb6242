"""Whose account a line means.

In this order: the account the person's lines name; the one of the mentor they are already; the one of a coordinator or admin of the
same organisation with the same e-mail address and first name; and for somebody without any, a stand-in id made of
organisation and person, which a later import replaces as soon as the file names the account.

An e-mail address alone never decides: couples and offices share one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from peerpause.directory.existing import ExistingMentor, ExistingOrganisation
from peerpause.directory.external_ids import stand_in_user_id
from peerpause.directory.findings import Finding, Place, Problem
from peerpause.directory.lines import PersonLine

PersonKey = tuple[str, str]
"""Organisation and person, by their codes."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Each person's user id, and what does not fit together."""

    user_ids: Mapping[PersonKey, UUID]
    findings: tuple[Finding, ...]

    def of(self, line: PersonLine) -> UUID:
        """The user id of a line's person."""
        return self.user_ids[line.organisation, line.person]


def settle_accounts(
    people: Iterable[PersonLine],
    *,
    organisations: Mapping[str, ExistingOrganisation],
    mentors: Mapping[tuple[UUID, str], ExistingMentor],
    staff: Mapping[tuple[UUID, str, str], UUID],
) -> Accounts:
    """Find every person's user id."""
    lines = tuple(people)
    findings: list[Finding] = []
    user_ids: dict[PersonKey, UUID] = dict(_named(lines, findings))
    _refuse_shared(lines, user_ids, findings)
    for line in lines:
        organisation = organisations.get(line.organisation)
        known = None if organisation is None else _known(line, organisation.id, mentors, staff)
        if known is not None:
            user_ids.setdefault((line.organisation, line.person), known)
    for line in lines:
        key = (line.organisation, line.person)
        if key not in user_ids:
            user_ids[key] = stand_in_user_id(*key)
    return Accounts(user_ids, tuple(findings))


def _named(lines: tuple[PersonLine, ...], findings: list[Finding]) -> dict[PersonKey, UUID]:
    named: dict[PersonKey, UUID] = {}
    for line in lines:
        if line.user_id is None:
            continue
        if named.setdefault((line.organisation, line.person), line.user_id) != line.user_id:
            findings.append(
                Finding(
                    line.at,
                    "user_id",
                    Problem.CONTRADICTION,
                    "Another line gives this person a different account.",
                    "Write the same account id in all lines of a person.",
                )
            )
    return named


def _refuse_shared(
    lines: tuple[PersonLine, ...], named: Mapping[PersonKey, UUID], findings: list[Finding]
) -> None:
    owners: dict[tuple[str, UUID], tuple[str, Place]] = {}
    for line in lines:
        user_id = named.get((line.organisation, line.person))
        if user_id is None:
            continue
        person, at = owners.setdefault((line.organisation, user_id), (line.person, line.at))
        if person != line.person:
            findings.append(
                Finding(
                    line.at,
                    "user_id",
                    Problem.DUPLICATE,
                    f"This account belongs to another person of the organisation, see {at.file}, line {at.line}.",
                    "Give every person an account of their own, or use one person code for both lines.",
                )
            )


def _known(
    line: PersonLine,
    organisation: UUID,
    mentors: Mapping[tuple[UUID, str], ExistingMentor],
    staff: Mapping[tuple[UUID, str, str], UUID],
) -> UUID | None:
    mentor = mentors.get((organisation, line.person))
    if mentor is not None and mentor.user_id is not None:
        return mentor.user_id
    if line.email is None:
        return None
    return staff.get((organisation, line.email.casefold(), line.first_name.casefold()))
