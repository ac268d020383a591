"""Walks a guide as its reader does: in one shell, against the running platform."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from mlops_infra import toolchain
from tests import guides
from tests.e2e.notebook import Notebook
from tests.e2e.platform import Platform
from tests.guides import Block, Command

ELSEWHERE = {"make up": "up -s sandbox", "make down": "down -s sandbox --purge"}
"""What the fixture of the whole platform has typed, or will type, for the reader."""
TENANT, MEMBER = "demo", "kim"


@dataclass
class Walk:
    """One reader at work in a folder of its own; what was typed and answered is in `said`."""

    platform: Platform
    folder: Path
    said: list[tuple[str, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    _beside: int | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        (self.folder / ".venv").symlink_to(sys.prefix)
        self._before = self.platform.file.read_text(encoding="utf-8")
        kubectl = toolchain.ensure(["kubectl"], lambda _: None)["kubectl"].path.parent
        environment = self.platform.environment
        path = f"{Path(sys.executable).parent}:{kubectl}:{environment['PATH']}"
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=self.folder,
            env={**environment, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.kill()
        self._shell.communicate()
        # the next reader finds the platform as this one did, also when this one failed
        self.platform.file.write_text(self._before, encoding="utf-8")
        if (runs := self.platform.data / "runs").exists():  # of pipelines that the reader ran here
            shutil.rmtree(runs)

    def guide(self, name: str) -> None:
        """Do all that the guide says, in its order."""
        section = 0
        for block in guides.blocks(name):
            if block.section != section:
                self._end_beside()
            section = block.section
            if not block.not_run:
                self._do(block)
        self._end_beside()

    def answer(self, start: str) -> str:
        """What the last command that begins with `start` said."""
        return next(said for typed, said in reversed(self.said) if typed.startswith(start))

    def _do(self, block: Block) -> None:
        if block.mark == guides.INTO:
            self.platform.file.write_text(self._merged(block), encoding="utf-8")
        elif block.mark in (guides.CHECKED, guides.REFUSED):
            self._checked(block)
        elif block.file:
            (self.folder / block.file).write_text(block.body, encoding="utf-8")
            self._notebook().run(
                f"from pathlib import Path\nPath({block.file!r}).write_text({block.body!r})"
            )
        elif block.kind == "python":
            self.said.append((block.body, self._notebook().run(block.body)))
        else:
            if block.mark == guides.OUT_OF:
                self.platform.file.write_text(self._before, encoding="utf-8")
            for command in guides.commands(block.body):
                self._type(command, block.mark)

    def _type(self, command: Command, mark: str) -> None:
        if command.typed in ELSEWHERE:
            return
        if mark == guides.SECOND:
            self._run(f"({command.typed}) > beside.log 2>&1 & beside=$!", command.typed)
            self._beside = 1
            return
        typed = command.typed
        if mark == guides.NOTEBOOK:
            typed = f"kubectl -n tenant-{TENANT} exec notebook-{MEMBER}-0 -- {typed}"
        answered = self._run(typed, command.typed)
        if command.shown:
            assert answered.strip() == command.shown.strip(), f"{command.typed} says:\n{answered}"

    def _run(self, script: str, told: str) -> str:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        mark, started = secrets.token_hex(8), time.monotonic()
        script = script.replace("-s sandbox", f"-s {self.platform.stack}")
        self._shell.stdin.write(f"{{\n{script}\n}} < /dev/null\nprintf '\\n{mark} %s\\n' $?\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.startswith(mark):
                break
            lines.append(line)
        else:
            raise AssertionError(f"the shell ended at: {told}\n{''.join(lines)}")
        said = "".join(lines).removesuffix("\n")
        self.seconds[told] = time.monotonic() - started
        self.said.append((told, said))
        assert line.split()[1] == "0", f"$ {told}\n{said}"
        return said

    def _end_beside(self) -> None:
        if self._beside is not None:
            self._run("kill $beside; wait $beside 2> /dev/null || true", "(the second terminal)")
            self._beside = None

    def _merged(self, block: Block) -> str:
        document = yaml.safe_load(self.platform.file.read_text(encoding="utf-8"))
        _merge(document["config"], yaml.safe_load(block.body))
        return yaml.safe_dump(document, sort_keys=False)

    def _checked(self, block: Block) -> None:
        file = self.folder / "checked.yaml"
        file.write_text(self._merged(block), encoding="utf-8")
        done = self.platform.run("check", "--file", str(file))
        refused = block.mark == guides.REFUSED
        assert done.returncode == (2 if refused else 0), f"{block.body}{done.stdout}{done.stderr}"
        self.said.append((block.body, done.stderr if refused else done.stdout))

    def _notebook(self) -> Notebook:
        secret = self._run(
            f"kubectl -n tenant-{TENANT} get secret notebook-{MEMBER} -o jsonpath='{{.data.token}}'"
            " | base64 -d",
            "(the notebook's token)",
        )
        self.said.pop()
        url = self.platform.outputs["notebooks_url"]
        return Notebook(f"{url}/notebook/{TENANT}/{MEMBER}/", secret)


def _merge(held: dict[str, Any], added: dict[str, Any]) -> None:
    for key, value in added.items():
        if isinstance(value, dict) and isinstance(held.get(key), dict):
            _merge(held[key], value)
        else:
            held[key] = value
