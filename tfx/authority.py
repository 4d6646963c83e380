"""A certificate authority made for one run, and its certificates for host names; its private key stays in memory."""

import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from tfx.extras import need

ALPN: Final = ("http/1.1",)
"""What is spoken inside: a client that prefers HTTP/2 learns it in the handshake."""


class Authority:
    """A certificate authority that nobody trusts but a client led to `write`'s file."""

    def __init__(self, hosts: Iterable[str], *, name: str) -> None:
        """`name` is what the certificate calls itself; UsageError without trustme."""
        need("answering over HTTPS", "serve")
        import trustme

        self._ca = trustme.CA(organization_name=name, organization_unit_name="invented, trust it nowhere")
        self.contexts: Mapping[str, ssl.SSLContext] = {host: self._context(host) for host in hosts}

    def _context(self, host: str) -> ssl.SSLContext:
        context = _plain()
        self._ca.issue_cert(host).configure_cert(context)
        context.sni_callback = partial(_only, host)
        return context

    def write(self, folder: Path) -> Path:
        """The authority's certificate as PEM in this folder."""
        path = folder / "tfx-ca.pem"
        path.write_bytes(self._ca.cert_pem.bytes())
        return path

    def write_for_java(self, folder: Path) -> Path | None:
        """The same as a trust store of Java's, password `changeit` (it holds nothing secret); None where cryptography is too old for it."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

        write = getattr(pkcs12, "serialize_java_truststore", None)
        if write is None:
            return None
        certificate = x509.load_pem_x509_certificate(self._ca.cert_pem.bytes())
        path = folder / "tfx-ca.p12"
        path.write_bytes(write([pkcs12.PKCS12Certificate(certificate, b"tfx")], BestAvailableEncryption(b"changeit")))
        return path


def by_name(contexts: Mapping[str, ssl.SSLContext], chosen: Callable[[str], None]) -> ssl.SSLContext:
    """A context that takes the certificate of the host a client names while it shakes hands, and tells `chosen` that name.

    A host without a certificate is answered with the alert for it.
    """
    first = _plain()

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        host = (name or "").lower()
        chosen(host)
        if host not in contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = contexts[host]
        return None

    first.sni_callback = choose
    return first


def _only(host: str, _connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
    """Who asked the proxy for one host may not go on to name another; without a name (by address, as IP clients do) it is this one."""
    return None if name is None or name.lower() == host else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


class _Closed(ssl.SSLSocket):
    """A socket of a client that was gone before the handshake: `wrap_socket` then raises and leaves the socket it made to the collector."""

    def __del__(self) -> None:
        """Close it, which Python does not."""
        self.close()


def _plain() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = _Closed
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(ALPN))
    return context
