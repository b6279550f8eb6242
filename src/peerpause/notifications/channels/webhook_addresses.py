"""Pure: which addresses a webhook may be sent to. Only public websites, so that nobody can make this server knock on doors inside.

An organisation's admin chooses the address, and the answer's status comes back to them: without these rules that would be a window into
the network this server stands in, down to a cloud's own metadata service.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 2000
_ADDRESS: Final = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[!-~]*)?")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
# The last label begins with a letter: that leaves out an address in numbers, be it decimal, octal, hexadecimal or shortened.
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
_LOCAL_ZONES: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "arpa", "onion", "invalid"}
)  # fmt: skip

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
# Ways to write or to reach another address, which no public website needs: tunnels, and the long-gone forms of IPv4 and site-local.
_DETOURS: Final = tuple(
    IPv6Network(each) for each in ("2002::/16", "2001::/32", "::/96", "64:ff9b:1::/48", "fec0::/10")
)
# Public by its number, and yet a cloud's own host service.
_HOST_SERVICES: Final = frozenset({IPv4Address("168.63.129.16")})


def may_be_a_website(url: str) -> bool:
    """Whether an address has the form of a public website's: https, a name of the public DNS, no user name.

    The database asks the same (`peerpause.require_webhook_url`); where the name leads is asked at each connection.
    """
    if len(url) > _LONGEST or not _ADDRESS.fullmatch(url):
        return False
    host = (urlsplit(url).hostname or "").lower()
    return _NAME.fullmatch(host) is not None and host.rpartition(".")[2] not in _LOCAL_ZONES


def is_public(address: str) -> bool:
    """Whether an IP address, as a socket is about to use it, belongs to the public internet. False for what is no IP address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return _is_public_v6(parsed)
    return _is_public_v4(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and address not in _HOST_SERVICES


def _is_public_v6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address in _TRANSLATED:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in _DETOURS):
        return False
    return address.is_global and not address.is_multicast
