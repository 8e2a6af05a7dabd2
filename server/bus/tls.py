"""The TLS of the broker's two addresses: whom this server believes, and which certificate of its own it shows.

Both are named in the address itself: ``?cafile=…`` holds the authorities (PEM) that vouch for the broker, instead of those the
machine trusts; ``certfile=…`` and ``keyfile=…`` are this server's certificate and key, where the broker asks for one.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from shared.problems import SettingsInvalid
from shared.settings import Secret

_SECURE = {"amqps", "https"}


class TlsFiles(Struct, frozen=True, kw_only=True):
    """Files that an address names; None where it does not."""

    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None


def read_tls_files(url: Secret, setting: str) -> TlsFiles:
    """Return the files a broker's address names; whether they are there is not looked at.

    Raises:
        SettingsInvalid: they make no sense there, or the address wants no verification, which this program does not do.
    """
    parts = urlsplit(url.value)
    told = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if "no_verify_ssl" in told:
        raise SettingsInvalid(
            f"{setting} asks for no_verify_ssl: a broker that nobody vouches for could be anybody. Name its authority with cafile=."
        )
    files = TlsFiles(cafile=told.get("cafile"), certfile=told.get("certfile"), keyfile=told.get("keyfile"))
    if files != TlsFiles() and parts.scheme not in _SECURE:
        raise SettingsInvalid(f"{setting} names certificates, and its scheme has no TLS: use amqps:// (or https://).")
    if files.keyfile is not None and files.certfile is None:
        raise SettingsInvalid(f"{setting} names a keyfile without the certfile that belongs to it.")
    return files


def make_context(url: Secret, setting: str) -> ssl.SSLContext | None:
    """Return how to speak TLS with an address, None where it has none; reads files, so call it beside the event loop.

    Raises:
        SettingsInvalid: a file cannot be read, is no PEM, or the key does not belong to the certificate.
    """
    files = read_tls_files(url, setting)
    if urlsplit(url.value).scheme not in _SECURE:
        return None
    try:
        context = ssl.create_default_context(cafile=files.cafile)
    except OSError as exc:
        raise SettingsInvalid(f"{setting}: cafile={files.cafile} {_explain(exc)}.") from exc
    if files.certfile is not None:
        try:
            context.load_cert_chain(files.certfile, files.keyfile)
        except OSError as exc:
            named = f"certfile={files.certfile}" + (f" with keyfile={files.keyfile}" if files.keyfile else "")
            raise SettingsInvalid(f"{setting}: {named} {_explain(exc)}.") from exc
    return context


def describe_refusal(problem: BaseException) -> str | None:
    """Return in words what TLS had against a connection, None where it was not TLS."""
    for one in _chain(problem):
        if isinstance(one, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not trusted: {one.verify_message}; see cafile in the address, and the host's name"
            )
        if isinstance(one, ssl.SSLError):
            reason = (one.reason or str(one)).replace("_", " ").lower()
            if "alert" in reason:
                return f"it does not accept this server's certificate: {reason}; see certfile in the address"
            return f"TLS failed: {reason}"
    if any(isinstance(one, ConnectionResetError) for one in _chain(problem)):
        # With TLS 1.3 a client's certificate is looked at after the handshake, and the end can overtake the reason.
        return "it ended the connection; over TLS that is also how one does not accept this server's certificate: see certfile"
    return None


def _explain(exc: OSError) -> str:
    if isinstance(exc, ssl.SSLError):
        return f"is not usable ({(exc.reason or 'no PEM').replace('_', ' ').lower()})"
    return f"cannot be read ({exc.strerror})"


def _chain(problem: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    link: BaseException | None = problem
    while link is not None and link not in seen:
        seen.append(link)
        yield link
        link = link.__cause__ or link.__context__
