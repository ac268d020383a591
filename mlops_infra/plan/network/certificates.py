"""How a plan names certificates that nobody has made yet.

A webhook configuration holds the certificate of the authority that signs the webhook's server, and
only the deployment can make one, from the stack's seed. Until then its place in the values holds a
mark: base64 of plain text, so that schemas and API servers take it for what will stand there.
"""

from __future__ import annotations

import base64
import binascii

CERTIFICATES_END = "9999999999"
"""Mark of the second since 1970 at which the stack's certificates end: a number in PromQL too."""
_PREFIX = "certificate authority of namespace "


def ca_bundle(namespace: str) -> str:
    """Stands for the authority's certificates of `namespace`, as base64 of PEM."""
    return base64.b64encode(f"{_PREFIX}{namespace}\n".encode()).decode()


def authority_of(text: str) -> str | None:
    """The namespace that `text`, one value of a chart, is the mark of; None where it is none."""
    if not text.startswith(_START):
        return None
    try:
        told = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return told.removeprefix(_PREFIX).strip()


_START = base64.b64encode(_PREFIX.encode()).decode().rstrip("=")[:-1]
"""Every mark begins so; the last character depends on what follows."""
