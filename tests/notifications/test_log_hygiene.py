"""What the way to the coordinator says of itself: facts and ids, and never a token, a note, a name or an address."""

from __future__ import annotations

import io
import json
import logging

import pytest

from peerpause.database.session import Sessions
from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.errors import Unavailable
from peerpause.notifications.payload import NotificationEvent
from peerpause.telemetry import Event, configure_logging
from tests.cast import World, add_coordinator, add_device, add_mentor, set_status
from tests.database.acting import Session, pause, person_session
from tests.notifications.pipeline import Pipeline, let_time_pass, opened_pipeline, pipeline_over
from tests.notifications.test_dispatch import FakeChannel
from tests.notifications.test_service import payload_about
from tests.servers import Database

NOTE = "Chemotherapy until summer."


@pytest.fixture
def lines() -> io.StringIO:
    """Everything that is logged, from every library and at every level, as it would be written."""
    stream = io.StringIO()
    configure_logging(level="DEBUG", stream=stream)
    logging.getLogger().setLevel(logging.DEBUG)
    return stream


async def test_no_line_of_a_busy_run_holds_anything_personal(
    world: World,
    owner: Session,
    database: Database,
    sessions: Sessions,
    standin: FcmStandin,
    lines: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripts = {
        "UNREGISTERED": [answers.UNREGISTERED],
        "INVALID-TOKEN": [answers.INVALID_TOKEN],
        "MISMATCH": [answers.SENDER_MISMATCH],
        "APPLE": [answers.THIRD_PARTY_AUTH],
        "QUOTA": [answers.quota(300)],
        "INTERNAL": [answers.INTERNAL] * 3,
        "GARBAGE": [answers.GARBAGE] * 3,
        "DROP": [answers.DROP] * 3,
        "SLOW": [answers.slow(3600)] * 3,
        "FINE": [],
    }
    for name, script in scripts.items():
        add_device(owner, add_coordinator(owner, f"C{name}", chapters=[world.north]), f"secret-{name}")
        standin.script(f"secret-{name}", script)
    with person_session(database, world.ada) as session:
        pause(session, world.ada, "illness", p_note=NOTE)
    mentors = [add_mentor(owner, f"M{number}", chapters=[world.north]) for number in range(7)]
    async with opened_pipeline(sessions, standin, timeout=0.2) as pipeline:
        await pipeline.tell_and_send()
        standin.expire_access_tokens()
        standin.script_token_endpoint([answers.DROP, answers.GARBAGE, answers.UNAVAILABLE])
        for mentor in mentors:
            set_status(owner, mentor, "paused", reason="travel")
        let_time_pass(owner, 59)
        await pipeline.tell_and_send()
        let_time_pass(owner, 61)
        await pipeline.send()
        await pipeline.service.dispatch_push_notification(
            world.finn.mentor_id, NotificationEvent.MENTOR_PAUSED, payload_about(world.finn)
        )
        await _everything_breaks(pipeline, owner, world, monkeypatch)
    await _a_defect(sessions, owner, world)
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    events = {each["event"] for each in told if each["event"] in set(Event)}
    assert {
        "delivery.settled",
        "delivery.broken",
        "channel.misconfigured",
        "notification.failed",
        "recipients.no_coordinator",
    } <= events, "a run in which all of it happened, so that this test can fail"
    text = lines.getvalue()
    names = ["Hansen", "Ada", "Finn", "Greta", *(mentor.first_name + " " for mentor in mentors)]
    for secret in ("secret-", NOTE, "Chemo", "@example.org", "ya29", "eyJ", "PRIVATE KEY", *names):
        assert secret not in text, secret


async def _everything_breaks(
    pipeline: Pipeline, owner: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable("The database cannot be reached just now.")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.book, "take", away)
        await pipeline.service.notify_status_change(
            world.ada.mentor_id, mentor_id=world.ada.mentor_id, transition="active->paused"
        )
    owner.execute("update public.coordinator_roles set active = false")
    set_status(owner, world.greta, "paused", reason="travel")
    set_status(owner, world.finn, "paused", reason="travel")
    await pipeline.outbox.tell_changes()
    owner.execute('update public.notifications set payload = \'{"display_name": "Ada Hansen"}\'')
    await pipeline.send()


async def _a_defect(sessions: Sessions, owner: Session, world: World) -> None:
    channel = FakeChannel()

    async def break_down(device: str) -> None:
        raise LookupError(f"{device} of Ada Hansen")

    channel.before = break_down
    add_device(owner, world.dag, "secret-admin")
    set_status(owner, world.finn, "active", reason="travel")
    await pipeline_over(sessions, channel).tell_and_send()
