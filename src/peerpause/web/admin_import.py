"""`/admin/…/import`: people, chapters and certificates from spreadsheets: looked through first, then imported wholly or not at all.

Between looking and importing nothing is kept here: the files travel with the form, and the import is refused where it would do
anything but what was looked through.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

from peerpause.directory.csv_files import ImportFile
from peerpause.directory.findings import Problem
from peerpause.directory.own_import import OwnImport, fingerprint
from peerpause.directory.plan import Part
from peerpause.errors import Conflict, ImportRejected
from peerpause.web.admin import Administered
from peerpause.web.asking import SignedIn
from peerpause.web.forms import Form, read_form
from peerpause.web.languages import Words
from peerpause.web.pages import page, role_word_plural, see_other, words_of
from peerpause.web.reader import Organisation, Reader, Reading, Writing
from peerpause.web.refusals import PageRoute, in_words

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATHS: Final = re.compile(r"/admin/[0-9a-fA-F-]{36}/import(/apply)?")
"""Where more may be sent than anywhere else …"""

LARGEST_BODY: Final = 4 * 1024 * 1024
"""… and how many bytes: the files, as they travel with the second form, and what is around them."""

_LARGEST_FILES: Final = 2 * 1024 * 1024
_MOST_FILES: Final = 4
_MOST_FINDINGS: Final = 200
_LONGEST_NAME: Final = 80


async def _with_files(request: Request, person: SignedIn) -> AsyncIterator[None]:
    """Read the form before anything else does, for elsewhere none may have files in it."""
    async with request.form(max_files=_MOST_FILES, max_fields=20, max_part_size=LARGEST_BODY):
        yield


WithFiles = Annotated[None, Depends(_with_files)]


@router.get("/admin/{organisation_id}/import")
async def choose(
    request: Request, reader: Reading, organisation: Administered, done: int | None = None
) -> Response:
    """What may be imported, and where to choose the files."""
    form = Form(words_of(request, reader))
    return await _choosing(request, reader, organisation, form, done=done)


@router.post("/admin/{organisation_id}/import")
async def look_through(
    request: Request, _: WithFiles, reader: Writing, organisation: Administered
) -> Response:
    """What the files would do, and everything that is wrong with them. Changes nothing."""
    form = await read_form(request, words_of(request, reader))
    files = await _uploaded(request, form)
    if not form.is_good:
        return await _choosing(request, reader, organisation, form, status=422)
    return await _reviewing(request, reader, organisation, files)


@router.post("/admin/{organisation_id}/import/apply")
async def apply(request: Request, _: WithFiles, reader: Writing, organisation: Administered) -> Response:
    """Import what was looked through."""
    form = await read_form(request, words_of(request, reader))
    files = _carried(form)
    if not files:
        return see_other(f"/admin/{organisation.organisation_id}/import")
    try:
        report = await _own_import(request, reader, organisation).apply(files, seen=form.value("seen"))
    except Conflict as conflict:
        return await _reviewing(
            request, reader, organisation, files, status=409, notice=in_words(conflict, form.words)
        )
    except ImportRejected as rejection:
        return await _reviewing(
            request, reader, organisation, files, status=409, findings=rejection.detail["findings"]
        )
    return see_other(f"/admin/{organisation.organisation_id}/import", done=report.rows_written)


async def _choosing(
    request: Request,
    reader: Reader,
    organisation: Organisation,
    form: Form,
    *,
    status: int = 200,
    done: int | None = None,
) -> Response:
    return page(
        request,
        "admin/import.html",
        reader=reader,
        status=status,
        organisation=organisation,
        form=form,
        code=await _own_import(request, reader, organisation).code(),
        most_megabytes=_LARGEST_FILES // 1024**2,
        done=done,
    )


async def _reviewing(
    request: Request,
    reader: Reader,
    organisation: Organisation,
    files: Sequence[ImportFile],
    *,
    status: int = 200,
    notice: str | None = None,
    findings: Sequence[Mapping[str, Any]] | None = None,
) -> Response:
    plan = await _own_import(request, reader, organisation).plan(files)
    found = [each.to_json() for each in plan.findings] if findings is None else findings
    found = sorted(found, key=lambda each: not each["blocks"])
    words = words_of(request, reader)
    return page(
        request,
        "admin/import_review.html",
        reader=reader,
        status=status,
        organisation=organisation,
        plan=plan,
        parts_named=_parts(words, role_word_plural(organisation, words.language)),
        problems=_problems(words),
        findings=found[:_MOST_FINDINGS],
        findings_left_out=len(found) - len(found[:_MOST_FINDINGS]),
        blocked=sum(1 for each in found if each["blocks"]),
        files=[(file.name, base64.b64encode(file.content).decode()) for file in files],
        seen=fingerprint(plan),
        notice=notice,
    )


async def _uploaded(request: Request, form: Form) -> list[ImportFile]:
    """The files that were chosen; what is wrong with them is said in the form."""
    files: list[ImportFile] = []
    sent = await request.form()
    for each in sent.getlist("files"):
        if isinstance(each, UploadFile) and each.filename:
            files.append(ImportFile(_name(each.filename, len(files)), await each.read()))
    if not files:
        form.refuse("files", form.words.gettext("Choose one or several CSV files."))
    elif sum(len(file.content) for file in files) > _LARGEST_FILES:
        form.refuse(
            "files",
            form.words.gettext("Together the files are larger than %(count)s MB. Send fewer of them at once.")
            % {"count": _LARGEST_FILES // 1024**2},
        )
    return files


def _carried(form: Form) -> list[ImportFile]:
    """The files that travelled with the form."""
    contents = form.lists.get("content", [])
    names = form.lists.get("name", [])
    try:
        return [
            ImportFile(_name(name, number), base64.b64decode(content, validate=True))
            for number, (name, content) in enumerate(zip(names, contents, strict=True))
        ]
    except (ValueError, binascii.Error):
        return []


def _name(given: str, number: int) -> str:
    """What findings call a file: its name without folders, each its own."""
    name = PurePosixPath(given.replace("\\", "/")).name
    printable = "".join(letter for letter in name if letter.isprintable())[:_LONGEST_NAME].strip()
    return printable or f"{number + 1}.csv"


def _own_import(request: Request, reader: Reader, organisation: Organisation) -> OwnImport:
    return OwnImport(
        sessions=request.app.state.services.sessions,
        caller=reader.claims,
        organisation_id=organisation.organisation_id,
    )


def _parts(words: Words, mentors: str) -> Mapping[Part, str]:
    return {
        Part.CHAPTERS: words.gettext("Chapters"),
        Part.PEOPLE: words.gettext("People"),
        Part.MENTORS: mentors[:1].upper() + mentors[1:],
        Part.MEMBERSHIPS: words.gettext("Memberships of chapters"),
        Part.COORDINATORS: words.gettext("Coordinators' roles"),
        Part.CERTIFICATES: words.gettext("Certificates"),
    }


def _problems(words: Words) -> Mapping[str, str]:
    """What each finding means, in words that fit all of its kind."""
    return {
        Problem.UNREADABLE: words.gettext("The file cannot be read. Save it as “CSV UTF-8”."),
        Problem.TOO_LARGE: words.gettext("The file is too large. Split it; each part needs the first line."),
        Problem.EMPTY: words.gettext("The file is empty. Its first line must hold the names of the columns."),
        Problem.UNKNOWN_KIND: words.gettext(
            "The first line does not tell what the file lists. Use the names of columns that stand on the page before."
        ),
        Problem.MISSING_COLUMN: words.gettext("A column that is needed is not in the first line."),
        Problem.REPEATED_COLUMN: words.gettext("A column stands in the first line twice."),
        Problem.UNKNOWN_COLUMN: words.gettext("This column is not known and is left out."),
        Problem.EXTRA_CELLS: words.gettext("The line has cells under no column."),
        Problem.MISSING_VALUE: words.gettext("The cell must be filled in."),
        Problem.BAD_VALUE: words.gettext("This value does not fit the column. Check how it is spelt."),
        Problem.BAD_DATE: words.gettext("There is no such day, or it cannot be right."),
        Problem.BAD_TEXT: words.gettext(
            "The text holds line breaks or invisible characters, or is too long."
        ),
        Problem.FORMULA: words.gettext("The cell begins like a formula."),
        Problem.DUPLICATE: words.gettext("The same entry stands there twice."),
        Problem.CONTRADICTION: words.gettext("Two lines say different things about the same person."),
        Problem.NOT_FOR_ROLE: words.gettext("The cell makes no sense for the line's role or status."),
        Problem.UNKNOWN_ORGANISATION: words.gettext("There is no organisation with this code."),
        Problem.UNKNOWN_CHAPTER: words.gettext(
            "There is no chapter with this code, neither in the files nor here."
        ),
        Problem.UNKNOWN_PERSON: words.gettext(
            "There is nobody with this code, neither in the files nor here."
        ),
        Problem.TOO_MANY_CHAPTERS: words.gettext("Nobody may belong to more than five chapters."),
        Problem.ILLEGAL_MOVE: words.gettext(
            "From the present status there is no way to the one in the file."
        ),
        Problem.STATUS_KEPT: words.gettext(
            "The status here differs and stays. An import does not change the status of somebody who is here already."
        ),
        Problem.RETURN_DATE_DROPPED: words.gettext("The day of return is past and is left out."),
        Problem.REFUSED_BY_DATABASE: words.gettext("The database refused a row. Try again."),
        Problem.NOT_YOURS: words.gettext(
            "This is not imported here: another organisation, settings, admins, accounts, or the name or address of somebody who serves elsewhere too."
        ),
    }
