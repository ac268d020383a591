"""`kubernetes:helm.sh/v4:Chart` of the stand-in provider, with the real engine and helm."""

from __future__ import annotations

import base64
from pathlib import Path

import pulumi
import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.helm.v4 import Chart

from tests.engine.control_plane import ControlPlane, find_binary
from tests.engine.stacks import Stack
from tests.engine.test_kubeprovider import CANARY, changes

pytestmark = pytest.mark.skipif(find_binary("helm") is None, reason="no helm on this machine")

TEMPLATES = {
    "web.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: {{ .Values.image }}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
""",
    "access.yaml": """
apiVersion: v1
kind: Secret
metadata: {name: access}
stringData: {password: {{ .Values.password }}}
""",
    "kept.yaml": """
apiVersion: v1
kind: ConfigMap
metadata:
  name: kept
  annotations: {helm.sh/resource-policy: keep}
data: {date: {{ .Values.date | quote }}, kube: {{ .Capabilities.KubeVersion.Version }}}
""",
    "hook.yaml": """
apiVersion: v1
kind: ConfigMap
metadata:
  name: hook
  annotations: {helm.sh/hook: pre-install}
""",
    "gadget.yaml": """
apiVersion: example.org/v1
kind: Gadget
metadata: {name: one}
spec: {size: 1}
""",
}
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: gadgets, kind: Gadget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    (folder / "templates").mkdir(parents=True)
    (folder / "crds").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: demo\nversion: 1.0.0\n")
    (folder / "crds" / "gadget.yaml").write_text(CRD)
    for name, text in TEMPLATES.items():
        (folder / "templates" / name).write_text(text)
    return folder


def test_a_chart_becomes_children_in_order_and_goes_but_for_what_is_kept(
    stack: Stack, api_server: ControlPlane, namespace: str, chart: Path
) -> None:
    image = "good/app:1"

    def program(opts: ResourceOptions) -> None:
        values = {"image": image, "password": pulumi.Output.secret(CANARY), "date": "2026-11-21"}
        release = Chart("demo", chart=str(chart), namespace=namespace, values=values, opts=opts)
        pulumi.export("count", release.resources.apply(len))

    stack.program = program
    assert changes(stack.preview()) == {"create": 9}
    assert stack.up().outputs["count"].value == 6
    assert changes(stack.preview()) == {}

    kept = f"/api/v1/namespaces/{namespace}/configmaps/kept"
    data = api_server.request("GET", kept)["data"]
    assert data["date"] == "2026-11-21"
    assert data["kube"].startswith("v1.")
    assert api_server.request("GET", kept.replace("kept", "hook")) is None
    web = stack.children("Deployment")[0]
    assert web["urn"].endswith(
        f"kubernetes:helm.sh/v4:Chart$kubernetes:apps/v1:Deployment::demo:{namespace}/demo-web"
    )
    assert web["parent"] == stack.children("Chart")[0]["urn"]
    assert "pulumi:providers:kubernetes::cluster" in web["provider"]
    for form in (CANARY, base64.b64encode(CANARY.encode()).decode()):
        assert form not in stack.state_text()

    image = "good/app:2"
    assert changes(stack.up()) == {"update": 1}
    assert changes(stack.refresh()) == {}
    stack.destroy()
    assert api_server.request("GET", kept) is not None
    assert api_server.request("GET", kept.replace("kept", "access")) is None


def test_a_failing_child_fails_the_chart_with_its_cause(
    stack: Stack, namespace: str, chart: Path
) -> None:
    def program(opts: ResourceOptions) -> None:
        values = {"image": "missing/app:1", "password": CANARY, "date": "x"}
        Chart("demo", chart=str(chart), namespace=namespace, values=values, opts=opts)

    stack.program = program
    with pytest.raises(Exception, match="ErrImagePull"):
        stack.up()
    stack.destroy()


def test_a_chart_that_helm_refuses_is_explained(stack: Stack, namespace: str, chart: Path) -> None:
    (chart / "templates" / "bad.yaml").write_text('{{ fail "set the value first" }}')
    stack.program = lambda opts: (
        Chart("demo", chart=str(chart), namespace=namespace, opts=opts) and None
    )
    with pytest.raises(Exception, match=r"helm cannot render .*set the value first"):
        stack.preview()


def test_unknown_inputs_leave_children_out_of_the_preview(
    stack: Stack, namespace: str, chart: Path
) -> None:
    def program(opts: ResourceOptions) -> None:
        meta = {"name": "first", "namespace": namespace}
        first = ConfigMap("first", metadata=meta, opts=opts)
        values = {"image": "good/app:1", "password": first.metadata["uid"], "date": "x"}
        Chart("demo", chart=str(chart), namespace=namespace, values=values, opts=opts)

    stack.program = program
    stack.preview()
    stack.up()
    assert len(stack.children("Deployment")) == 1
    stack.destroy()
