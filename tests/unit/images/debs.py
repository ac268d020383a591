"""Makes Debian packages for tests, good and hostile ones."""

import io
import tarfile


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def archive(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:xz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def ar(**parts: bytes) -> bytes:
    out = b"!<arch>\n"
    for name, content in parts.items():
        header = f"{name.replace('_', '.'):<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n"
        out += header.encode() + content + b"\n" * (len(content) % 2)
    return out


CONTROL = archive(member("./control", b"Package: sample\nVersion: 1\n"))


def deb(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    return ar(debianbinary=b"2.0\n", control_tar_xz=CONTROL, data_tar_xz=archive(*members))
