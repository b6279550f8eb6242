"""docs/roster.md says what the program does: its examples are taken, and its figures are the program's."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from peerpause.notifications.channels.webhook import MOST_SECONDS
from peerpause.roster.inbound import MOST_BYTES, MOST_UPDATES, CertificateMessage
from peerpause.roster.routes import LONGEST_AGE
from peerpause.roster.routes import router as roster_router
from peerpause.roster.watch import LOOK_EVERY
from peerpause.roster.webhooks import GIVE_UP_AFTER, DueWebhook, roster_changed

_TEXT = (Path(__file__).parents[2] / "docs" / "roster.md").read_text(encoding="utf-8")


def example(kind: str) -> dict[str, Any]:
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", _TEXT, re.DOTALL)]
    (found,) = [block for block in blocks if block["type"] == kind]
    assert isinstance(found, dict)
    return found


def test_the_message_it_shows_is_the_one_that_is_sent() -> None:
    now = datetime.now(UTC)
    due = DueWebhook(
        id=uuid4(),
        organisation_id=uuid4(),
        endpoint_id=uuid4(),
        event_id=uuid4(),
        chapter_id=uuid4(),
        mentor_id=uuid4(),
        change="unlisted",
        found_at=now,
        attempts=1,
        first_tried_at=now,
        url="https://example.org/",
        secrets=(),
    )
    sent, told = json.loads(roster_changed(due, public_url="https://a.example")), example("roster.changed")
    assert list(sent) == list(told)
    assert list(sent["data"]) == list(told["data"])


def test_the_message_it_asks_for_is_taken() -> None:
    message = CertificateMessage.model_validate(example("certification.renewed"))
    assert message.data.updates[0].mentor == "1017"


def test_its_figures_are_the_programs() -> None:
    assert f"kept for {LONGEST_AGE} seconds at most" in _TEXT
    assert f"found within {LOOK_EVERY:.0f} seconds" in _TEXT
    assert f"2xx within {MOST_SECONDS:.0f} seconds" in _TEXT
    assert GIVE_UP_AFTER.days == 1
    assert "for a day" in _TEXT
    assert f"At most {MOST_UPDATES} updates and {MOST_BYTES // 1024} KiB" in _TEXT


def test_it_names_every_address() -> None:
    told = _TEXT.replace("{organisation id}", "{id}").replace("DELETE\n  /", "DELETE /")
    for route in roster_router.routes:
        path = re.sub(r"\{\w+\}", "{id}", str(getattr(route, "path", "")))
        assert path in told, path
