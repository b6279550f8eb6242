"""Draws up the plan of an import: compares the lines of the files with what the database holds. Pure.

Organisations first, then chapters, people with what they are, certificates: each may refer to those before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from peerpause.directory.draft import Draft, Organisation
from peerpause.directory.drawing_people import draw_people
from peerpause.directory.existing import Existing
from peerpause.directory.external_ids import certificate_id, chapter_id, organisation_id
from peerpause.directory.findings import Finding, Problem, in_reading_order
from peerpause.directory.lines import CertificateLine, ChapterLine, ImportLines, OrganisationLine
from peerpause.directory.plan import Deed, ImportPlan, Part

_DEFAULT_TIME_ZONE: Final = "Europe/Oslo"
_DEFAULT_LANGUAGE: Final = "nb"


def draw_plan(lines: ImportLines, found_in_files: Iterable[Finding], existing: Existing) -> ImportPlan:
    """Say what importing these lines would do to a database that holds what ``existing`` says."""
    draft = Draft(existing)
    found = tuple(found_in_files)
    for organisation in lines.organisations:
        _draw_organisation(draft, organisation)
    for chapter in lines.chapters:
        _draw_chapter(draft, chapter)
    draw_people(draft, lines.people)
    for certificate in lines.certificates:
        _draw_certificate(draft, certificate)
    return ImportPlan(
        lines=lines,
        found_in_files=found,
        findings=in_reading_order((*found, *draft.findings)),
        counts=draft.counts(),
        steps=draft.steps(),
    )


def _draw_organisation(draft: Draft, line: OrganisationLine) -> None:
    required = None if line.required_certificates is None else sorted(line.required_certificates)
    existing = draft.existing.organisations.get(line.organisation)
    time_zone = ZoneInfo(line.time_zone or (existing.time_zone if existing else _DEFAULT_TIME_ZONE))
    if existing is not None:
        draft.organisations[line.organisation] = Organisation(existing.id, time_zone)
        draft.change_or_leave(
            Part.ORGANISATIONS,
            {
                "name": existing.name,
                "time_zone": existing.time_zone,
                "language": existing.language,
                "role_word": existing.role_word,
                "required_certification_kinds": sorted(existing.required_certification_kinds),
            },
            {
                "name": line.name,
                "time_zone": line.time_zone,
                "language": line.language,
                "role_word": line.role_word,
                "required_certification_kinds": required,
            },
            id=str(existing.id),
        )
        return
    new_id = organisation_id(line.organisation)
    draft.organisations[line.organisation] = Organisation(new_id, time_zone)
    draft.write(
        Part.ORGANISATIONS,
        Deed.CREATE,
        id=str(new_id),
        external_id=line.organisation,
        name=line.name,
        time_zone=time_zone.key,
        language=line.language or _DEFAULT_LANGUAGE,
        role_word=line.role_word,
        required_certification_kinds=required or [],
    )


def _draw_chapter(draft: Draft, line: ChapterLine) -> None:
    organisation = draft.organisation(line.at, line.organisation)
    if organisation is None:
        return
    existing = draft.existing.chapters.get((organisation.id, line.chapter))
    if existing is not None:
        draft.change_or_leave(
            Part.CHAPTERS, {"name": existing.name}, {"name": line.name}, id=str(existing.id)
        )
        return
    new_id = chapter_id(line.organisation, line.chapter)
    draft.chapters[organisation.id, line.chapter] = new_id
    draft.write(
        Part.CHAPTERS,
        Deed.CREATE,
        id=str(new_id),
        organisation_id=str(organisation.id),
        external_id=line.chapter,
        name=line.name,
    )


def _draw_certificate(draft: Draft, line: CertificateLine) -> None:
    organisation = draft.organisation(line.at, line.organisation)
    if organisation is None:
        return
    mentor = draft.mentors.get((organisation.id, line.person))
    if mentor is None:
        draft.find(
            line.at,
            "person",
            Problem.UNKNOWN_PERSON,
            "The organisation has no mentor with this code, neither in the files nor in the database.",
            "Correct the code, or import a file that lists the person as mentor together with this one.",
        )
        return
    known = draft.existing.certificates.get((mentor, line.kind, line.issued_on), ())
    if line.expires_on in (None, *(certificate.expires_on for certificate in known)) and known:
        draft.leave(Part.CERTIFICATES)
        return
    expires_on = None if line.expires_on is None else line.expires_on.isoformat()
    if known:
        draft.write(Part.CERTIFICATES, Deed.CHANGE, id=str(known[0].id), expires_on=expires_on)
        return
    issued_on = line.issued_on.isoformat()
    draft.write(
        Part.CERTIFICATES,
        Deed.CREATE,
        id=str(certificate_id(mentor, line.kind, issued_on)),
        organisation_id=str(organisation.id),
        mentor_id=str(mentor),
        kind=line.kind,
        issued_on=issued_on,
        expires_on=expires_on,
    )
