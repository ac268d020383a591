"""Charts under the engine, rendered by Pulumi's own provider, against a real API server."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.helm.v4 import Chart

from mlops_infra.errors import OperationFailed
from mlops_infra.naming import field_manager
from tests.engine.control_plane import ControlPlane
from tests.engine.stacks import NAME, Stack

# the API server of the tests has a certificate that nobody has signed
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

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
        values = {"image": image, "password": "x", "date": "2026-11-21"}
        Chart("demo", chart=str(chart), namespace=namespace, values=values, opts=opts)

    stack.program = program
    assert stack.changes() == {"create": 9}
    assert stack.up().counts == {"create": 9}
    assert stack.changes() == {}

    kept = f"/api/v1/namespaces/{namespace}/configmaps/kept"
    live = api_server.request("GET", kept)
    assert live["data"]["date"] == "2026-11-21"
    assert live["data"]["kube"].startswith("v1.")
    assert {each["manager"] for each in live["metadata"]["managedFields"]} == {field_manager(NAME)}
    assert api_server.request("GET", kept.replace("kept", "hook")) is None
    (web,) = stack.resources("Deployment")
    assert web["urn"].endswith(
        f"kubernetes:helm.sh/v4:Chart$kubernetes:apps/v1:Deployment::demo:{namespace}/demo-web"
    )
    assert "pulumi:providers:kubernetes::cluster" in web["provider"]

    image = "good/app:2"
    assert stack.up().counts == {"update": 1}
    stack.down()
    assert api_server.request("GET", kept) is not None
    assert api_server.request("GET", kept.replace("kept", "access")) is None


def test_a_failing_child_fails_the_chart_with_its_cause(
    stack: Stack, namespace: str, chart: Path
) -> None:
    def program(opts: ResourceOptions) -> None:
        values = {"image": "missing/app:1", "password": "x", "date": "x"}
        Chart("demo", chart=str(chart), namespace=namespace, values=values, opts=opts)

    stack.program = program
    with pytest.raises(OperationFailed, match=f"Deployment {namespace}/demo-web is not ready"):
        stack.up()
    stack.down()


def test_a_chart_that_helm_refuses_is_explained(stack: Stack, namespace: str, chart: Path) -> None:
    (chart / "templates" / "bad.yaml").write_text('{{ fail "set the value first" }}')
    stack.program = lambda opts: (
        Chart("demo", chart=str(chart), namespace=namespace, opts=opts) and None
    )
    with pytest.raises(OperationFailed, match="set the value first"):
        stack.up()
