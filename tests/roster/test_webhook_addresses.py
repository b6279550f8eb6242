"""Webhooks go to public websites only: by the form of the address, which the database judges alike, and by where the name leads."""

from __future__ import annotations

import pytest

from peerpause.notifications.channels.webhook_addresses import is_public, may_be_a_website
from tests.cast import World
from tests.database.acting import BAD_ARGUMENT, call, person_session, refused
from tests.servers import Database

GOOD = (
    "https://example.org",
    "https://www.example.org/",
    "https://www.example.org/hooks/peerpause?key=1&x=y#z",
    "https://example.org:8443/hook",
    "https://xn--hrsel-vua.no/hook",
    "https://Example.ORG/Hook",
    "https://a-b.c-d.example.co.uk/%7Euser/@me",
)
BAD = (
    # Not https, or nothing at all.
    *("", "x", "http://example.org/", "HTTPS://example.org/", "ftp://example.org/", "//example.org/", "https:example.org", "https://"),
    *("javascript:alert(1)", "file:///etc/passwd", " https://example.org/", "https://example.org/ ", "https://example.org/a b"),
    *("https://example.org/\n", "https://example.org\\@127.0.0.1/", "https://example.org?x", "https://example.org#x"),
    # Somebody else before the @, or in the port.
    *("https://user@example.org/", "https://user:password@example.org/", "https://example.org@127.0.0.1/"),
    *("https://example.org:port/", "https://example.org:/", "https://example.org:123456/"),
    # Addresses in numbers, however written.
    *("https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://8.8.8.8/"),
    *("https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://017700000001/"),
    *("https://0177.0.0.1/", "https://127.0.0.0x1/", "https://0/", "https://127.0.0.1./", "https://１２７.0.0.1/"),
    *("https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00:ec2::254]/", "https://[fe80::1%25eth0]/"),
    # Names of the inside.
    *("https://localhost/", "https://localhost:8443/", "https://example/", "https://router.lan/", "https://a.localhost/"),
    *("https://db.internal/", "https://metadata.google.internal/", "https://printer.local/", "https://intra.corp/"),
    *("https://1.0.0.127.in-addr.arpa/", "https://x.onion/", "https://example.org./", "https://.example.org/"),
    *("https://example..org/", "https://-example.org/", "https://example-.org/", "https://ex_ample.org/", "https://exämple.org/"),
    "https://example.org/" + "x" * 2000,
)  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_a_public_website_is_taken(url: str) -> None:
    assert may_be_a_website(url)


@pytest.mark.parametrize("url", BAD)
def test_everything_else_is_refused(url: str) -> None:
    assert not may_be_a_website(url)


def test_the_database_judges_alike(database: Database, world: World) -> None:
    with person_session(database, world.dag) as dag:
        for url in GOOD:
            call(dag, "create_webhook_endpoint", p_organisation_id=world.organisation_id, p_url=url)
        refused_urls: tuple[str | None, ...] = (*BAD, None)
        for wrong in refused_urls:
            with refused(BAD_ARGUMENT):
                call(dag, "create_webhook_endpoint", p_organisation_id=world.organisation_id, p_url=wrong)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "2606:4700:4700::1111",
        "64:ff9b::101:101",
        "::ffff:1.1.1.1",
        "172.32.0.1",
        "11.0.0.1",
    ],
)
def test_the_public_internet_may_be_connected_to(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        # This machine and this network.
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::"),
        # Private networks, carriers' networks, and a cloud's own services.
        *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255"),
        *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "168.63.129.16"),
        # Not for anybody: documentation, benchmarks, reserved, everybody.
        *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("2001:db8::1", "224.0.0.1", "239.1.2.3", "ff02::1", "fec0::1"),
        # One of the above in the clothes of another.
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "::ffff:168.63.129.16"),
        # No addresses at all.
        *("", "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "1.1.1.1 ", "1.1.1.1\n"),
    ],
)  # fmt: skip
def test_nothing_else_may(address: str) -> None:
    assert not is_public(address)
