"""Sealing keys, so that they can be viewed later. Not used to check calls.

AES-256-GCM with a random nonce. The account, the token and the key's version are bound in as
associated data, so a sealed copy that was moved to another row cannot be opened. Layout: number of
the sealing key (1 byte), nonce (12 bytes), ciphertext.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12


class SealBroken(Exception):
    """The copy was altered or moved, or its sealing key is no longer in the ring."""


def seal(text: str, *bound_to: object) -> bytes:
    """Seal a text with the current sealing key, bound to the row that keeps it."""
    number = max(settings.TOKEN_SEALING_KEYS)
    nonce = os.urandom(NONCE)
    return (
        bytes([number])
        + nonce
        + AESGCM(settings.TOKEN_SEALING_KEYS[number]).encrypt(
            nonce, text.encode(), context(bound_to)
        )
    )


def can_open(sealed: bytes) -> bool:
    """Tell whether the ring still has the sealing key.

    Whether the copy is intact shows only when it is opened.
    """
    return sealed[:1] != b"" and sealed[0] in settings.TOKEN_SEALING_KEYS


def unseal(sealed: bytes, *bound_to: object) -> str:
    """Open a sealed text. Raise SealBroken."""
    try:
        ring_key = settings.TOKEN_SEALING_KEYS[sealed[0]]
        return (
            AESGCM(ring_key)
            .decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], context(bound_to))
            .decode()
        )
    except (InvalidTag, KeyError, IndexError, ValueError) as problem:
        raise SealBroken from problem


def context(bound_to: tuple[object, ...]) -> bytes:
    return "|".join(map(str, bound_to)).encode()
