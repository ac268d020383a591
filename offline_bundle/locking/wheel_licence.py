"""The licence that a wheel states of itself."""

from __future__ import annotations

import re
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from mlops_infra.errors import OperationFailed

_CLASSIFIED = re.compile(r"License :: OSI Approved :: (.+)")
_BSD = "BSD"
"""Somebody's word for one of three licences; the text says which."""
_KNOWN = {
    "Apache Software License": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "BSD": _BSD,
    "BSD License": _BSD,
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD-2-Clause": "BSD-2-Clause",
    "BSD-3-Clause": "BSD-3-Clause",
    "ISC": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT": "MIT",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "MPL-2.0": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
"""Classifiers of PyPI, and what people write in `License`, to SPDX ids."""
_TEXTS = (
    ("all advertising materials mentioning features", "BSD-4-Clause"),
    ("neither the name", "BSD-3-Clause"),
    ("redistributions of source code must retain", "BSD-2-Clause"),
    ("permission is hereby granted free of charge to any person", "MIT"),
    ("apache license version 2.0", "Apache-2.0"),
)
"""Words that only the text of one licence has; the first that is found counts."""
_OWN_TERMS = 3_000
"""Characters; below the project's own terms may stand those of what it has taken in."""


def licence(wheel: Path) -> str | None:
    """An SPDX expression, or `LicenseRef-…` where the words are not SPDX's; None: it states none.

    Raises:
        OperationFailed: it is no wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as packed:
            names = packed.namelist()
            name = next(n for n in names if n.endswith(".dist-info/METADATA") and n.count("/") == 1)
            told = HeaderParser().parsestr(packed.read(name).decode("utf-8", "replace"))
            info = name.removesuffix("METADATA")
            texts = [
                packed.read(each).decode("utf-8", "replace")
                for each in names
                if each.startswith(info) and re.search(r"(?i)/(licen[cs]e|copying)[^/]*$", each)
            ]
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise OperationFailed("not a wheel", where=str(wheel)) from error
    if expression := told.get("License-Expression"):
        return str(expression)
    words = _words(told)
    known = _KNOWN.get(words) if words else None
    if known and known != _BSD:
        return known
    read = next(filter(None, map(_recognised, texts)), None)
    if words is None or known == _BSD:
        return read or (f"LicenseRef-{_BSD}" if known else None)
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", words).strip("-")


def _words(told: Message) -> str | None:
    stated = str(told.get("License") or "").strip()
    if stated in _KNOWN and _KNOWN[stated] != _BSD:
        return stated  # more exact than a classifier
    matches = (_CLASSIFIED.fullmatch(each) for each in told.get_all("Classifier", []))
    if words := next((match[1] for match in matches if match), None):
        return words
    # a whole licence text is no name
    return stated if stated and len(stated) <= 40 and "\n" not in stated else None


def _recognised(text: str) -> str | None:
    plain = " ".join(text[:_OWN_TERMS].lower().replace(",", " ").split())
    return next((spdx for words, spdx in _TEXTS if words in plain), None)
