"""TLS at the receiving end of an association (PS3.15, annex B).

Knows what is asked of senders. Does not know certificates and keys: the core does.
"""

from __future__ import annotations

import ssl

from mroute.api import Tls, TlsError


def server_context(tls: Tls) -> ssl.SSLContext:
    """What secures the connections of senders; raises `TlsError` and `SecretError`."""
    if tls.certificate is None:
        raise TlsError("a receiver needs a 'certificate' for TLS")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.authorities is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        tls.trust(context)
    tls.identify(context)
    return context
