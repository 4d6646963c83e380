"""Certificates for the production host names, from an authority made for this run; the key of that authority never leaves memory."""

import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

import trustme


class Authority:
    """A certificate authority that nobody trusts but a client led to `write`'s file."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._ca = trustme.CA(organization_name="tfx stand-in", organization_unit_name="invented, trust it nowhere")
        self.contexts: Mapping[str, ssl.SSLContext] = {host: self._context(host) for host in hosts}

    def _context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._ca.issue_cert(host).configure_cert(context)
        return context

    def write(self, folder: Path) -> Path:
        """The authority's certificate as PEM in this folder."""
        path = folder / "stand-in-ca.pem"
        path.write_bytes(self._ca.cert_pem.bytes())
        return path
