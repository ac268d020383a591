"""Sections that say where the platform runs and through which network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

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
    """Bring an own cluster on this machine; otherwise `kubeconfig` and `context` name one."""
    name: DnsLabel | None = None
    """Name of the embedded cluster; the stack's name where it is absent."""
    kubeconfig: Text | None = None
    """Path of a kubeconfig; kubectl's own rules (`$KUBECONFIG`, `~/.kube/config`) where absent."""
    context: Text | None = None
    """Context in the kubeconfig; its current context where absent."""
    kubernetes: KubernetesVersion | None = None
    """Minor version of the cluster, checked against every component; embedded: 1.34."""
    storage_class: DnsName | None = None
    """StorageClass of all volumes; the cluster's default class where absent."""
    expose: Literal["nodePort", "none"] = "none"
    """How services are reached from outside; nodePort where the cluster is embedded."""
    address: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")] | None = None
    """Name or IPv4 address that clients reach the nodes by; found out where embedded."""
    api_server: tuple[Cidr, ...] = ()
    """Address ranges of the Kubernetes API, for NetworkPolicies of tenants; all where absent."""
    simulated: bool = False
    """Embedded only: a control plane with simulated nodes (kwok); no Pod really runs."""
    crds: Literal["keep", "purge"] = "keep"
    """What `down` does with CustomResourceDefinitions; purge where the cluster is embedded."""
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
    """Hosts and networks reached directly, beside those of the cluster."""


class NetworkConfig(Section):
    """What may be reached from the machine and the cluster."""

    mode: Literal["connected", "proxied", "closed"] = "connected"
    """The internet is in reach, in reach through `proxy`, or not at all."""
    images: Literal["built", "upstream"] = "upstream"
    """Images built from packages by this kit, or upstream's; built if the cluster is embedded."""
    registry: Registry | None = None
    """Registry that holds every image; upstream names stay as its path. Required when closed."""
    registry_login: Name | None = None
    """The name under `secrets` with the username and password that Pods pull from `registry` by."""
    overrides: dict[ImageRole, ImageReference] = Field(default_factory=dict)
    """Other images by `component/role`, for example `mlflow/server`; taken as written."""
    charts: Text | None = None
    """`oci://` URL or folder that charts come from; those shipped with the program if absent."""
    packages: HttpUrl | None = None
    """Package index (PEP 503) for wheels; PyPI where absent."""
    ca: Text | None = None
    """Path of a PEM file with the authorities that the site's servers are signed by."""
    proxy: ProxyConfig | None = None
    """Required where mode is proxied."""


class BackendConfig(Section):
    """Where Pulumi keeps the state."""

    url: (
        Annotated[
            str, Field(pattern=r"^(file|s3|azblob|gs|postgres|https)://\S+$", max_length=1024)
        ]
        | None
    ) = None
    """Any Pulumi backend; a private folder of this user where absent."""
    secrets_provider: (
        Annotated[
            str, Field(pattern=r"^(passphrase$|(awskms|azurekeyvault|gcpkms|hashivault)://\S+$)")
        ]
        | None
    ) = None
    """How secrets in the state are encrypted; a passphrase file made on first use where absent."""
