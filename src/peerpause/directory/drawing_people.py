"""The people's part of a plan: accounts, mentors with their status, memberships, coordinators, admins. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import Final
from uuid import UUID

from peerpause.directory.accounts import Accounts, settle_accounts
from peerpause.directory.draft import Draft, Organisation
from peerpause.directory.existing import ExistingMentor, ExistingRole
from peerpause.directory.external_ids import mentor_id, stand_in_user_id
from peerpause.directory.findings import Place, Problem
from peerpause.directory.lines import MAX_CHAPTERS, PersonLine, Role
from peerpause.directory.plan import Deed, Part
from peerpause.status.rules import MentorStatus, ReasonCode, is_valid_transition

_FACTS: Final = ("display_name", "first_name", "email", "language")


def draw_people(draft: Draft, lines: Sequence[PersonLine]) -> None:
    """Add everything that people's lines ask for."""
    accounts = settle_accounts(
        lines,
        organisations=draft.existing.organisations,
        mentors=draft.existing.mentors,
        staff=draft.existing.staff,
    )
    draft.findings.extend(accounts.findings)
    _draw_accounts(draft, lines, accounts)
    coordinators = _by_person(draft.existing.coordinators.values())
    admins = _by_person(draft.existing.admins.values())
    for line in lines:
        organisation = draft.organisation(line.at, line.organisation)
        if organisation is None:
            continue
        chapters = _chapters(draft, line, organisation)
        user_id = accounts.of(line)
        match line.role:
            case Role.MENTOR:
                _draw_mentor(draft, line, organisation, user_id, chapters)
            case Role.COORDINATOR:
                _draw_roles(draft, Part.COORDINATORS, coordinators, line, organisation, user_id, chapters)
            case Role.ADMIN:
                _draw_roles(draft, Part.ADMINS, admins, line, organisation, user_id, [organisation.id])


def _draw_accounts(draft: Draft, lines: Iterable[PersonLine], accounts: Accounts) -> None:
    """One row a person, however many lines they have; these must not contradict each other."""
    wanted: dict[UUID, dict[str, str | None]] = {}
    places: dict[UUID, Place] = {}
    for line in lines:
        facts = wanted.setdefault(accounts.of(line), dict.fromkeys(_FACTS))
        places.setdefault(accounts.of(line), line.at)
        for fact in _FACTS:
            value: str | None = getattr(line, fact)
            if value is not None and facts[fact] not in (None, value):
                draft.find(
                    line.at,
                    fact,
                    Problem.CONTRADICTION,
                    "Another line says something else about the same person.",
                    "Write the same in all lines of a person.",
                )
            facts[fact] = facts[fact] or value
    for user_id, facts in wanted.items():
        existing = draft.existing.people.get(user_id)
        if existing is None:
            draft.write(Part.PEOPLE, Deed.CREATE, user_id=str(user_id), **facts)
            continue
        now = {fact: getattr(existing, fact) for fact in _FACTS}
        if user_id in draft.existing.shared and any(facts[fact] not in (None, now[fact]) for fact in _FACTS):
            draft.find(
                places[user_id],
                None,
                Problem.NOT_YOURS,
                "The person has a part in another organisation too, where name, address or language are others than here.",
                "Empty the e-mail address and the language, and write the name as it is in PeerPause; the person changes them.",
            )
        else:
            draft.change_or_leave(Part.PEOPLE, now, facts, user_id=str(user_id))


def _chapters(draft: Draft, line: PersonLine, organisation: Organisation) -> list[UUID]:
    # Every code is looked up, so that each wrong one is told.
    found = [draft.chapter(line.at, organisation.id, code) for code in line.chapters]
    return [chapter for chapter in found if chapter is not None]


def _draw_mentor(
    draft: Draft, line: PersonLine, organisation: Organisation, user_id: UUID, chapters: list[UUID]
) -> None:
    existing = draft.existing.mentors.get((organisation.id, line.person))
    if existing is None:
        mentor = mentor_id(line.organisation, line.person)
        draft.mentors[organisation.id, line.person] = mentor
        _draw_new_mentor(draft, line, organisation, mentor, user_id)
    else:
        mentor = existing.id
        _check_status(draft, line, existing)
        draft.change_or_leave(
            Part.MENTORS,
            {
                "user_id": str(existing.user_id),
                "display_name": existing.display_name,
                "first_name": existing.first_name,
            },
            {"user_id": str(user_id), "display_name": line.display_name, "first_name": line.first_name},
            id=str(mentor),
        )
    _draw_memberships(draft, line, organisation, mentor, chapters)


