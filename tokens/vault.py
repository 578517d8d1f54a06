"""Sealing a key so that it can be viewed again later. Checking a call never comes here.

AES-256-GCM with a random nonce. The account, the token and the key's version are bound in as
associated data, so a sealed copy that was moved to another row cannot be opened. Layout: 1 byte
number of the sealing key, 12 bytes nonce, ciphertext.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12


class SealBroken(Exception):
    """The copy cannot be opened: it was altered or moved, or its sealing key is no longer in the ring."""


def seal(text: str, *bound_to: object) -> bytes:
    """Seal a text under the current sealing key, bound to where it is kept."""
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
    """Whether the ring still has the sealing key; only opening tells whether the copy is whole."""
    return sealed[:1] != b"" and sealed[0] in settings.TOKEN_SEALING_KEYS


def unseal(sealed: bytes, *bound_to: object) -> str:
    """The text again. Raises SealBroken."""
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
