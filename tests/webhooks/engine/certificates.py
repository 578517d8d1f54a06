"""Certificates for endpoints, good and bad."""

import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """An authority that signs certificates; its own one is in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.sign(self.key, "Tests", None, ends_in=timedelta(days=9))
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def sign(
        self,
        key: Key,
        subject: str,
        host: x509.GeneralName | None,
        ends_in: timedelta,
        begins_in: timedelta = -timedelta(days=30),
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("Tests"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins_in)
            .not_valid_after(now + ends_in)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def context(
        self,
        host: str = "127.0.0.1",
        ends_in: timedelta = timedelta(days=9),
        begins_in: timedelta = -timedelta(days=30),
    ) -> ssl.SSLContext:
        """Return what a server needs to show a certificate for a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            general: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            general = x509.DNSName(host)
        signed = self.sign(key, host, general, ends_in, begins_in)
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def answering(context: ssl.SSLContext, connection: socket.socket) -> None:
    """Answer one call over TLS."""
    with context.wrap_socket(connection, server_side=True) as secure:
        secure.recv(65536)
        secure.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
