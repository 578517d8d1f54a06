"""Which addresses webhooks may call: public ones, and those in networks that the operator allows.

What counts is the address of the connection itself, which `send` checks when the socket is opened.
A look-up in advance only tells people early, since the answer of the DNS may change in between.
"""

import ipaddress
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal import text
from portal.addresses import MAPPED, PUBLIC, Address, at, place

# Everything in the registries of special addresses (RFC 6890 and its successors) that is not a
# host of the Internet. Python's own `is_global` depends on the version and misses some.
NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carriers' translation; also a metadata service
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # the platform service of Azure, although it looks public
            "169.254.0.0/16",  # link-local, with the metadata service of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; also a metadata service
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which leads to an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
# How IPv6-only networks reach IPv4 (RFC 6052): the last four bytes are the real address.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# Seconds that a look-up may take while somebody waits, and how many run at once in a process:
# the resolver of the system cannot be interrupted.
PATIENCE = 3.0
LOOKUPS = threading.BoundedSemaphore(16)


def may_call(address: str) -> bool:
    """Tell whether webhooks may connect to an IP address."""
    try:
        # The zone of a link-local address matters to nobody: none of them is public.
        real = unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return is_public(real) or any(real in network for network in allowed())


def unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if address.version == 6 and address in NAT64:
        return at(int(MAPPED[0]) + (int(address) & 0xFFFFFFFF))
    return at(place(address))


def is_public(address: Address) -> bool:
    if address.version == 6 and address not in PUBLIC:
        return False
    return not any(address in network for network in NOT_PUBLIC)


def allowed() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the networks that the operator allows besides public addresses."""
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]
    networks = settings.WEBHOOK_ALLOWED_NETWORKS
    return networks


# Names that lead nowhere on the Internet: reserved ones (RFC 6761, 6762, 8375 and ICANN's of 2024),
# and those that networks at home and at work have always used.
PRIVATE_NAMES = (
    *("local", "internal", "home.arpa", "localdomain"),
    *("lan", "home", "corp", "intranet", "private"),
)


def check_reach(url: str) -> None:
    """Raise ValidationError for an address that is certainly private and not allowed.

    That is one in the spelling of an IP address, or a name that is used inside networks only. Of
    all others, only a connection tells.
    """
    host = urlsplit(url).hostname or ""
    try:
        # As libcurl is given it: this turns digits of other scripts into ours, too.
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise ValidationError(
            _("Enter a complete address, such as https://example.com/hook.")
        ) from None
    if not can_be_reached(name.lower().removesuffix(".")):
        raise ValidationError(no_public_address(host))


def no_public_address(host: str) -> str:
    """Return the sentence for a private address, and for a name that does not exist."""
    told = _("%(host)s has no public address. Check the spelling; private ones are refused.")
    return told % {"host": text.isolate(host)}


def can_be_reached(name: str) -> bool:
    """Tell whether a name may lead to an address that webhooks may call; it is not looked up."""
    if ":" in name:
        return may_call(name.replace("%25", "%"))
    if name == "localhost" or name.endswith(".localhost"):
        return may_call("127.0.0.1") or may_call("::1")
    try:
        # Reads what libcurl reads as an address: 127.1, 0x7f000001 and 2130706433.
        return may_call(socket.inet_ntoa(socket.inet_aton(name)))
    except OSError:
        pass
    if "." not in name or name.endswith(tuple(f".{each}" for each in PRIVATE_NAMES)):
        return any(not network.is_loopback for network in allowed())
    return True


class Found(NamedTuple):
    """What a look-up of a name found; nothing if it has no address or took too long."""

    addresses: tuple[str, ...]

    @property
    def refused(self) -> tuple[str, ...]:
        """The addresses that may not be called. One is enough to refuse the name."""
        return tuple(address for address in self.addresses if not may_call(address))

    @property
    def is_callable(self) -> bool:
        return bool(self.addresses) and not self.refused


def look_up(url: str, seconds: float = PATIENCE) -> Found:
    """Find the addresses of an endpoint within some seconds."""
    host = urlsplit(url).hostname or ""
    if not LOOKUPS.acquire(blocking=False):
        return Found(())
    answers: SimpleQueue[Found] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host))
        finally:
            LOOKUPS.release()

    threading.Thread(target=ask, daemon=True).start()
    with suppress(Empty):
        return answers.get(timeout=seconds)
    return Found(())


def resolve(host: str) -> Found:
    try:
        # Reads literals as libcurl and the system do: 127.1, 0x7f000001, 2130706433 and [::1].
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Found(())
    return Found(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))
