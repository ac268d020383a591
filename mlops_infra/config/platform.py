"""Sections that say where the platform runs and through which network."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from mlops_infra.config.language.section import (
    Cidr,
    DnsLabel,
    DnsName,
    HttpUrl,
    KubernetesVersion,
    Name,
    Registry,
    Section,
    Text,
)


class ClusterConfig(Section):
    """The Kubernetes cluster of the onprem profile."""

    embedded: bool = False
    """Create an embedded cluster on this machine, instead of `kubeconfig` and `context`."""
    name: DnsLabel | None = None
    """Name of the embedded cluster (default: the stack's name)."""
    kubeconfig: Text | None = None
    """Path of a kubeconfig (default: `$KUBECONFIG` or `~/.kube/config`)."""
    context: Text | None = None
    """Context in the kubeconfig (default: its current context)."""
    kubernetes: KubernetesVersion | None = None
    """Minor version of the cluster, checked against every component; embedded: 1.34."""
    storage_class: DnsName | None = None
    """StorageClass of all volumes (default: the cluster's default class)."""
    expose: Literal["nodePort", "none"] = "none"
    """Access to services from outside; nodePort for an embedded cluster."""
    address: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")] | None = None
    """Host name or IPv4 address of the nodes; known for an embedded cluster."""
    api_server: tuple[Cidr, ...] = ()
    """Address ranges of the Kubernetes API, for NetworkPolicies of tenants (default: all)."""
    simulated: bool = False
    """Embedded only: simulate the nodes (kwok); no Pod runs."""
    crds: Literal["keep", "purge"] = "keep"
    """What `down` does with CustomResourceDefinitions; purge for an embedded cluster."""
    sizing: Literal["small", "medium", "large"] = "small"
    """Requests and limits of all components: one laptop, one team, one company."""


ImageRole = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]+/[A-Za-z0-9-]+$"),
    Field(examples=["mlflow/server"]),
]
ImageReference = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
        r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$",
        max_length=512,
    ),
    Field(examples=["registry.example:5000/mlflow:3.17.2"]),
]


class ProxyConfig(Section):
    """Forward proxy of a site."""

    http: HttpUrl | None = None
    """Proxy for http."""
    https: HttpUrl | None = None
    """Proxy for https."""
    no_proxy: tuple[Text, ...] = ()
    """Hosts and networks reached without the proxy, besides those of the cluster."""


ImageSource = Literal["built", "upstream"]


class ImageSources(Section):
    """Whose images the components run; `images: built` is short for `images: {default: built}`."""

    default: ImageSource = "upstream"
    """Images built by mlops-infra or upstream's; built for an embedded cluster."""
    components: dict[DnsLabel, ImageSource] = Field(default_factory=dict)
    """Exceptions by component, for example `katib: upstream`."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"default": value} if isinstance(value, str) else value

    def of(self, component: str) -> ImageSource:
        """The source for a component, by its name in the catalogue."""
        return self.components.get(component, self.default)


def _or_short(schema: dict[str, Any]) -> None:
    """In the JSON Schema of `images`: the section, or the text that stands for it."""
    section = schema.pop("$ref")
    schema["anyOf"] = [{"enum": ["built", "upstream"], "type": "string"}, {"$ref": section}]


class NetworkConfig(Section):
    """What may be reached from the machine and the cluster."""

    mode: Literal["connected", "proxied", "closed"] = "connected"
    """Access to the internet: direct, through `proxy`, or none."""
    images: Annotated[ImageSources, Field(json_schema_extra=_or_short)] = Field(
        default_factory=ImageSources
    )
    """Images built by mlops-infra or upstream's, for all components or each by itself."""
    registry: Registry | None = None
    """Registry of all images, with upstream names as paths. Required when closed."""
    registry_login: Name | None = None
    """Name under `secrets` with the username and password for pulls from `registry`."""
    overrides: dict[ImageRole, ImageReference] = Field(default_factory=dict)
    """Other images by `component/role`, for example `mlflow/server`, used as written."""
    charts: Text | None = None
    """`oci://` URL or folder of the charts (default: those of the program)."""
    packages: HttpUrl | None = None
    """Package index (PEP 503) for wheels (default: PyPI)."""
    ca: Text | None = None
    """PEM file with the site's CA certificates; relative paths begin at the stack's file."""
    proxy: ProxyConfig | None = None
    """Required when mode is proxied."""


class BackendConfig(Section):
    """Where Pulumi keeps the state."""

    url: (
        Annotated[
            str, Field(pattern=r"^(file|s3|azblob|gs|postgres|https)://\S+$", max_length=1024)
        ]
        | None
    ) = None
    """Any Pulumi backend (default: a private folder of this user)."""
    secrets_provider: (
        Annotated[
            str, Field(pattern=r"^(passphrase$|(awskms|azurekeyvault|gcpkms|hashivault)://\S+$)")
        ]
        | None
    ) = None
    """Encryption of secrets in the state (default: a passphrase file, created on first use)."""