def _draw_new_mentor(
    draft: Draft, line: PersonLine, organisation: Organisation, mentor: UUID, user_id: UUID
) -> None:
    status = line.status or MentorStatus.ACTIVE
    paused = status is MentorStatus.PAUSED
    today = draft.today(organisation)
    if line.paused_since is not None and line.paused_since > today:
        draft.find(
            line.at,
            "paused_since",
            Problem.BAD_DATE,
            f"{line.paused_since} lies in the future.",
            "Import the mentor as active and plan the pause in PeerPause.",
        )
    expected_return = line.expected_return
    if expected_return is not None and expected_return < today:
        draft.find(
            line.at,
            "expected_return",
            Problem.RETURN_DATE_DROPPED,
            f"{expected_return} is past, so the pause is imported without a day of return.",
            "Ask the mentor when they expect to be back.",
        )
        expected_return = None
    reason = line.pause_reason or ReasonCode.OTHER
    draft.write(
        Part.MENTORS,
        Deed.CREATE,
        id=str(mentor),
        organisation_id=str(organisation.id),
        external_id=line.person,
        user_id=str(user_id),
        display_name=line.display_name,
        first_name=line.first_name,
        status=status.value,
        pause_at=_start(line, organisation),
        pause_reason=reason.value if paused else None,
        expected_return_on=expected_return.isoformat() if expected_return and paused else None,
    )


def _start(line: PersonLine, organisation: Organisation) -> str | None:
    """The first moment of the pause's first day where the organisation is; None means now."""
    if line.status is not MentorStatus.PAUSED or line.paused_since is None:
        return None
    return datetime.combine(line.paused_since, time(), organisation.time_zone).isoformat()


def _check_status(draft: Draft, line: PersonLine, mentor: ExistingMentor) -> None:
    """An import never changes the status of somebody who is here already: such a change needs an actor and a reason."""
    if line.status is None or line.status is mentor.mentor_status:
        return
    if is_valid_transition(mentor.mentor_status, line.status):
        draft.find(
            line.at,
            "status",
            Problem.STATUS_KEPT,
            f"The mentor is {mentor.status} and stays so; the file says {line.status}.",
            "Change the status in PeerPause, or empty the cell.",
        )
        return
    draft.find(
        line.at,
        "status",
        Problem.ILLEGAL_MOVE,
        f"The mentor is {mentor.status}; there is no way from there to {line.status}.",
        "Empty the cell. Somebody who comes back after resigning gets a new line with a person code of its own."
        if mentor.mentor_status.is_terminal
        else "Empty the cell. A paused mentor who wants to resign does so in PeerPause.",
    )


def _draw_memberships(
    draft: Draft, line: PersonLine, organisation: Organisation, mentor: UUID, chapters: list[UUID]
) -> None:
    existing = draft.existing.memberships.get(mentor, frozenset())
    total = len(existing.union(chapters))
    # More than that in the line itself was told when the line was read.
    if total > MAX_CHAPTERS >= len(line.chapters):
        draft.find(
            line.at,
            "chapters",
            Problem.TOO_MANY_CHAPTERS,
            f"With those in the database the mentor would belong to {total} chapters; {MAX_CHAPTERS} are the most.",
            "An import takes nobody out of a chapter. End a membership in PeerPause first, or take a code away.",
        )
    for chapter in chapters:
        if chapter in existing:
            draft.leave(Part.MEMBERSHIPS)
        else:
            draft.write(
                Part.MEMBERSHIPS,
                Deed.CREATE,
                organisation_id=str(organisation.id),
                chapter_id=str(chapter),
                mentor_id=str(mentor),
            )


def _by_person(roles: Iterable[ExistingRole]) -> Mapping[UUID, dict[UUID, bool]]:
    """For every person, the places of their roles and whether each is in force."""
    held: dict[UUID, dict[UUID, bool]] = defaultdict(dict)
    for role in roles:
        held[role.user_id][role.place_id] = role.active
    return held


def _draw_roles(
    draft: Draft,
    part: Part,
    held: Mapping[UUID, dict[UUID, bool]],
    line: PersonLine,
    organisation: Organisation,
    user_id: UUID,
    places: list[UUID],
) -> None:
    """Give the person the role in every place; what their stand-in holds goes over to their account."""
    told = None if line.status is None else line.status is MentorStatus.ACTIVE
    mine = held.get(user_id, {})
    stand_in = stand_in_user_id(line.organisation, line.person)
    left_behind = held.get(stand_in, {}) if stand_in != user_id else {}
    for place, active in left_behind.items():
        if place not in mine:
            wanted = active if told is None or place not in places else told
            draft.write(
                part,
                Deed.MOVE,
                place_id=str(place),
                user_id=str(user_id),
                old_user_id=str(stand_in),
                active=wanted,
            )
        elif active:
            draft.write(part, Deed.CHANGE, place_id=str(place), user_id=str(stand_in), active=False)
    for place in places:
        if place in mine:
            draft.change_or_leave(
                part,
                {"active": mine[place]},
                {"active": told},
                place_id=str(place),
                user_id=str(user_id),
            )
        elif place not in left_behind:
            draft.write(
                part,
                Deed.CREATE,
                organisation_id=str(organisation.id),
                place_id=str(place),
                user_id=str(user_id),
                active=True if told is None else told,
            )
