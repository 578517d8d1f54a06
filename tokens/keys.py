"""The text of a key: making, reading and checking it. Nothing else in the project handles secrets.

A key is `ApiKey SU-160-984-311:<40 lowercase hex digits>`, the value of the Authorization header.
Of the 40 digits 32 are random (128 bits) and 8 are a CRC-32 of what stands before them. The
checksum is advice only: it words an error and helps secret scanners; whether a key is right is
decided by its digest alone.
"""

import hmac
import re
import secrets
import zlib
from typing import NamedTuple

from django.conf import settings

SCHEME = "ApiKey"
# `fullmatch` on ASCII only: `strip()` and `$` would let line ends and exotic blanks pass.
HEADER = re.compile(r"(?i:apikey) (SU-[0-9]{3}-[0-9]{3}-[0-9]{3}):([0-9a-f]{40})", re.ASCII)
HEADER_LENGTH = len("ApiKey SU-000-000-000:") + 40
# Compared with when there is no such token, so that an unknown id costs the same as a wrong secret.
NOBODY = bytes(32)


class Key(NamedTuple):
    """A key as it was sent: the public id of the token and the secret."""

    token_id: str
    secret: str

    def __repr__(self) -> str:
        """Without the secret: a repr ends in logs and reports of errors."""
        return f"Key(token_id={self.token_id!r}, secret='••••')"

    @property
    def header(self) -> str:
        """The value to paste after `Authorization: `."""
        return f"{SCHEME} {self.token_id}:{self.secret}"

    @property
    def looks_mistyped(self) -> bool:
        """Whether the checksum says that a digit is missing, changed or swapped."""
        return self.secret[32:] != checksum(self.token_id, self.secret[:32])


class Digest(NamedTuple):
    """What the database keeps to check a key, and the number of the pepper that made it."""

    value: bytes
    pepper: int


def checksum(token_id: str, random: str) -> str:
    return f"{zlib.crc32(f'{token_id}:{random}'.encode()):08x}"


def mint(token_id: str) -> Key:
    """A fresh key for the token."""
    random = secrets.token_hex(16)
    return Key(token_id, random + checksum(token_id, random))


def parse(header: str) -> Key | None:
    """Read a raw Authorization header strictly; None for anything that is not exactly a key."""
    if len(header) != HEADER_LENGTH:
        return None
    match = HEADER.fullmatch(header)
    return Key(match[1], match[2]) if match else None


def digest(key: Key, pepper: int | None = None) -> Digest:
    """HMAC-SHA256 of the key under a numbered pepper, by default the current one.

    Raises KeyError for a pepper that is no longer in the ring.
    """
    number = max(settings.TOKEN_PEPPERS) if pepper is None else pepper
    return Digest(
        hmac.digest(
            settings.TOKEN_PEPPERS[number], f"{key.token_id}:{key.secret}".encode(), "sha256"
        ),
        number,
    )


def can_check(pepper: int) -> bool:
    """Whether the ring still has the pepper."""
    return pepper in settings.TOKEN_PEPPERS


def matches(key: Key, stored: bytes, pepper: int) -> bool:
    """Whether the stored digest is that of the key, in constant time.

    A pepper that was taken away matches nothing.
    """
    if not can_check(pepper):
        return False
    return hmac.compare_digest(digest(key, pepper).value, bytes(stored))


def fingerprint(secret: bytes) -> bytes:
    """Tell secrets of a ring apart without keeping them: HMAC-SHA256 of a constant."""
    return hmac.digest(secret, b"fingerprint of a secret of a ring", "sha256")


def matches_nobody(key: Key) -> bool:
    """Always false, at the price of `matches`."""
    return hmac.compare_digest(digest(key).value, NOBODY)
