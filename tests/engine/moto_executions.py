"""What an execution of a pipeline leaves behind and an endpoint answers, for `moto_gaps`; a fake.

An execution registers one package in each group that its definition names, and tells so step by
step, as SageMaker does. `--invoke PORT` sends the requests of every endpoint to a real container.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

_INVOKE = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")
_REGISTERED: dict[str, list[dict[str, Any]]] = {}
"""ARN of an execution to its steps."""


def steps_of(definition: str) -> Iterator[dict[str, Any]]:
    """All steps of a definition, those behind conditions too."""
    waiting = list(json.loads(definition).get("Steps") or ())
    while waiting:
        step = waiting.pop(0)
        yield step
        if step["Type"] == "Condition":
            waiting += step["Arguments"]["IfSteps"]


def ended(backend: Any, pipeline: Any, arn: str) -> None:
    """An execution has ended well: register what its definition registers."""
    said = []
    for step in steps_of(pipeline.pipeline_definition):
        told = {"StepName": step["Name"], "StepStatus": "Succeeded", "Metadata": {}}
        if step["Type"] == "RegisterModel":
            taken = {"model_package_group_name": step["Arguments"]["ModelPackageGroupName"]}
            empty = dict.fromkeys(_ARGUMENTS)
            package = backend.create_model_package(
                **{**empty, **taken, "certify_for_marketplace": False,
                   "model_package_description": "", "tags": [],
                   "model_approval_status": "PendingManualApproval"}
            )  # fmt: skip
            told["Metadata"] = {"RegisterModel": {"Arn": package}}
        said.append(told)
    _REGISTERED[arn] = said


_ARGUMENTS = (
    "model_package_name", "inference_specification", "validation_specification",
    "source_algorithm_specification", "metadata_properties", "model_metrics", "client_token",
    "customer_metadata_properties", "drift_check_baselines", "domain", "task",
    "sample_payload_url", "additional_inference_specifications",
)  # fmt: skip


def executions(call: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """None where moto itself is to answer."""
    if call == "ListPipelineExecutionSteps" and body["PipelineExecutionArn"] in _REGISTERED:
        return {"PipelineExecutionSteps": _REGISTERED[body["PipelineExecutionArn"]]}
    return None


def invoked(environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes] | None:
    """The container's answer; None where the request is another one, or no container was named."""
    found = _INVOKE.fullmatch(environ.get("PATH_INFO", ""))
    if found is None or "--invoke" not in sys.argv:
        return None
    port = int(sys.argv[sys.argv.index("--invoke") + 1])
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    headers = {"Content-Type": environ.get("CONTENT_TYPE", "")}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/invocations", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        message = f"Received client error ({answer.status}) from primary: {content.decode()}"
        told = json.dumps({"message": message, "OriginalStatusCode": answer.status}).encode()
        return "424 Failed Dependency", [("x-amzn-errortype", "ModelError")], told
    kind = answer.getheader("Content-Type") or ""
    variant = ("x-Amzn-Invoked-Production-Variant", "champion")
    return "200 OK", [("Content-Type", kind), variant], content
