"""Proves to an API server who we are, as a kubeconfig's user says it."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops_infra.kube.kubeconfig import Access, unusable

_EARLY = datetime.timedelta(minutes=1)
"""A credential that ends within this time is asked for again."""

Token = Callable[[], str]
"""The value of `Authorization`; asked for at every request."""


class Plugin:
    """An exec credential plugin: a program that prints a token or a certificate."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._plugin: Mapping[str, Any] = access.user["exec"]
        self._status: dict[str, Any] | None = None

    def token(self) -> str:
        """Its token; runs it again where the last one ends."""
        token = self.status().get("token")
        return f"Bearer {token}" if token else ""

    def status(self) -> dict[str, Any]:
        """What it printed; raises InputError where it fails."""
        if self._status is None or _ends(self._status):
            self._status = self._run()
        return self._status

    def _run(self) -> dict[str, Any]:
        plugin, command = self._plugin, str(self._plugin.get("command") or "")
        mode = plugin.get("interactiveMode", "IfAvailable")
        interactive = mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
        if mode == "Always" and not interactive:
            raise self._failed("it asks questions, and there is no terminal")
        more = {str(each.get("name")): str(each.get("value")) for each in plugin.get("env") or ()}
        words = [command, *map(str, plugin.get("args") or ())]
        try:
            done = subprocess.run(
                words,
                env={**os.environ, **more, "KUBERNETES_EXEC_INFO": self._info(interactive)},
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if interactive else subprocess.PIPE,
                check=False,
            )
        except OSError as error:
            hint = str(plugin.get("installHint") or "").strip()
            raise self._failed(f"{error.strerror}{f'. {hint}' if hint else ''}") from error
        if done.returncode != 0:
            said = (done.stderr or b"").decode(errors="replace").strip().splitlines()
            raise self._failed(f"exit code {done.returncode}{f': {said[-1]}' if said else ''}")
        return self._read(done.stdout)

    def _read(self, printed: bytes) -> dict[str, Any]:
        try:
            read = json.loads(printed)
            version, status = read["apiVersion"], dict(read["status"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._failed("it printed no ExecCredential") from error
        if version != self._plugin.get("apiVersion"):
            raise self._failed(f"it speaks {version}, not {self._plugin.get('apiVersion')}")
        certificate = status.get("clientCertificateData") and status.get("clientKeyData")
        if not status.get("token") and not certificate:
            raise self._failed("it gave neither a token nor a certificate with its key")
        return status

    def _info(self, interactive: bool) -> str:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._plugin.get("provideClusterInfo"):
            cluster = self._access.cluster
            spec["cluster"] = {
                key: cluster[key]
                for key in ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url",
                            "certificate-authority-data")
                if key in cluster
            }  # fmt: skip
            for each in cluster.get("extensions") or ():
                if each.get("name") == "client.authentication.k8s.io/exec":
                    spec["cluster"]["config"] = each.get("extension")
        version = self._plugin.get("apiVersion")
        return json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})

    def _failed(self, why: str) -> Exception:
        command = self._plugin.get("command")
        return unusable(self._access.where, f"its credential plugin '{command}' failed: {why}")


def token_of(access: Access, plugin: Plugin | None) -> Token | None:
    """What to send as `Authorization`; None where a certificate or nothing speaks for us."""
    user = access.user
    if user.get("tokenFile"):
        path = Path(str(user["tokenFile"]))
        return lambda: f"Bearer {_text_of(path, access.where)}"
    if user.get("token"):
        return lambda: f"Bearer {str(user['token']).strip()}"
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password') or ''}"
        basic = base64.b64encode(pair.encode()).decode()
        return lambda: f"Basic {basic}"
    return plugin.token if plugin is not None else None


def decoded(access: Access, key: str, data: object) -> bytes:
    """The bytes of a `…-data` key; raises InputError where it is not base64."""
    try:
        return base64.b64decode(str(data), validate=True)
    except binascii.Error as error:
        raise unusable(access.where, f"{key} is not base64") from error


def _text_of(path: Path, where: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise unusable(where, f"tokenFile {path} cannot be read: {reason}") from error
    if not text:
        raise unusable(where, f"tokenFile {path} is empty")
    return text


def _ends(status: Mapping[str, Any]) -> bool:
    text = status.get("expirationTimestamp")
    if not text:
        return False
    ends = datetime.datetime.fromisoformat(str(text))
    return ends - _EARLY <= datetime.datetime.now(datetime.UTC)
