"""Everything that is kept about a person, as a file to take home."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request, Response

from peerpause.errors import NotFound
from peerpause.privacy.document import to_html, to_json
from peerpause.privacy.personal_data import PersonalData
from peerpause.web.pages import language_of
from peerpause.web.reader import Reader


async def person_file(
    request: Request, reader: Reader, person_id: UUID, form: str, *, organisation_id: UUID | None = None
) -> Response:
    """What one organisation, or with None each, keeps about a person, as `json` or `html`. That it was taken is recorded.

    Raises ``NotFound`` for any other form, and for a person who is not the reader's business.
    """
    if form not in ("json", "html"):
        raise NotFound("There is nothing at this address.")
    data: PersonalData = request.app.state.services.personal_data
    found = await data.export(reader.claims, person_id, organisation_id=organisation_id)
    body = to_json(found) if form == "json" else to_html(found, language=language_of(request, reader))
    return Response(
        body,
        media_type="application/json" if form == "json" else "text/html; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="person.{form}"',
            "Cache-Control": "no-store",
        },
    )
