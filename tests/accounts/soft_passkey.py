"""An authenticator in software: it makes passkeys and signs challenges as a browser would."""

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

Flag = AuthenticatorData.FLAG


class SoftPasskey:
    """A passkey for one host. What it says of itself can be bent by the arguments of its verbs."""

    def __init__(self, host: str = "testserver") -> None:
        self.host = host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.counter = 0

    def data(
        self,
        kind: str,
        options: dict[str, Any],
        *,
        origin: str | None = None,
        host: str | None = None,
        verified: bool = True,
        credential: Any = None,
    ) -> tuple[CollectedClientData, AuthenticatorData]:
        client = CollectedClientData.create(
            type=kind,
            challenge=options["publicKey"]["challenge"],
            origin=origin or f"http://{self.host}",
        )
        flags = Flag.UP | (Flag.UV if verified else Flag(0)) | (Flag.AT if credential else Flag(0))
        authenticator = AuthenticatorData.create(
            hashlib.sha256((host or self.host).encode()).digest(),
            flags,
            self.counter,
            credential or b"",
        )
        return client, authenticator

    def make(self, options: dict[str, Any], **bend: Any) -> str:
        """Return what the browser posts after `navigator.credentials.create`."""
        credential = AttestedCredentialData.create(
            bytes(16),
            self.id,
            ES256.from_cryptography_key(self.key.public_key()),  # type: ignore[no-untyped-call]
        )
        client, data = self.data("webauthn.create", options, credential=credential, **bend)
        return self.answer(
            clientDataJSON=client, attestationObject=AttestationObject.create("none", data, {})
        )

    def sign(self, options: dict[str, Any], **bend: Any) -> str:
        """Return what the browser posts after `navigator.credentials.get`."""
        client, data = self.data("webauthn.get", options, **bend)
        signature = self.key.sign(data + client.hash, ec.ECDSA(SHA256()))
        return self.answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def answer(self, **response: Any) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self.id),
                "rawId": websafe_encode(self.id),
                "type": "public-key",
                "response": {name: websafe_encode(value) for name, value in response.items()},
                "clientExtensionResults": {},
            }
        )
