"""The licence that a wheel states of itself."""

from __future__ import annotations

import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from mlops_infra.errors import OperationFailed

_CLASSIFIED = re.compile(r"License :: OSI Approved :: (.+)")
_KNOWN = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "LicenseRef-BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
"""Classifiers of PyPI to SPDX ids; `BSD License` does not say which of them."""


def licence(wheel: Path) -> str | None:
    """An SPDX expression, or `LicenseRef-…` where the words are not SPDX's; None: it states none.

    Raises:
        OperationFailed: it is no wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as packed:
            names = [n for n in packed.namelist() if n.count("/") == 1]
            name = next(n for n in names if n.endswith(".dist-info/METADATA"))
            told = HeaderParser().parsestr(packed.read(name).decode("utf-8", "replace"))
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise OperationFailed("this is no wheel", where=str(wheel)) from error
    expression = told.get("License-Expression")
    if expression:
        return str(expression)
    matches = (_CLASSIFIED.fullmatch(each) for each in told.get_all("Classifier", []))
    words = next((match[1] for match in matches if match), None)
    if words is None:
        stated = str(told.get("License") or "").strip()
        # a whole licence text is no name
        words = stated if stated and len(stated) <= 40 and "\n" not in stated else None
    if words is None:
        return None
    return _KNOWN.get(words, "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", words).strip("-"))
