"""Whom a provider means is settled once, by an address it has verified and one person alone has, or by an operator's hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from peerpause.database.session import Service, Sessions
from peerpause.errors import NotFound
from peerpause.web.attempts import LONGEST, Attempts
from peerpause.web.identities import Identities, NobodyKnown, ProvenIdentity
from tests.cast import World
from tests.database.acting import NOT_YOURS, Session, count, person_session, refused, visitor_session
from tests.servers import Database

ISSUER = "https://login.example.org"


@pytest.fixture
def identities(sessions: Sessions) -> Identities:
    return Identities(sessions=sessions)


async def outcome(identities: Identities, proven: ProvenIdentity) -> str:
    with pytest.raises(NobodyKnown) as refusal:
        await identities.person(proven)
    return str(refusal.value.detail["outcome"])


async def test_the_first_sign_in_finds_the_person_by_a_verified_address(
    identities: Identities, world: World
) -> None:
    proven = ProvenIdentity(ISSUER, "sub-1", "ADA@Example.org")
    assert await identities.person(proven) == world.ada.user_id
    (link,) = await identities.of_person(world.ada.user_id)
    assert (link.issuer, link.subject, link.linked_by) == (ISSUER, "sub-1", "email")


async def test_from_then_on_the_subject_counts_and_no_address(
    identities: Identities, world: World, owner: Session
) -> None:
    await identities.person(ProvenIdentity(ISSUER, "sub-1", "ada@example.org"))
    owner.execute(
        "update public.people set email = 'moved@example.org' where user_id = %s", (world.ada.user_id,)
    )
    for email in (None, "ada@example.org", "bo@example.org"):
        assert await identities.person(ProvenIdentity(ISSUER, "sub-1", email)) == world.ada.user_id


async def test_without_a_verified_address_nobody_is_found(
    identities: Identities, world: World, owner: Session
) -> None:
    assert await outcome(identities, ProvenIdentity(ISSUER, "sub-1")) == "no_email"
    assert count(owner, "select count(*) from peerpause.sign_in_identities") == 0


async def test_an_address_that_nobody_or_several_have_finds_nobody_and_makes_nobody_up(
    identities: Identities, world: World, owner: Session
) -> None:
    people = count(owner, "select count(*) from public.people")
    assert await outcome(identities, ProvenIdentity(ISSUER, "sub-1", "nobody@example.org")) == "unknown"
    owner.execute("update public.people set email = 'BO@example.org' where user_id = %s", (world.cy.user_id,))
    assert await outcome(identities, ProvenIdentity(ISSUER, "sub-1", "bo@example.org")) == "several"
    assert count(owner, "select count(*) from peerpause.sign_in_identities") == 0
    assert count(owner, "select count(*) from public.people") == people


@pytest.mark.parametrize("email", ["%@example.org", "_da@example.org", "ada@example.org' or true --", "*"])
async def test_an_address_is_no_pattern(identities: Identities, world: World, email: str) -> None:
    assert await outcome(identities, ProvenIdentity(ISSUER, "sub-1", email)) == "unknown"


async def test_whoever_inherits_an_address_does_not_inherit_the_account(
    identities: Identities, world: World
) -> None:
    await identities.person(ProvenIdentity(ISSUER, "sub-1", "ada@example.org"))
    assert await outcome(identities, ProvenIdentity(ISSUER, "sub-2", "ada@example.org")) == "taken"
    # Another provider is another matter.
    other = ProvenIdentity("https://other.example.org", "sub-2", "ada@example.org")
    assert await identities.person(other) == world.ada.user_id


async def test_of_two_first_sign_ins_at_once_one_gets_the_account(
    identities: Identities, world: World, owner: Session
) -> None:
    with owner.transaction():
        owner.execute("select from public.people where user_id = %s for update", (world.ada.user_id,))
        both = asyncio.gather(
            *(
                identities.person(ProvenIdentity(ISSUER, sub, "ada@example.org"))
                for sub in ("sub-1", "sub-2")
            ),
            return_exceptions=True,
        )
        while count(owner, "select count(*) from pg_locks where not granted") < 2:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)
    results = await both
    assert [type(result) for result in results if not isinstance(result, UUID)] == [NobodyKnown]
    assert world.ada.user_id in results
    assert len(await identities.of_person(world.ada.user_id)) == 1


async def test_an_operator_links_by_hand_and_unlinks(identities: Identities, world: World) -> None:
    await identities.link(world.ada.user_id, issuer=ISSUER, subject="sub-9")
    assert await identities.person(ProvenIdentity(ISSUER, "sub-9")) == world.ada.user_id
    await identities.link(world.bo.user_id, issuer=ISSUER, subject="sub-9")
    assert await identities.person(ProvenIdentity(ISSUER, "sub-9")) == world.bo.user_id
    assert await identities.unlink(issuer=ISSUER, subject="sub-9") == world.bo.user_id
    assert await identities.unlink(issuer=ISSUER, subject="sub-9") is None
    assert await outcome(identities, ProvenIdentity(ISSUER, "sub-9")) == "no_email"
    with pytest.raises(NotFound):
        await identities.link(uuid4(), issuer=ISSUER, subject="sub-9")


async def test_a_trusted_issuers_subjects_are_our_user_ids(sessions: Sessions, world: World) -> None:
    trusting = Identities(sessions=sessions, subject_is_user_id=True)
    assert await trusting.person(ProvenIdentity(ISSUER, str(world.ada.user_id))) == world.ada.user_id
    assert await outcome(trusting, ProvenIdentity(ISSUER, "auth0|5f7", "ada@example.org")) == "not_a_user_id"


async def test_another_issuers_subject_is_never_a_user_id(identities: Identities, world: World) -> None:
    assert await outcome(identities, ProvenIdentity(ISSUER, str(world.ada.user_id))) == "no_email"


async def test_a_sign_in_under_way_is_taken_once(sessions: Sessions, world: World) -> None:
    attempts = Attempts(sessions=sessions)
    word, begun = await attempts.begin("/me")
    assert await attempts.take(word) == begun
    assert await attempts.take(word) is None
    for guess in (None, "", "x" * 43, begun.state, "ø" * 43):
        assert await attempts.take(guess) is None


async def test_a_sign_in_that_takes_too_long_is_over_and_forgotten(
    sessions: Sessions, world: World, owner: Session
) -> None:
    attempts = Attempts(sessions=sessions)
    word, _ = await attempts.begin("/me")
    older = "update peerpause.sign_in_attempts set created_at = created_at - %s"
    owner.execute(older, (LONGEST + timedelta(seconds=1),))
    assert await attempts.take(word) is None
    await sessions.call(Service(), "forget_sign_ins")
    assert count(owner, "select count(*) from peerpause.sign_in_attempts") == 1
    owner.execute(older, (timedelta(hours=1),))
    await sessions.call(Service(), "forget_sign_ins")
    assert count(owner, "select count(*) from peerpause.sign_in_attempts") == 0


async def test_what_a_browser_holds_is_not_kept(sessions: Sessions, world: World, owner: Session) -> None:
    word, begun = await Attempts(sessions=sessions).begin("/me")
    (row,) = owner.execute("select a::text as kept from peerpause.sign_in_attempts as a").fetchall()
    assert word not in row["kept"]
    assert begun.verifier not in repr(begun)


@pytest.mark.parametrize("table", ["sign_in_identities", "sign_in_attempts"])
@pytest.mark.parametrize("statement", ["select * from peerpause.{}", "delete from peerpause.{}"])
def test_nobody_but_the_service_comes_near_them(
    database: Database, world: World, statement: str, table: str
) -> None:
    for session in (visitor_session(database), person_session(database, world.hal)):
        with session, refused(NOT_YOURS):
            session.execute(statement.format(table).encode())


def test_people_cannot_link_themselves(database: Database, world: World) -> None:
    with person_session(database, world.ada) as ada, refused(NOT_YOURS):
        ada.execute("select peerpause.link_sign_in('i', 's', 'dag@example.org')")
