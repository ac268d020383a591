"""The packages that a Debian suite offers, read through apt in a private folder.

apt fetches the indexes, honours this machine's proxies, and checks them against the archive's
signed InRelease; what it left in its folder is verified. Needed by `images lock` alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_infra import contract
from mlops_infra.errors import MissingError, OperationFailed
from mlops_infra.images.debian_versions import DebianVersion
from mlops_infra.images.locks import Package

MIRROR = "http://deb.debian.org"
"""Debian's own front; overridden by $MLOPS_INFRA_DEBIAN_MIRROR."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ARCHITECTURE = "amd64"

_FIELD = re.compile(r"^([A-Za-z0-9-]+): ?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offer:
    """A package in the index."""

    package: Package
    depends: str
    """Pre-Depends and Depends, as they are written."""
    provides: str


class Index:
    """The newest version of every package of a suite and its security archive."""

    def __init__(self, texts: dict[str, str]) -> None:
        """Args: `texts` holds the Packages file of each section (`debian`, `debian-security`)."""
        self._stanzas: dict[str, list[tuple[str, str]]] = {}
        self._providers: dict[str, list[str]] = {}
        for section, text in texts.items():
            for stanza in text.split("\n\n"):
                if stanza.startswith("Package: "):
                    name = stanza[9 : stanza.index("\n")].strip()
                    self._stanzas.setdefault(name, []).append((section, stanza))
                    if "\nProvides: " in stanza:
                        self._note_provides(name, stanza)

    def _note_provides(self, name: str, stanza: str) -> None:
        provides = _fields(stanza).get("Provides", "")
        for virtual in provides.split(","):
            known = self._providers.setdefault(virtual.split("(")[0].strip(), [])
            if name not in known:
                known.append(name)

    def get(self, name: str) -> Offer | None:
        """The newest offer of the package `name`, or None."""
        offers = [_offer(section, stanza) for section, stanza in self._stanzas.get(name, ())]
        return max(offers, key=lambda o: DebianVersion(o.package.version), default=None)

    def providers(self, virtual: str) -> list[str]:
        """The packages that provide the virtual package `virtual`, sorted."""
        return sorted(self._providers.get(virtual, ()))


def _fields(stanza: str) -> dict[str, str]:
    return {match[1]: match[2] for match in _FIELD.finditer(stanza)}


def _offer(section: str, stanza: str) -> Offer:
    fields = _fields(stanza)
    package = Package(
        name=fields["Package"],
        version=fields["Version"],
        architecture=fields["Architecture"],
        source=fields.get("Source", fields["Package"]).split(" ")[0],
        section=section,
        path=fields["Filename"],
        size=int(fields["Size"]),
        sha256=fields["SHA256"],
    )
    depends = ", ".join(filter(None, (fields.get("Pre-Depends"), fields.get("Depends"))))
    return Offer(package, depends, fields.get("Provides", ""))


def fetch(suite: str, mirror: str) -> Index:
    """Fetch and verify the indexes of `suite` and its security archive.

    Raises:
        MissingError: apt or Debian's keyring is not on this machine.
        OperationFailed: the mirror cannot be reached or a signature is wrong.
    """
    if shutil.which("apt-get") is None or not KEYRING.exists():
        raise MissingError(
            "locking Debian packages needs apt and Debian's archive keyring",
            hint="apt-get install apt debian-archive-keyring, or lock on a Debian machine",
        )
    with tempfile.TemporaryDirectory(prefix="mlops-infra-apt-") as scratch:
        return Index(dict(_indexes(Path(scratch), suite, mirror)))


def _indexes(root: Path, suite: str, mirror: str) -> Iterator[tuple[str, str]]:
    archives = (("debian", suite), ("debian-security", f"{suite}-security"))
    options = f"[arch={ARCHITECTURE} signed-by={KEYRING}]"
    for folder in ("lists/partial", "cache/archives/partial", "preferences.d"):
        (root / folder).mkdir(parents=True)
    (root / "status").touch()
    (root / "sources.list").write_text(
        "".join(f"deb {options} {mirror}/{section} {name} main\n" for section, name in archives)
    )
    settings = {
        "Dir::Etc::SourceList": root / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::lists": root / "lists",
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "Acquire::Languages": "none",
        "Acquire::GzipIndexes": "false",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "3",
        "APT::Sandbox::User": "root",
    }
    flags = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    result = subprocess.run(
        ["apt-get", *flags, "--error-on=any", "update"], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise OperationFailed(
            f"apt could not fetch the index of {suite}: {result.stderr.strip()[-500:]}",
            where=mirror,
            hint=f"check the network, or set {contract.DEBIAN_MIRROR_VARIABLE}",
        )
    for section, name in archives:
        for file in (root / "lists").glob(f"*_{section}_dists_{name}_main_*_Packages"):
            yield section, file.read_text("utf-8")
