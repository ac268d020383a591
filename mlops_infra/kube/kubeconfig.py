"""Reads kubeconfigs as kubectl does.

`$KUBECONFIG` is a list of files. Of entries with one name the first file's counts, and so does the
first `current-context`; files that are missing are passed over. A relative path in a file begins at
that file. What kubectl honours and this program does not is refused by its name, never ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_infra.errors import InputError

VARIABLE = "KUBECONFIG"
_DEFAULT = Path("~/.kube/config")
_LISTS = {"clusters": "cluster", "contexts": "context", "users": "user"}
"""List of a kubeconfig, and the key of the body of its entries."""
_FILES = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
    "contexts": (),
}
_REFUSED = {
    "as": "acting as somebody else",
    "as-uid": "acting as somebody else",
    "as-groups": "acting as somebody else",
    "as-user-extra": "acting as somebody else",
}
_LOGIN_HINT = "use an exec plugin, such as kubelogin, or a token"


@dataclass(frozen=True, slots=True)
class Access:
    """One context: a server and who asks it. Paths are absolute."""

    where: str
    """The files, for messages."""
    context: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    """Empty where the context names nobody."""


def read(kubeconfig: Path | str | None, context: str | None) -> Access:
    """The context of a kubeconfig.

    Args:
        kubeconfig: its file; None means `$KUBECONFIG`, or `~/.kube/config` where that is empty.
        context: its context; None means the current one.

    Raises:
        InputError: there is no such file, it is damaged, it lacks what the context names, or it
            asks for something that this program cannot do.
    """
    where, paths = _files(kubeconfig)
    merged, current = _merged(paths, where)
    name = context or current
    if not name:
        raise unusable(where, "it has no current-context, and none is given")
    chosen = _entry(merged, "contexts", name, where)
    if not chosen.get("cluster"):
        raise unusable(where, f"context '{name}' names no cluster")
    cluster = _entry(merged, "clusters", str(chosen["cluster"]), where)
    user = _entry(merged, "users", str(chosen["user"]), where) if chosen.get("user") else {}
    _refuse(cluster, user, where)
    return Access(where, name, cluster, user)


def unusable(where: str, reason: str) -> InputError:
    """The error of a kubeconfig that cannot be used."""
    return InputError(
        f"the kubeconfig cannot be used: {reason}",
        where=where,
        hint="set one that works with kubectl: mlops-infra:cluster: {kubeconfig: …, context: …}",
    )


def _files(kubeconfig: Path | str | None) -> tuple[str, list[Path]]:
    """The files that are there, and how to call them all."""
    if kubeconfig is not None:
        return str(kubeconfig), [Path(kubeconfig)]
    listed = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    paths = [Path(part).expanduser() for part in listed] or [_DEFAULT.expanduser()]
    where = os.pathsep.join(map(str, paths))
    found = [path for path in dict.fromkeys(paths) if path.exists()]
    if not found:
        raise unusable(where, "no such file" if len(paths) == 1 else "none of the files exists")
    return where, found


Merged = dict[str, dict[str, dict[str, Any]]]


def _merged(paths: list[Path], where: str) -> tuple[Merged, str | None]:
    merged: Merged = {name: {} for name in _LISTS}
    current: str | None = None
    for path in paths:
        read = _document(path)
        current = current or read.get("current-context") or None
        for listed, key in _LISTS.items():
            for entry in read.get(listed) or ():
                if not isinstance(entry, dict) or not isinstance(entry.get(key) or {}, dict):
                    raise unusable(where, f"an entry of {listed} in {path} is not keys with values")
                body = dict(entry.get(key) or {})
                merged[listed].setdefault(str(entry.get("name")), _absolute(listed, body, path))
    return merged, current


def _document(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unusable(str(path), str(error.strerror)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise unusable(str(path), "it is not YAML") from error
    if found is None:
        return {}  # kubectl takes an empty file for one without entries
    lists = all(isinstance(found.get(k) or [], list) for k in _LISTS) if _is_map(found) else False
    if not lists or found.get("kind", "Config") != "Config":
        raise unusable(str(path), f"it does not hold lists of {', '.join(_LISTS)}")
    return dict(found)


def _is_map(found: object) -> bool:
    return isinstance(found, dict)


def _absolute(listed: str, body: dict[str, Any], path: Path) -> dict[str, Any]:
    folder = path.absolute().parent
    for key in _FILES[listed]:
        if body.get(key):
            body[key] = str(folder / str(body[key]))
    plugin = body.get("exec")
    if listed == "users" and isinstance(plugin, dict) and os.sep in str(plugin.get("command")):
        # a bare name is looked for on PATH
        body["exec"] = {**plugin, "command": str(folder / str(plugin["command"]))}
    return body


def _entry(merged: Merged, listed: str, name: str, where: str) -> dict[str, Any]:
    if name not in merged[listed]:
        known = ", ".join(merged[listed]) or "none"
        raise unusable(where, f"it has no {_LISTS[listed]} '{name}', it has: {known}")
    return merged[listed][name]


def _refuse(cluster: Mapping[str, Any], user: Mapping[str, Any], where: str) -> None:
    for problem in (*_server_problems(cluster), *_user_problems(user)):
        raise unusable(where, problem)


def _server_problems(cluster: Mapping[str, Any]) -> Iterator[str]:
    if not cluster.get("server"):
        yield "the cluster has no server"
    proxy = str(cluster.get("proxy-url") or "")
    if proxy and not proxy.startswith(("http://", "https://")):
        yield f"proxy-url '{proxy}' is not supported, only http:// and https:// are"
    authority = cluster.get("certificate-authority") or cluster.get("certificate-authority-data")
    if cluster.get("insecure-skip-tls-verify") and authority:
        yield "certificate-authority and insecure-skip-tls-verify exclude each other"


def _user_problems(user: Mapping[str, Any]) -> Iterator[str]:
    for key, what in _REFUSED.items():
        if user.get(key):
            yield f"users.{key}, {what}, is not supported"
    provider = user.get("auth-provider")
    if isinstance(provider, dict):
        yield f"auth-provider '{provider.get('name')}' is not supported: {_LOGIN_HINT}"
