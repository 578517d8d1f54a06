"""Making, reading and checking the text of keys. No other module handles secrets.

A key is `ApiKey SU-160-984-311:<40 lowercase hex digits>`, the value of the Authorization header.
Of the 40 digits, 32 are random (128 bits) and 8 are the CRC-32 of the token's id and those 32. The
checksum only improves an error message and helps secret scanners; the digest alone decides whether
a key is right.

A handle is 40 random hex digits, which people paste as `<handle>@https://portal.example/public/v1`.
The maker of an extension exchanges it for the key behind it, which follows from the handle and
from a salt that only the database has.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from typing import NamedTuple

from django.conf import settings

SCHEME = "ApiKey"
# `fullmatch` on ASCII only: `strip()` and `$` would accept line ends and unusual white space.
HEADER = re.compile(r"(?i:apikey) (SU-[0-9]{3}-[0-9]{3}-[0-9]{3}):([0-9a-f]{40})", re.ASCII)
PASTED = re.compile(r"SU-[0-9]{3}-[0-9]{3}-[0-9]{3}:[0-9a-f]{40}", re.ASCII | re.IGNORECASE)
HEADER_LENGTH = len("ApiKey SU-000-000-000:") + 40
# How many of the last digits of a secret pages show. They belong to the checksum, so 112 of the 128
# random bits stay unknown to whoever reads them.
SHOWN = 4
# Compared with if the token does not exist, so that an unknown id takes as long as a wrong secret.
NOBODY = bytes(32)


class Key(NamedTuple):
    """A key as it was sent: the public id of the token and the secret.

    A new key behind a handle comes with it: people get the handle, and programs the key.
    """

    token_id: str
    secret: str
    handle: str = ""

    def __repr__(self) -> str:
        """Return the key without its secret, since reprs end up in logs and error reports."""
        return f"Key(token_id={self.token_id!r}, secret='••••')"

    @property
    def header(self) -> str:
        """The value to paste after `Authorization: `."""
        return f"{SCHEME} {self.token_id}:{self.secret}"

    @property
    def shown(self) -> str:
        """What people are shown of a new key: the handle, or the value of the header."""
        return self.handle or self.header

    @property
    def last_four(self) -> str:
        """The last digits of what people see, by which they tell keys, or handles, apart."""
        return (self.handle or self.secret)[-SHOWN:]

    @property
    def has_handle(self) -> bool:
        return bool(self.handle)

    @property
    def looks_mistyped(self) -> bool:
        """Whether the checksum says that a digit is missing, changed or swapped."""
        return self.secret[32:] != checksum(self.token_id, self.secret[:32])


def is_in(text: str) -> bool:
    """Tell whether somebody pasted a key into a text."""
    return PASTED.search(text) is not None


class Digest(NamedTuple):
    """What the database keeps to check a key, and the number of the pepper that made it."""

    value: bytes
    pepper: int


def checksum(token_id: str, random: str) -> str:
    return f"{zlib.crc32(f'{token_id}:{random}'.encode()):08x}"


def mint(token_id: str) -> Key:
    """Return a new key for the token."""
    random = secrets.token_hex(16)
    return Key(token_id, random + checksum(token_id, random))


def parse(header: str) -> Key | None:
    """Parse a raw Authorization header; return None for anything that is not exactly a key."""
    if len(header) != HEADER_LENGTH:
        return None
    match = HEADER.fullmatch(header)
    return Key(match[1], match[2]) if match else None


def digest(key: Key, pepper: int | None = None) -> Digest:
    """Return the HMAC-SHA256 of the key under a numbered pepper, by default the current one.

    Raise KeyError for a pepper that is no longer in the ring.
    """
    number = max(settings.TOKEN_PEPPERS) if pepper is None else pepper
    return Digest(
        hmac.digest(
            settings.TOKEN_PEPPERS[number], f"{key.token_id}:{key.secret}".encode(), "sha256"
        ),
        number,
    )


def can_check(pepper: int) -> bool:
    """Tell whether the ring still has the pepper."""
    return pepper in settings.TOKEN_PEPPERS


def matches(key: Key, stored: bytes, pepper: int) -> bool:
    """Tell in constant time whether the stored digest is that of the key.

    Return False if the pepper is no longer in the ring.
    """
    if not can_check(pepper):
        return False
    return hmac.compare_digest(digest(key, pepper).value, bytes(stored))


def fingerprint(secret: bytes) -> bytes:
    """Return the HMAC-SHA256 of a constant under a secret of a ring.

    It tells secrets apart without storing them.
    """
    return hmac.digest(secret, b"fingerprint of a secret of a ring", "sha256")


def matches_nobody(key: Key) -> bool:
    """Return False, after the same work as `matches()`."""
    return hmac.compare_digest(digest(key).value, NOBODY)


# --- Handles --------------------------------------------------------------------------------------

HANDLE = re.compile(r"[0-9a-f]{40}", re.ASCII)


def new_handle() -> str:
    """Return a new handle: 160 random bits."""
    return secrets.token_hex(20)


def new_salt() -> bytes:
    return secrets.token_bytes(32)


def handle_in(text: str, endpoint: str = "") -> str:
    """Return the handle in what somebody pasted, alone or with `@` and the endpoint.

    Return `""` if there is none, or if it is for another address.
    """
    handle = text.removesuffix(f"@{endpoint}") if endpoint else text
    return handle if HANDLE.fullmatch(handle) else ""


def handle_digest(handle: str) -> bytes:
    """Return what the database keeps to find a handle. Random bits need no pepper."""
    return hashlib.sha256(f"handle:{handle}".encode()).digest()


def behind(handle: str, token_id: str, salt: bytes) -> Key:
    """Return the key behind a handle of a token.

    It takes both the handle, which the database cannot tell, and the salt, which the handle cannot.
    Every exchange gives the same key, and no copy of it has to be kept.
    """
    random = hmac.digest(salt, f"key of {token_id}: {handle}".encode(), "sha256")[:16].hex()
    return Key(token_id, random + checksum(token_id, random), handle)


# --- Addresses that nobody can guess --------------------------------------------------------------


def random_address() -> str:
    """Return the secret part of a private address: 160 random bits as 40 hex digits."""
    return secrets.token_hex(20)


def address_digest(secret: str) -> bytes:
    """Return what the database keeps of it. Random bits need no pepper."""
    return hashlib.sha256(secret.encode()).digest()
