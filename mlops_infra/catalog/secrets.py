"""How the values of a component's Secret are made, decoded from the catalog's short forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Text:
    """`literal:TEXT`: no secret, for example a user name."""

    value: str


@dataclass(frozen=True, slots=True)
class Password:
    """`generated:ID`: made for the stack; the same id gives the same password everywhere."""

    id: str


@dataclass(frozen=True, slots=True)
class StoreField:
    """`store:FIELD`: a field of the store's section in the configuration."""

    field: str


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """`certificate:SERVICE`: part of a server's certificate, under the name of a TLS Secret."""

    service: str


@dataclass(frozen=True, slots=True)
class Setting:
    """`secret:COMPONENT.SETTING/KEY`: the setting names an entry of `secrets`."""

    component: str
    path: tuple[str, ...]
    key: str


Recipe = Text | Password | StoreField | ServerCertificate | Setting
CertificateKey = Literal["ca.crt", "tls.crt", "tls.key"]
CERTIFICATE_KEYS: tuple[CertificateKey, ...] = ("ca.crt", "tls.crt", "tls.key")


@dataclass(frozen=True, slots=True)
class Condition:
    """A boolean setting, of the component itself or of another one."""

    component: str
    setting: str


def recipe(key: str, text: str) -> Recipe:
    """How the value under `key` is made.

    Raises:
        ValueError: `text` is none of the forms above.
    """
    kind, colon, rest = text.partition(":")
    match kind if colon else "":
        case "literal":
            return Text(rest)
        case "generated":
            return Password(rest)
        case "store":
            return StoreField(rest)
        case "certificate" if key in CERTIFICATE_KEYS:
            return ServerCertificate(rest)
        case "certificate":
            raise ValueError(f"'{text}' is under '{key}' instead of {', '.join(CERTIFICATE_KEYS)}")
        case "secret":
            where, _, name = rest.partition("/")
            component, *path = where.split(".")
            if path and name:
                return Setting(component, tuple(path), name)
    raise ValueError(f"'{text}' does not say how the value of '{key}' is made")


def condition(owner: str, text: str | None) -> Condition | None:
    """`auth` of the component `owner`, or `mlflow.auth` of another one; None: always."""
    if text is None:
        return None
    component, _, setting = text.rpartition(".")
    return Condition(component or owner, setting)
