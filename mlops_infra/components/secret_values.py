"""Where the values of a planned Secret come from at the moment of the deployment.

A plan names secrets and never holds one. Here the names become Pulumi secrets: encrypted in the
state, hidden in every output.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pulumi

from mlops_infra.components import passwords
from mlops_infra.components.certificates import Authorities
from mlops_infra.config import SecretReference
from mlops_infra.errors import InputError, MissingError
from mlops_infra.plan import Certificate, FromConfig, Generated, Literal, SecretSpec

_SHORTEST = 6
"""Shorter values would black out ordinary words."""
_resolved: set[str] = set()
"""What this process has resolved, clear and encoded; never written anywhere."""


def redacted(text: str) -> str:
    """`text` without any secret value that this process has resolved."""
    for value in sorted(_resolved, key=len, reverse=True):
        text = text.replace(value, "***")
    return text


def _remember(value: str) -> str:
    for part in (value, *value.splitlines()):
        if len(part) >= _SHORTEST:
            _resolved.update((part, base64.b64encode(part.encode()).decode()))
    return value


class SecretValues:
    """Resolves the keys of Secrets of one stack."""

    def __init__(
        self, stack: str, seed: bytes, references: Mapping[str, Mapping[str, SecretReference]]
    ) -> None:
        self._stack = stack
        self._seed = seed
        self._references = references
        self.authorities = Authorities(seed, stack)

    def of(self, spec: SecretSpec) -> dict[str, pulumi.Output[str]]:
        """Every key of `spec` with its value, each one a Pulumi secret."""
        return {
            key: pulumi.Output.secret(self._value(spec, key))  # a literal too: nobody has to choose
            for key in sorted(spec.keys)
        }

    def login(self, registry: str, secret: str) -> pulumi.Output[str]:
        """The login at a registry as the kubelet reads it (`.dockerconfigjson`).

        Args:
            registry: `host[:port][/path]` that it is for.
            secret: the name under `secrets` with username and password.
        """
        told = {key: self._referred(secret, key) for key in ("username", "password")}
        pair = f"{told['username']}:{told['password']}".encode()
        told["auth"] = _remember(base64.b64encode(pair).decode())
        return pulumi.Output.secret(json.dumps({"auths": {registry: told}}))

    def _value(self, spec: SecretSpec, key: str) -> str:
        match spec.keys[key]:
            case Literal(value):
                return value
            case Generated(identity):
                return _remember(passwords.generated(self._seed, self._stack, identity))
            case FromConfig(secret, key_there):
                return self._referred(secret, key_there)
            case Certificate() as certificate:
                return self.authorities.part(certificate)

    def _referred(self, name: str, key: str) -> str:
        keys = self._references.get(name, {})
        if key not in keys:
            raise InputError(
                f"secret '{name}' has no key '{key}'", where=f"secrets.{name}.{key}",
                hint="give it a reference: env or file",
            )  # fmt: skip
        reference, where = keys[key], f"secrets.{name}.{key}"
        if reference.env is not None:
            return _remember(_from_environment(reference.env, where))
        assert reference.file is not None  # noqa: S101 - a rule of the configuration: one of two
        return _remember(_from_file(Path(reference.file), where))


def _from_environment(variable: str, where: str) -> str:
    try:
        return os.environ[variable]
    except KeyError as error:
        raise MissingError(
            f"environment variable {variable} is not set", where=where, hint=f"export {variable}=…"
        ) from error


def _from_file(file: Path, where: str) -> str:
    try:
        return file.expanduser().read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise MissingError(f"secret file {file} cannot be read: {reason}", where=where) from error
