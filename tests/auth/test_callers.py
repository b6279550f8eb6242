"""From headers to a caller, and how often a caller may change something."""

from __future__ import annotations

from uuid import UUID

import pytest

from peerpause.auth.callers import Doorkeeper
from peerpause.auth.tokens import TokenVerifier, issue_token
from peerpause.database.session import Caller, Claims, Service
from peerpause.errors import NotSignedIn

SECRET = "a secret of more than thirty-two bytes, for tests"
SERVICE_KEY = "sb_secret_of_more_than_thirty_two_bytes"
ADA = UUID("0b7a4a5e-9a50-4f0e-8a3e-5f2f7d1c2b11")
TOKEN = issue_token(secret=SECRET, sub=ADA)
ANON = issue_token(secret=SECRET, sub=None, role="anon")


@pytest.mark.parametrize(
    ("authorization", "apikey", "expected"),
    [
        (None, None, Claims()),
        (f"Bearer {TOKEN}", None, Claims(ADA)),
        (f"bearer  {TOKEN} ", ANON, Claims(ADA)),
        # A client before anybody has signed in.
        (f"Bearer {ANON}", ANON, Claims()),
        (None, ANON, Claims()),
        (None, "sb_publishable_abc", Claims()),
        ("Bearer sb_publishable_abc", "sb_publishable_abc", Claims()),
        # The key of the project says who asks only where no Authorization does.
        (f"Bearer {TOKEN}", SERVICE_KEY, Claims(ADA)),
        (f"Bearer {SERVICE_KEY}", None, Service()),
        (None, SERVICE_KEY, Service()),
    ],
)
async def test_headers_name_the_caller(
    authorization: str | None, apikey: str | None, expected: Caller
) -> None:
    doorkeeper = Doorkeeper(verifier=TokenVerifier(secret=SECRET), service_key=SERVICE_KEY)
    caller = await doorkeeper.admit(authorization=authorization, apikey=apikey)
    assert type(caller) is type(expected)
    assert getattr(caller, "user_id", None) == getattr(expected, "user_id", None)


@pytest.mark.parametrize(
    ("authorization", "apikey"),
    [
        ("Basic YTpi", None),
        ("Bearer", None),
        ("Bearer ", ANON),
        (f"Bearer {SERVICE_KEY}x", None),
        (f"Bearer {SERVICE_KEY[:-1]}", None),
        ("Bearer æøå", None),
        (None, "some key"),
    ],
)
async def test_credentials_that_are_not_good_are_refused(
    authorization: str | None, apikey: str | None
) -> None:
    doorkeeper = Doorkeeper(verifier=TokenVerifier(secret=SECRET), service_key=SERVICE_KEY)
    with pytest.raises(NotSignedIn):
        await doorkeeper.admit(authorization=authorization, apikey=apikey)


async def test_where_no_service_key_is_set_none_is_good() -> None:
    doorkeeper = Doorkeeper(verifier=TokenVerifier(secret=SECRET), service_key=None)
    for key in ("None", SERVICE_KEY):
        with pytest.raises(NotSignedIn):
            await doorkeeper.admit(authorization=f"Bearer {key}", apikey=None)
