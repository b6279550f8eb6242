"""The words people read, in bokmål, nynorsk and English: one module a language, filled in here.

A push shows the first name and what happened, or less where the organisation wants that. The inbox, read after
sign-in, adds the full name, the reason's label and the dates. Notes are in neither. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from peerpause.notifications.payload import NotificationEvent, NotificationPayload, shortened
from peerpause.notifications.texts.en import ENGLISH
from peerpause.notifications.texts.nb import BOKMAAL
from peerpause.notifications.texts.nn import NYNORSK
from peerpause.notifications.texts.wording import Phrase, Wording


@dataclass(frozen=True, slots=True)
class PushText:
    """What a phone shows, perhaps on its locked screen."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class InboxText:
    """What the inbox shows after sign-in; the body may have several lines."""

    title: str
    body: str


def push_text(
    payload: NotificationPayload,
    language: str | None,
    *,
    about_self: bool,
    minimal: bool = False,
    role_word: str | None = None,
) -> PushText:
    """Word a push: first name and what happened, nothing else.

    ``about_self`` speaks to the mentor. ``minimal`` names neither person nor event, and is also what happens where
    there is no first name to show. ``role_word`` is the organisation's own word for its mentors, used as given.
    """
    words = _wording(language)
    name = payload.shown_name
    if minimal or not (name or about_self):
        voices = words.changed if _is_change(payload) else words.something_new
        phrase = voices.speaking(about_self=about_self)
    else:
        phrase = _phrase(payload, words, about_self=about_self)
    role = _role(words, role_word)
    return PushText(phrase.title.format(name=name, role=role), phrase.body.format(name=name, role=role))


def inbox_text(
    payload: NotificationPayload,
    language: str | None,
    *,
    about_self: bool,
    role_word: str | None = None,
    reason_label: str | None = None,
) -> InboxText:
    """Word an inbox entry: the full name, what happened, the reason's label and the dates that matter.

    ``reason_label`` is the organisation's own label for the reason. Without one ours is used, and a reason we have no
    label for is left out, because it may be somebody's free text.
    """
    words = _wording(language)
    phrase = _phrase(payload, words, about_self=about_self)
    name, role = shortened(payload.display_name, limit=_LONGEST_FULL_NAME), _role(words, role_word)
    details = _details(payload, words, reason_label=reason_label)
    return InboxText(
        phrase.title.format(name=name, role=role),
        " ".join([phrase.body.format(name=name, role=role), *details]),
    )


def summary_push_text(count: int, language: str | None, kind: NotificationEvent) -> PushText:
    """Word one push for several changes: how many, and of what kind.

    Raises ``ValueError`` for a count below one and for an event that is no summary.
    """
    phrase = _summary(count, _wording(language), kind)
    return PushText(phrase.title.format(count=count), phrase.body.format(count=count))


def summary_inbox_text(
    payloads: Sequence[NotificationPayload],
    language: str | None,
    kind: NotificationEvent,
    *,
    role_word: str | None = None,
) -> InboxText:
    """Word one message for several changes: how many, then a line for each with the full name and the dates.

    Raises ``ValueError`` for no payloads and for an event that is no summary.
    """
    words = _wording(language)
    title = _summary(len(payloads), words, kind).title.format(count=len(payloads))
    lines = []
    for payload in payloads:
        entry = inbox_text(payload, language, about_self=False, role_word=role_word)
        dates = _details(payload, words, reason_label=None, with_reason=False)
        lines.append(" ".join([f"– {entry.title}.", *dates]))
    return InboxText(title, "\n".join(lines))


def reason_labels(language: str | None) -> Mapping[str, str]:
    """Give our label for every reason code, in the order of a menu. Organisations may word them otherwise."""
    return _wording(language).reasons


_LONGEST_FULL_NAME: Final = 200
_LANGUAGES: Final[Mapping[str, Wording]] = {"nb": BOKMAAL, "nn": NYNORSK, "en": ENGLISH}
_CHANGES: Final = frozenset(
    {
        NotificationEvent.MENTOR_PAUSED,
        NotificationEvent.MENTOR_PAUSED_CERTIFICATION,
        NotificationEvent.MENTOR_REACTIVATED,
        NotificationEvent.MENTOR_DEACTIVATED,
    }
)
_TELLS_REASON: Final = frozenset(
    {
        NotificationEvent.MENTOR_PAUSED,
        NotificationEvent.MENTOR_DEACTIVATED,
        NotificationEvent.PAUSE_ABOUT_TO_START,
    }
)
_TELLS_RETURN: Final = frozenset(
    {
        NotificationEvent.MENTOR_PAUSED,
        NotificationEvent.PAUSE_ABOUT_TO_START,
        NotificationEvent.RETURN_NEAR,
        NotificationEvent.RETURN_PASSED,
    }
)
_TELLS_CERTIFICATE: Final = frozenset(
    {
        NotificationEvent.MENTOR_PAUSED_CERTIFICATION,
        NotificationEvent.CERTIFICATION_EXPIRING,
        NotificationEvent.CERTIFICATION_RENEWED,
    }
)


def _wording(language: str | None) -> Wording:
    """Find the words for a language tag such as ``nn``, ``nb-NO`` or ``en_GB``; bokmål for any other language."""
    main = (language or "").replace("_", "-").split("-", 1)[0].lower()
    return _LANGUAGES.get(main, BOKMAAL)


def _role(words: Wording, role_word: str | None) -> str:
    return shortened(role_word or "") or words.role


def _is_change(payload: NotificationPayload) -> bool:
    return payload.event in _CHANGES or _renewal_ended_a_pause(payload)


def _renewal_ended_a_pause(payload: NotificationPayload) -> bool:
    return payload.event is NotificationEvent.CERTIFICATION_RENEWED and (
        (payload.previous_status, payload.new_status) == ("paused", "active")
    )


def _phrase(payload: NotificationPayload, words: Wording, *, about_self: bool) -> Phrase:
    voices = words.renewed_and_back if _renewal_ended_a_pause(payload) else words.events[payload.event]
    return voices.speaking(about_self=about_self)


def _details(
    payload: NotificationPayload, words: Wording, *, reason_label: str | None, with_reason: bool = True
) -> list[str]:
    """Word the sentences that hold a reason or a date, in the order in which they happen."""
    details = []
    label = reason_label or words.reasons.get(payload.reason_code or "")
    if label and with_reason and payload.event in _TELLS_REASON:
        details.append(words.reason_given.format(reason=label.rstrip(".")))
    if payload.pause_starts_on and payload.event is NotificationEvent.PAUSE_ABOUT_TO_START:
        details.append(words.pause_starts.format(date=words.date(payload.pause_starts_on)))
    if payload.expected_return_on and payload.event in _TELLS_RETURN:
        details.append(words.expected_back.format(date=words.date(payload.expected_return_on)))
    if payload.certification_expires_on and payload.event in _TELLS_CERTIFICATE:
        details.append(words.last_valid_day.format(date=words.date(payload.certification_expires_on)))
    return details


def _summary(count: int, words: Wording, kind: NotificationEvent) -> Phrase:
    if count < 1:
        raise ValueError("count: a summary needs at least one change")
    if kind not in words.summaries:
        raise ValueError("kind: not a summary")
    one, several = words.summaries[kind]
    return one if count == 1 else several
