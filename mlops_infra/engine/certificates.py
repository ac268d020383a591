"""Certificates in a stack's Secrets that end soon; the next `up` makes new ones."""

from __future__ import annotations

import base64
import datetime
from typing import Any

WARNING = datetime.timedelta(days=180)
"""`up` renews with 643 days or more left: whoever sees this has not run one for a long time."""


def ending(secrets: list[Any], now: datetime.datetime | None = None) -> list[str]:
    """One line for each certificate with less than half a year to go.

    Args:
        secrets: Kubernetes Secrets; those without `tls.crt` are passed over.
        now: the moment to judge by; this one where None.
    """
    from cryptography import x509

    now = now or datetime.datetime.now(datetime.UTC)
    found = []
    for secret in secrets:
        text = (secret.data or {}).get("tls.crt")
        if text is None:
            continue
        name = f"{secret.metadata.namespace}/{secret.metadata.name}"
        try:
            end = x509.load_pem_x509_certificate(base64.b64decode(text)).not_valid_after_utc
        except ValueError:
            found.append(f"the certificate in Secret {name} cannot be read; up replaces it")
            continue
        if end - now < WARNING:
            verb = "ended" if end < now else "ends"
            found.append(f"the certificate in Secret {name} {verb} on {end:%Y-%m-%d}; up renews it")
    return found
