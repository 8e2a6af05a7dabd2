"""Certificates for a test's own servers: an authority, and a server's certificate for the name ``localhost`` alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TLS_NAME = "localhost"
_LIFETIME = timedelta(days=1)


def make_authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return an authority's certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    subject_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = _begin(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    signed = builder.add_extension(usage, critical=True).add_extension(subject_id, critical=False)
    return signed.sign(key, hashes.SHA256()), key


def write_pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


class Authority:
    """Whoever vouches for others."""

    def __init__(self) -> None:
        self.certificate, self._key = make_authority()

    @property
    def pem(self) -> str:
        """Its certificate."""
        return write_pem(self.certificate)

    def write_client_file(self, path: Path, age: timedelta = timedelta(hours=1)) -> Path:
        """Write a client's certificate and key into one file; one older than a day and an hour is out of date."""
        return self._write(path, ExtendedKeyUsageOID.CLIENT_AUTH, age)

    def write_server_file(self, path: Path, age: timedelta = timedelta(hours=1)) -> Path:
        """Write a server's certificate and key into one file."""
        return self._write(path, ExtendedKeyUsageOID.SERVER_AUTH, age)

    def _write(self, path: Path, usage: x509.ObjectIdentifier, age: timedelta) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, TLS_NAME)])
        names = x509.SubjectAlternativeName([x509.DNSName(TLS_NAME)])
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = _begin(name, self.certificate.subject, key, age).add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        signed = builder.add_extension(issuer_id, critical=False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_text(write_pem(signed) + private.decode())
        return path


def write_server_files(directory: Path) -> str:
    """Write ``server.pem``, certificate and key, of a new authority, which is returned as PEM."""
    authority = Authority()
    authority.write_server_file(directory / "server.pem")
    return authority.pem


def _begin(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, age: timedelta = timedelta(hours=1)
) -> x509.CertificateBuilder:
    begun = datetime.now(UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(hours=1) + _LIFETIME)
    )
