"""The encoding of a text file that somebody else has written: UTF-8, UTF-16, or Korean Windows."""

from __future__ import annotations

import codecs
from functools import cache

from mlops_infra.errors import InputError

CHUNK = 1 << 20
KOREAN = 0.9
"""Share of the letters beyond ASCII that must be Korean: CP949 reads much else as nonsense."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def utf8(body: bytes, where: str) -> tuple[bytes, str | None]:
    """The text as UTF-8, and the encoding that it had, where it had another.

    Raises:
        InputError: nobody can tell; the error names what was tried, and what to do.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            text, error = _again(body, encoding)
            if error is not None:
                raise _unknown(error, where, f"it begins as {encoding}")
            return text, encoding
    body = body.removeprefix(codecs.BOM_UTF8)
    wrong = _broken(body)
    if wrong is None:
        if b"\0" in body:
            raise _unknown("it has NUL bytes", where, "UTF-16 without its mark, or no text")
        return body, None
    text, error = _again(body, "CP949")
    if error is None and _is_korean(text.decode()):
        return text, "CP949"
    raise _unknown(wrong, where, "neither UTF-8, nor UTF-16 with its mark, nor CP949")


def _again(body: bytes, encoding: str) -> tuple[bytes, str | None]:
    """The text in UTF-8, or why it is not of that encoding."""
    decoder, made = codecs.getincrementaldecoder(encoding)(), bytearray()
    try:
        for start in range(0, len(body), CHUNK):
            final = start + CHUNK >= len(body)
            made += decoder.decode(body[start : start + CHUNK], final=final).encode()
    except UnicodeError as error:
        return b"", str(error)
    return bytes(made), None


def _broken(body: bytes) -> str | None:
    """The first byte that is not UTF-8, in words."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), CHUNK):
        try:
            decoder.decode(body[start : start + CHUNK], final=start + CHUNK >= len(body))
        except UnicodeDecodeError as error:
            bad = error.object[error.start]
            line = body.count(b"\n", 0, start + error.start) + 1
            return f"byte 0x{bad:02x} in line {line}"
    return None


def _is_korean(text: str) -> bool:
    letters = [letter for letter in text if letter > "\x7f" and letter.isalpha()]
    # the syllables that people use; Chinese and Japanese encodings read as rare ones and Hanja
    korean = sum("가" <= letter <= "힣" and _is_common(letter) for letter in letters)
    return bool(letters) and korean >= KOREAN * len(letters)


@cache
def _is_common(letter: str) -> bool:
    # EUC-KR writes the others as sequences of four
    return len(letter.encode("euc_kr", errors="ignore")) == 2


def _unknown(what: str, where: str, tried: str) -> InputError:
    return InputError(
        f"the encoding of the file is not known: {what}; {tried}",
        where=where,
        hint="save it as UTF-8 (in Excel: CSV UTF-8), or: iconv -f ENCODING -t UTF-8",
    )
