"""Credentials of registries, from Docker's configuration and its helpers.

Read from `$REGISTRY_AUTH_FILE`, else `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
They are held in memory alone: no error, event or file of ours has them in it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.transport import Login

_HELPER_SECONDS = 60
_DOCKER_HUB = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105  what helpers write where the secret is an identity token


@dataclass(frozen=True, slots=True)
class Credentials(Login):
    """A name and a password, or a token that is traded for others."""

    identity_token: str | None = field(default=None, repr=False)


def find(host: str, config: Path | None = None) -> Credentials | None:
    """Credentials for `host` (with its port), None where there are none.

    Raises:
        InputError: the configuration cannot be read.
        OperationFailed: a credential helper failed.
    """
    file = config or _config_file()
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        # the parser's message would quote the file
        kind = type(error).__name__
        raise InputError(f"the credentials cannot be read ({kind})", where=str(file)) from None
    keys = _keys(host)
    helpers = {str(key).lower(): each for key, each in (document.get("credHelpers") or {}).items()}
    for key in keys:
        if key.lower() in helpers:
            return _ask(str(helpers[key.lower()]), key)
    entries = {str(key).lower(): each for key, each in (document.get("auths") or {}).items()}
    for key in keys:
        entry = entries.get(key.lower())
        if entry:
            found = _entry(entry, file)
            if found:
                return found
    store = document.get("credsStore")
    if store:
        return next((each for each in (_ask(str(store), key) for key in keys) if each), None)
    return None


def _config_file() -> Path:
    named = os.environ.get("REGISTRY_AUTH_FILE")
    if named:
        return Path(named)
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _keys(host: str) -> list[str]:
    if host in ("docker.io", "registry-1.docker.io"):
        return [_DOCKER_HUB, "docker.io", "index.docker.io", "registry-1.docker.io"]
    ends = ("", "/", "/v1/", "/v2/", "/v1", "/v2")
    return [host, *(f"{scheme}://{host}{end}" for scheme in ("https", "http") for end in ends)]


def _entry(entry: Mapping[str, Any], file: Path) -> Credentials | None:
    token = entry.get("identitytoken")
    if entry.get("auth"):
        try:
            pair = base64.b64decode(str(entry["auth"])).decode()
        except (binascii.Error, UnicodeDecodeError):
            hint = "log in again: docker login HOST"
            raise InputError("an `auth` is not base64", where=str(file), hint=hint) from None
        name, _, password = pair.partition(":")
        return Credentials(name, password.rstrip("\0"), token)
    if entry.get("username"):
        return Credentials(str(entry["username"]), str(entry.get("password", "")), token)
    return Credentials(_TOKEN_USER, "", str(token)) if token else None


def _ask(helper: str, key: str) -> Credentials | None:
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"],
            input=key,
            capture_output=True,
            text=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        hint = f"install {program}, or remove it from Docker's configuration"
        kind = type(error).__name__
        raise OperationFailed(f"{program} cannot be run ({kind})", hint=hint) from None
    if done.returncode:
        return None  # by its protocol: it knows nothing of this host
    try:
        answer = json.loads(done.stdout)
        name, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError):
        raise OperationFailed(f"{program} returns no valid credentials") from None
    return Credentials(name, secret, secret if name == _TOKEN_USER else None)
