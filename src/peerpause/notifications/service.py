"""Telling coordinators of a change, by hand as it were: at once, waiting for the result. The worker does the same by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import structlog

from peerpause.database.session import Sessions
from peerpause.errors import PeerPauseError
from peerpause.notifications.dispatch import Parcel, PushDispatcher
from peerpause.notifications.due import DeliveryBook
from peerpause.notifications.messages import Manner, notice
from peerpause.notifications.outbox import Outbox
from peerpause.notifications.outcomes import DispatchOutcome, DispatchResult, RecipientOutcome
from peerpause.notifications.payload import NotificationEvent, NotificationPayload
from peerpause.notifications.recipients import Device, Recipient, resolve_coordinators_for_mentor
from peerpause.notifications.sender import Sender
from peerpause.telemetry import Event

_log = structlog.get_logger(__name__)


class CoordinatorNotificationService:
    """Tells the coordinators responsible. Best effort: nothing here fails, delays or undoes a change of status."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        dispatcher: PushDispatcher,
        outbox: Outbox,
        book: DeliveryBook,
        push_sender: Sender,
    ) -> None:
        self._sessions = sessions
        self._dispatcher = dispatcher
        self._outbox = outbox
        self._book = book
        self._push_sender = push_sender

    async def dispatch_push_notification(
        self, mentor_id: UUID, event: NotificationEvent, payload: NotificationPayload
    ) -> DispatchResult:
        """Push a notice about a mentor to everybody responsible, except the one who acted, and wait for the outcomes.

        1. find the active coordinators of all the mentor's chapters, else the organisation's admins, else nobody;
        2. push to all their devices side by side, three attempts each;
        3. retire the devices that are gone.

        Nothing is written to the inbox or the delivery log: that is done for changes, by ``notify_status_change``. Raises
        ``Unavailable`` when the database is away, ``ValueError`` where the payload is about another mentor or
        contradicts the event.
        """
        if payload.mentor_id != mentor_id:
            raise ValueError("payload: is about another mentor")
        recipients = [
            each
            for each in await resolve_coordinators_for_mentor(self._sessions, mentor_id)
            if each.user_id != payload.actor_id
        ]
        if not recipients or any(each.is_fallback for each in recipients):
            told = "admins" if recipients else "nobody"
            _log.warning(Event.NO_COORDINATOR, mentor_id=str(mentor_id), told=told)
        payload = replace(payload, event=event)
        began = datetime.now(UTC)
        willing = [each for each in recipients if each.push_enabled]
        deliveries = await self._dispatcher.deliver_all([_parcel(each, payload) for each in willing])
        await self._retire(
            [device for delivery in deliveries for device in delivery.gone], mentor_id, since=began
        )
        unwilling = (
            RecipientOutcome(each.user_id, DispatchOutcome.OPTED_OUT)
            for each in recipients
            if not each.push_enabled
        )
        return DispatchResult((*(delivery.outcome for delivery in deliveries), *unwilling))

    async def notify_status_change(
        self, history_id: UUID, *, mentor_id: UUID, transition: str
    ) -> DispatchResult:
        """Tell one committed change now instead of waiting for the worker, and answer how its pushes went.

        What a worker has told or taken already is not told twice; it is in the result as far as it has been tried by then.
        Never raises for a failing notification: it is logged as a warning with the mentor's id, the transition and the error.
        """
        result = DispatchResult()
        try:
            await self._outbox.tell_changes(history_id=history_id)
            due = await self._book.take("push", at_most=1000, history_id=history_id)
            result = await self._push_sender.send_now(due)
            told = {each.user_id for each in result.recipients}
            others = await self._book.outcomes(history_id)
            return DispatchResult(
                (*result.recipients, *(each for each in others if each.user_id not in told))
            )
        except PeerPauseError as error:
            _log.warning(
                Event.NOTIFICATION_FAILED, mentor_id=str(mentor_id), transition=transition, error=error.code
            )
            return result

    async def _retire(self, gone: Sequence[tuple[Device, str]], mentor_id: UUID, *, since: datetime) -> None:
        if not gone:
            return
        try:
            await self._book.settle([], gone=gone, since=since)
        except PeerPauseError as error:
            # The pushes are out; the devices are found gone again next time.
            _log.warning(Event.NOTIFICATION_FAILED, mentor_id=str(mentor_id), error=error.code)


def _parcel(recipient: Recipient, payload: NotificationPayload) -> Parcel:
    manner = Manner(language=recipient.language, minimal=recipient.minimal, role_word=recipient.role_word)
    return Parcel(recipient.user_id, recipient.devices, notice(payload, manner))
