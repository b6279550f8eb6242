"""What visitors see of a chapter, and the ways in which a mentor leaves it."""

from __future__ import annotations

from datetime import date

from tests.cast import Chapter, Mentor, add_certificate, require_certificate
from tests.certifications.time_travel import LONG_AGO
from tests.database.acting import Session, call


def listed(session: Session, chapter: Chapter) -> list[str]:
    """The names on a chapter's roster, in its order."""
    rows = call(session, "public_chapter_roster", p_chapter_id=chapter.chapter_id)
    return [row["display_name"] for row in rows]


def opt_out(session: Session, mentor: Mentor) -> None:
    """Let a mentor be left out of rosters."""
    call(
        session,
        "update_public_profile",
        p_mentor_id=mentor.mentor_id,
        p_listed=False,
        p_languages=[],
        p_presentation=None,
        p_public_contact=None,
    )


def certify_until(session: Session, mentor: Mentor, last_day: date) -> None:
    """Require certificates of the mentor's organisation, and give this mentor one."""
    require_certificate(session, mentor.organisation_id)
    add_certificate(session, mentor, issued_on=LONG_AGO, expires_on=last_day)
