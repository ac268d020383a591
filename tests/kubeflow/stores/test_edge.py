"""Envoy Gateway: a page of the platform behind a name with TLS."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest

from tests.e2e.platform import Platform
from tests.kubeflow.stores.certificate import Site

PORT = 30443


def test_a_page_is_reached_by_its_name_with_the_sites_certificate(
    platform: Platform, authority: Site
) -> None:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    assert _asked(platform, context, "mlflow.kubeflow.internal", "/health") == (200, "OK")
    assert _asked(platform, context, "nobody.kubeflow.internal", "/health")[0] == 404


def test_who_does_not_trust_the_site_is_not_served(platform: Platform) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _asked(platform, ssl.create_default_context(), "mlflow.kubeflow.internal", "/health")


def test_a_proxy_that_dies_is_replaced_with_its_routes(platform: Platform, authority: Site) -> None:
    from kubernetes.client import CoreV1Api

    from tests.e2e.platform import cluster_client

    core = CoreV1Api(cluster_client(platform))
    labels = "app.kubernetes.io/component=proxy,app.kubernetes.io/managed-by=envoy-gateway"
    (proxy,) = core.list_namespaced_pod("gateway", label_selector=labels).items
    core.delete_namespaced_pod(proxy.metadata.name, "gateway", grace_period_seconds=0)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    ends = time.monotonic() + 180
    while not _serves(platform, context):
        assert time.monotonic() < ends, "no proxy serves"
        time.sleep(1)
    assert proxy.metadata.uid not in {
        each.metadata.uid for each in core.list_namespaced_pod("gateway").items
    }


def _serves(platform: Platform, context: ssl.SSLContext) -> bool:
    try:
        return _asked(platform, context, "mlflow.kubeflow.internal", "/health")[0] == 200
    except OSError:
        return False  # nobody listens yet, or nobody any more


def _asked(platform: Platform, context: ssl.SSLContext, name: str, path: str) -> tuple[int, str]:
    """Status and beginning of the body of `https://name/path`, asked for at the node."""
    node = urlsplit(platform.outputs["tracking_uri"]).hostname
    assert node
    with (
        socket.create_connection((node, PORT), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        connection = http.client.HTTPConnection(name)
        connection.sock = wrapped
        connection.request("GET", path, headers={"Host": name})
        answer = connection.getresponse()
        return answer.status, answer.read(200).decode()
