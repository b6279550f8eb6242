"""The table "who may do what" and the state machine once more, in plain Python: what the database's every answer is compared with.

Written from the rules, not from the SQL, and knowing nothing of tables: a mentor is a status and a plan, a person is a set of
mentors they answer for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NOT_A_MOVE = "P0001"
NOT_YOURS = "42501"
NO_SUCH_MENTOR = "PT404"
BAD_ARGUMENT = "22023"

# Who belongs to which chapters of which organisation, who coordinates and who administers: the cast of tests/cast.py.
CHAPTERS = {"north": "first", "south": "first", "elsewhere": "other"}
MEMBERS = {"ada": {"north"}, "finn": {"north", "south"}, "greta": {"elsewhere"}}
COORDINATES = {"bo": {"north"}, "cy": {"south"}, "eva": {"elsewhere"}}
ADMINISTERS = {"dag": {"first"}, "eva": {"other"}, "hal": {"first", "other"}}
PEOPLE = ("ada", "finn", "greta", "bo", "cy", "dag", "eva", "hal", "stranger", "visitor", "service")
MENTORS = tuple(MEMBERS)
NOBODY = "nobody"  # a mentor id that belongs to no mentor

_LEGAL = {("active", "paused"), ("paused", "active"), ("active", "inactive")}
_REASONS = {"illness", "travel", "resigned", "other"}
_SYSTEM_REASONS = {"certification_expired", "resignation_step"}


@dataclass(slots=True)
class MentorState:
    """One mentor: the status, the moves so far with who made them, whether a pause is planned, whether the certificate lapsed."""

    status: str = "active"
    moves: list[tuple[str, str, str | None]] = field(default_factory=list)
    is_planned: bool = False
    has_lapsed: bool = False


@dataclass(slots=True)
class Model:
    """What the database should say and do."""

    mentors: dict[str, MentorState] = field(default_factory=lambda: {name: MentorState() for name in MENTORS})
    retired: set[str] = field(default_factory=set)

    def answers_for(self, who: str, name: str) -> bool:
        """Whether somebody may read and change this mentor: the mentor, or who coordinates or administers a chapter of theirs."""
        return name != NOBODY and (who == name or self._coordinates(who, name))

    def read(self, who: str, name: str) -> str:
        """The outcome of a reading function: `1` row, or a refusal. Who may not see a mentor learns of none."""
        if who == "visitor":
            return NOT_YOURS
        return "1" if self.answers_for(who, name) else NO_SUCH_MENTOR

    def certificates(self, who: str, name: str) -> str:
        """The number of certificates that the table shows, or a refusal."""
        if who == "visitor":
            return NOT_YOURS
        return "1" if self.answers_for(who, name) else "0"

    def list_chapter(self, who: str, chapter: str) -> str:
        """The number of mentors listed, or a refusal."""
        if not self._manages_chapter(who, chapter):
            return NOT_YOURS
        return str(sum(chapter in chapters for chapters in MEMBERS.values()))

    def roster(self, chapter: str) -> str:
        """The number of mentors on the public page."""
        return str(
            sum(
                chapter in chapters
                and self.mentors[name].status == "active"
                and not self.mentors[name].has_lapsed
                for name, chapters in MEMBERS.items()
            )
        )

    def update(self, who: str, name: str, new: str, actor: str | None, reason: str | None) -> str:
        """`update_mentor_status`."""
        refusal = self._refusal(who, name)
        if refusal:
            return refusal
        if who != "service" and actor != who:
            return NOT_YOURS
        if new not in {"active", "paused", "inactive"} or not self._is_reason(who, reason, new):
            return BAD_ARGUMENT
        return self._move(name, new, actor)

    def pause(self, who: str, name: str, reason: str | None) -> str:
        """`rpc_pause_mentor`, now."""
        refusal = self._refusal(who, name)
        if refusal:
            return refusal
        if not self._is_reason(who, reason, "paused"):
            return BAD_ARGUMENT
        return self._move(name, "paused", self._actor(who))

    def plan(self, who: str, name: str) -> str:
        """`rpc_pause_mentor`, later."""
        refusal = self._refusal(who, name)
        if refusal:
            return refusal
        if self.mentors[name].status != "active":
            return NOT_A_MOVE
        self.mentors[name].is_planned = True
        return "1"

    def cancel(self, who: str, name: str) -> str:
        """`rpc_cancel_scheduled_pause`: whether there was a plan."""
        refusal = self._refusal(who, name)
        if refusal:
            return refusal
        was_planned, self.mentors[name].is_planned = self.mentors[name].is_planned, False
        return str(was_planned)

    def reactivate(self, who: str, name: str) -> str:
        """`rpc_reactivate_mentor`."""
        return self._refusal(who, name) or self._move(name, "active", self._actor(who))

    def deactivate(self, who: str, name: str) -> str:
        """`rpc_deactivate_mentor`: from a pause in two legal steps, whatever the certificate."""
        refusal = self._refusal(who, name)
        if refusal:
            return refusal
        mentor = self.mentors[name]
        if mentor.status == "paused":
            mentor.moves.append(("paused", "active", self._actor(who)))
            mentor.status = "active"
        return self._move(name, "inactive", self._actor(who))

    def plain_update(self, who: str, name: str, new: str) -> str:
        """An UPDATE of the table: the number of rows it reaches, or a refusal. Not for the mentors themselves."""
        if who == "visitor":
            return NOT_YOURS
        if name == NOBODY or not self._coordinates(who, name):
            return "0"
        if self.mentors[name].status == new:
            return "1"
        return self._move(name, new, self._actor(who))

    def expire(self, who: str) -> str:
        """`run_certification_expiry` of all the caller may check: how many were paused, or a refusal."""
        mine = {chapter for chapter in CHAPTERS if self._manages_chapter(who, chapter)}
        if not mine:
            return NOT_YOURS
        lapsed = [
            name
            for name, chapters in MEMBERS.items()
            if chapters & mine and self.mentors[name].has_lapsed and self.mentors[name].status == "active"
        ]
        for name in lapsed:
            self._move(name, "paused", None)
        return str(len(lapsed))

    def _refusal(self, who: str, name: str) -> str | None:
        if who == "visitor":
            return NOT_YOURS
        if name == NOBODY:
            return NO_SUCH_MENTOR
        return None if self.answers_for(who, name) else NOT_YOURS

    def _coordinates(self, who: str, name: str) -> bool:
        return name != NOBODY and (
            who == "service"
            or bool(self._own_chapters(who) & MEMBERS[name])
            or any(CHAPTERS[chapter] in ADMINISTERS.get(who, set()) for chapter in MEMBERS[name])
        )

    def _manages_chapter(self, who: str, chapter: str) -> bool:
        return (
            who == "service"
            or chapter in self._own_chapters(who)
            or CHAPTERS[chapter] in ADMINISTERS.get(who, set())
        )

    def _own_chapters(self, who: str) -> set[str]:
        return set() if who in self.retired else COORDINATES.get(who, set())

    def _is_reason(self, who: str, reason: str | None, new: str) -> bool:
        if reason is None:
            return new == "active"
        return reason in _REASONS or (reason in _SYSTEM_REASONS and who == "service")

    def _actor(self, who: str) -> str | None:
        return None if who == "service" else who

    def _move(self, name: str, new: str, actor: str | None) -> str:
        mentor = self.mentors[name]
        if (mentor.status, new) not in _LEGAL or (new == "active" and mentor.has_lapsed):
            return NOT_A_MOVE
        mentor.moves.append((mentor.status, new, actor))
        mentor.status = new
        return "1"
