"""A toolchain of two small families, with a `go` and programs that are shell scripts."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_infra import places
from mlops_infra.toolchain import download, manifest

TOOLS = """
goFlags: [-trimpath]
families:
  demo:
    version: v1.2.3
    licence: MIT
    module: example.org/demo
    variables: {main.version: "{version}"}
    tools:
      demo:
        programs: {demo: example.org/demo/v2}
        check: {arguments: [--version], text: "demo {version}"}
      other:
        programs: {other: example.org/demo/cmd/other}
        check: {arguments: [--version], text: "other {version}"}
  pair:
    version: v0.1.0
    licence: MIT
    module: example.org/pair
    tools:
      pair:
        programs: {left: example.org/pair/left, right: example.org/pair/right}
"""

FAKE_GO = """#!/bin/sh
echo "$@" >> "$RECORD"
if [ "$1" = list ]; then
  echo "go: downloading example.org/demo v1.2.3" >&2
  echo fmt; echo example.org/demo/inner; echo example.org/demo/v2
  exit 0
fi
@BODY@
while [ "$1" != -o ]; do shift; done
out="$2"; shift 2
echo example.org/demo/inner >&2
for package in "$@"; do
  name=${package%/v2}; name=${name##*/}
  printf '#!/bin/sh\\necho "%s @VERSION@"\\n' "$name" > "$out$name"
done
"""


@dataclass
class Kit:
    root: Path

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def store(self) -> Path:
        return self.root / "cache" / "toolchain"

    def program(self, folder: Path, name: str, says: str) -> Path:
        return script(folder / name, f'#!/bin/sh\necho "{says}"\n')

    def go(self, body: str = "", version: str = "v1.2.3") -> None:
        text = FAKE_GO.replace("@BODY@", body).replace("@VERSION@", version)
        script(self.bin / "go", text)

    def go_calls(self, verb: str) -> int:
        record = self.root / "record"
        lines = record.read_text().splitlines() if record.exists() else []
        return sum(line.startswith(verb) for line in lines)

    def pin_archive(self, url: str, sha256: str, member: str | None = None) -> None:
        """Give `demo` an archive for this machine."""
        entry = f"url: {url}, sha256: '{sha256}', published: here"
        entry += f", members: {{demo: {member}}}" if member else ""
        line = f"        archives: {{{manifest.target()}: {{{entry}}}}}\n"
        self.tools(TOOLS.replace("      other:\n", line + "      other:\n"))

    def pin_shared(self, entry: str) -> None:
        """Give the family of `demo` and `other` one archive for this machine."""
        members = "members: {demo: pkg/demo, other: pkg/other}"
        line = f"    archives: {{{manifest.target()}: {{{entry}, published: here, {members}}}}}\n"
        self.tools(TOOLS.replace("    tools:\n      demo:\n", line + "    tools:\n      demo:\n"))

    def tools(self, text: str) -> None:
        (self.root / "tools.yaml").write_text(text)
        manifest.pins.cache_clear()
        manifest.key.cache_clear()


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    kit = Kit(tmp_path)
    kit.bin.mkdir()
    monkeypatch.setenv("PATH", str(kit.bin))
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLOPS_INFRA_BUNDLE", raising=False)
    monkeypatch.delenv("MLOPS_INFRA_ARCHIVE_MIRROR", raising=False)
    monkeypatch.setenv("GOROOT", str(tmp_path / "nowhere"))
    monkeypatch.setattr("mlops_infra.toolchain.go_client._USUAL", ())
    monkeypatch.setattr("mlops_infra.transport.retrying._FIRST_SECONDS", 0.001)
    monkeypatch.setattr(places, "project", lambda: tmp_path / "project")
    monkeypatch.setattr(manifest, "_DATA", tmp_path / "tools.yaml")
    for family in ("demo", "pair"):
        folder = tmp_path / "project" / "go" / family
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(f"module {family}\n")
        (folder / "go.sum").write_text("")
    kit.tools(TOOLS)
    download._reachable.cache_clear()
    yield kit
    manifest.pins.cache_clear()
    manifest.key.cache_clear()
