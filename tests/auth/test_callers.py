"""From headers to a caller, and how often a caller may change something."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from peerpause.auth.callers import Doorkeeper
from peerpause.auth.limits import ChangeLimiter
from peerpause.auth.tokens import TokenVerifier, issue_token
from peerpause.database.session import Caller, Claims, Service
from peerpause.errors import NotSignedIn, TooManyRequests

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


def test_so_many_changes_at_once_and_then_so_many_a_minute() -> None:
    now = 0.0
    limiter = ChangeLimiter(per_minute=30, clock=lambda: now)
    for _ in range(30):
        limiter.take(Claims(ADA))
    with pytest.raises(TooManyRequests) as caught:
        limiter.take(Claims(ADA))
    assert caught.value.detail == {"retry_after": 2}
    now = 2.0
    limiter.take(Claims(ADA))
    with pytest.raises(TooManyRequests):
        limiter.take(Claims(ADA))


def test_one_persons_haste_is_not_anothers() -> None:
    limiter = ChangeLimiter(per_minute=1, clock=lambda: 0.0)
    limiter.take(Claims(ADA))
    limiter.take(Claims(uuid4()))
    for _ in range(5):
        limiter.take(Service())


def test_nought_is_no_limit() -> None:
    limiter = ChangeLimiter(per_minute=0)
    for _ in range(1000):
        limiter.take(Claims(ADA))
