"""IP addresses and ranges of them: how people write them, and how databases compare them."""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where IPv4 addresses are among those of IPv6 (RFC 4291, 2.5.5.2).
MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
# All IPv6 addresses that the Internet uses.
PUBLIC = ipaddress.IPv6Network("2000::/3")
# Sorts after every stored address, so that no range contains it.
UNKNOWN = "g"
# A larger network is not counted in words.
COUNTED = 2**20

WRONG = gettext_lazy("Enter an address such as 203.0.113.24 or 2001:db8::1.")
# The beginning of an IPv4 address, as people type it to search: `203.0.113` or `203.0.`
BEGINNING = re.compile(r"(?:[0-9]{1,3}\.){1,3}[0-9]{0,3}")
BETWEEN = re.compile(r"\s*[-\u2013\u2014]\s*")


@lru_cache(maxsize=2048)
def packed(address: str | None) -> str:
    """Return an address as 32 hexadecimal digits, an IPv4 address as an IPv6 one.

    So databases compare addresses as texts. `UNKNOWN` for None. Raise ValueError.
    """
    return UNKNOWN if address is None else f"{place(ipaddress.ip_address(address)):032x}"


def unpacked(digits: str) -> str:
    """Return a stored address as people write it."""
    return str(at(int(digits, 16)))


def place(address: Address) -> int:
    """Return an address as a number of IPv6."""
    return int(address) + (int(MAPPED[0]) if address.version == 4 else 0)


def at(number: int) -> Address:
    address = ipaddress.IPv6Address(number)
    return address.ipv4_mapped or address


class Span(NamedTuple):
    """A range of addresses, both ends included; a single address has the same one twice."""

    first: Address
    last: Address

    @classmethod
    def between(cls, first: str, last: str) -> "Span":
        """Return the range between two stored addresses."""
        return cls(ipaddress.ip_address(first), ipaddress.ip_address(last))

    def covers(self, address: str) -> bool:
        return place(self.first) <= place(ipaddress.ip_address(address)) <= place(self.last)

    def includes(self, other: "Span") -> bool:
        return place(self.first) <= place(other.first) and place(other.last) <= place(self.last)

    def __str__(self) -> str:
        """Return `203.0.113.24`, `203.0.113.0/26` or `203.0.113.24 – 25`."""
        if self.first == self.last:
            return str(self.first)
        if network := self.network:
            return str(network)
        head, dot, _tail = str(self.first).rpartition(".")
        same, _dot, tail = str(self.last).rpartition(".")
        return f"{self.first} \u2013 {tail if dot and head == same else self.last}"

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
        """The network that the range is; None if it is none."""
        prefix = self.first.max_prefixlen - self.size.bit_length() + 1
        try:
            found = ipaddress.ip_network(f"{self.first}/{prefix}")
        except ValueError:
            # It begins in the middle of one.
            return None
        return found if found.num_addresses == self.size else None

    @property
    def size(self) -> int:
        return place(self.last) - place(self.first) + 1

    @property
    def size_words(self) -> str:
        """How many addresses it has: `64 addresses`, or `a whole network`."""
        if self.first.version == 6 and self.size > COUNTED:
            return _("a whole network") if self.network else _("many addresses")
        return ngettext("%(n)s address", "%(n)s addresses", self.size) % {"n": f"{self.size:,}"}

    @property
    def is_everything(self) -> bool:
        """Whether it has every address of IPv4, or every public one of IPv6."""
        return any(
            place(self.first) <= int(whole[0]) and int(whole[-1]) <= place(self.last)
            for whole in (MAPPED, PUBLIC)
        )


def read_address(text: str) -> Address:
    """Return the address that somebody typed. Raise ValidationError."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        raise ValidationError(WRONG, code="address") from None
    if address.version == 6 and address.scope_id:
        raise ValidationError(WRONG, code="address")
    return at(place(address))


def read_network(text: str) -> Span:
    """Return the range of a network that somebody typed. Raise ValidationError."""
    try:
        # Python drops the zone of `fe80::1%eth0/64`, which only one machine understands.
        network = ipaddress.ip_network("" if "%" in text else text.strip(), strict=False)
    except ValueError:
        raise ValidationError(WRONG, code="address") from None
    return Span(at(place(network[0])), at(place(network[-1])))


def read_span(text: str) -> Span:
    """Return what somebody typed: an address, a network, or two addresses with a dash between.

    Raise ValidationError.
    """
    if "/" in text:
        return read_network(text)
    first, *rest = BETWEEN.split(text.strip(), maxsplit=1)
    if rest:
        return span_of(read_address(first), read_address(rest[0]))
    address = read_address(first)
    return Span(address, address)


def span_of(first: Address, last: Address) -> Span:
    """Return the range between two addresses. Raise ValidationError."""
    if first.version != last.version:
        raise ValidationError(_("Both addresses must be IPv4, or both IPv6."), code="mixed")
    if place(last) < place(first):
        raise ValidationError(_("The last address comes before the first."), code="order")
    return Span(first, last)


def find_span(text: str) -> Span | None:
    """Return the addresses that a search means, as `203.0.113.7` or `203.0.113`; None if none."""
    text = text.strip()
    if (BEGINNING.fullmatch(text) and text.count(".") < 3) or text.endswith("."):
        parts = [part for part in text.split(".") if part]
        text = f"{'.'.join([*parts, '0', '0', '0'][:4])}/{8 * len(parts)}"
    try:
        return read_span(text)
    except ValidationError:
        return None


def covers(spans: Iterable[Span], address: str) -> bool:
    """Tell whether one of the ranges has the address."""
    return any(span.covers(address) for span in spans)
