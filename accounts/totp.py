"""Codes of authenticator apps (TOTP, RFC 6238), and the spare codes that replace them.

The secret of an app must be known in clear to check a code, so it is sealed at rest with a key
that is derived from SECRET_KEY and thus not in the database; see docs/decisions/0010.
"""

import base64
import os
import re
import secrets
import time
from collections.abc import Iterator
from functools import cache

import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

DIGITS = 6
SECONDS = 30
# Bytes of the secret, as RFC 4226 recommends.
LENGTH = 20
# How many codes before and after the present one are accepted, for clocks that differ.
SLACK = 1
NONCE = 12
SPARE_CODES = 10


def new_secret() -> bytes:
    return os.urandom(LENGTH)


def in_words(secret: bytes) -> str:
    """Return the secret as people type it into an app, in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def app(secret: bytes) -> TOTP:
    # SHA-1 is what every app understands; HMAC does not depend on what is broken about it.
    return TOTP(secret, DIGITS, SHA1(), SECONDS, enforce_key_length=False)  # noqa: S303


def picture(secret: bytes, email: str) -> tuple[int, str]:
    """Return the QR code that an app scans, as its number of modules and the path of an SVG."""
    address = app(secret).get_provisioning_uri(email, settings.BRAND)
    rows = [list(row) for row in segno.make(address, error="m").matrix]
    path = "".join(
        f"M{column} {line}h1v1h-1z"
        for line, row in enumerate(rows)
        for column, is_dark in enumerate(row)
        if is_dark
    )
    return len(rows), path


def matching_step(secret: bytes, typed: str) -> int | None:
    """Return the number of the 30 seconds that a code belongs to, or None for a wrong code."""
    code = re.sub(r"\s", "", typed)
    if not re.fullmatch(f"[0-9]{{{DIGITS}}}", code, re.ASCII):
        return None
    now = int(time.time()) // SECONDS
    for step in range(now - SLACK, now + SLACK + 1):
        if constant_time_compare(app(secret).generate(step * SECONDS), code):
            return step
    return None


# --- At rest --------------------------------------------------------------------------------------


@cache
def sealing_key(secret_key: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"accounts.totp").derive(secret_key.encode())


def seal(secret: bytes, user: str) -> bytes:
    """Seal the secret of an app, bound to the person that it belongs to."""
    nonce = os.urandom(NONCE)
    cipher = AESGCM(sealing_key(settings.SECRET_KEY))
    return nonce + cipher.encrypt(nonce, secret, user.encode())


def unseal(sealed: bytes, user: str) -> bytes | None:
    """Return the secret, or None if it was sealed with a SECRET_KEY that is no longer known."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return AESGCM(sealing_key(key)).decrypt(sealed[:NONCE], sealed[NONCE:], user.encode())
        except InvalidTag:
            continue
    return None


# --- Spare codes ----------------------------------------------------------------------------------


def new_codes() -> list[str]:
    """Return spare codes such as `4f9a-81c2`."""
    return [f"{secrets.token_hex(2)}-{secrets.token_hex(2)}" for _ in range(SPARE_CODES)]


def digests(code: str, user: str) -> Iterator[str]:
    """Yield the digests of a spare code: the one to store, then those under older SECRET_KEYs.

    A plain hash of 32 bits could be reversed; this one needs a key that is not in the database.
    """
    plain = re.sub(r"[\s-]", "", code).lower()
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield salted_hmac(
            "accounts.spare_codes", f"{user}:{plain}", secret=key, algorithm="sha256"
        ).hexdigest()
