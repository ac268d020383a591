"""SageMaker's part in a pipeline and a batch job, on this machine: a stand-in that starts the real
programs.

It resolves a definition's references, copies inputs and outputs between folders as SageMaker does
between S3 and a container, calls the runtime image's program with the container's arguments, packs
`model.tar.gz`, and looks at the condition. Only what our definitions use is here; anything else is
a KeyError, which fails the test.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_infra.cli.main import run

OUTPUT = re.compile(
    r"Steps\.(?P<step>[^.]+)\.ProcessingOutputConfig\.Outputs\['(?P<name>\w+)'\]\.S3Output\.S3Uri"
)
LONGEST_ARGUMENT = 256


class StepFailed(Exception):
    pass


@dataclass
class LocalSageMaker:
    """Folders below `root` stand for buckets."""

    root: Path
    runs: int = 0
    packages: list[dict[str, Any]] = field(default_factory=list)

    def s3(self, url: str) -> Path:
        scheme, _, rest = url.partition("://")
        assert scheme == "s3", url
        return self.root / "s3" / rest

    def execute(self, definition: Mapping[str, Any], **parameters: Any) -> list[str]:
        """Run it; names of the steps that ran, in order.

        Raises:
            StepFailed: a step did, or the pipeline says so itself.
        """
        self.runs += 1
        declared = {each["Name"]: each.get("DefaultValue") for each in definition["Parameters"]}
        assert set(parameters) <= set(declared)
        execution = _Execution(self, f"run{self.runs:02}", {**declared, **parameters})
        execution.steps(definition["Steps"])
        return execution.ran


@dataclass
class _Execution:
    sagemaker: LocalSageMaker
    id: str
    parameters: Mapping[str, Any]
    ran: list[str] = field(default_factory=list)
    outputs: dict[tuple[str, str], str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    properties: dict[tuple[str, str], str] = field(default_factory=dict)

    def steps(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            kind = {"RegisterModel": "register", "Processing": "processing"}.get(step["Type"])
            getattr(self, f"_{kind or step['Type'].lower()}")(step)
            self.ran.append(step["Name"])

    def value(self, said: Any) -> Any:
        match said:
            case {"Get": name}:
                return self._get(name)
            case {"Std:Join": {"On": on, "Values": values}}:
                return on.join(str(self.value(each)) for each in values)
            case {"Std:JsonGet": {"PropertyFile": {"Get": name}, "Path": path}}:
                _, step, _, file = name.split(".")
                read = json.loads(Path(self.properties[step, file]).read_text("utf-8"))
                for part in path.split("."):
                    read = read[part]
                return read
            case dict():
                return {key: self.value(each) for key, each in said.items()}
            case list():
                return [self.value(each) for each in said]
        return said

    def _get(self, name: str) -> Any:
        if name.startswith("Parameters."):
            return self.parameters[name.partition(".")[2]]
        if name == "Execution.PipelineExecutionId":
            return self.id
        if found := OUTPUT.fullmatch(name):
            return self.outputs[found["step"], found["name"]]
        _, step, rest = name.split(".", 2)
        assert rest == "ModelArtifacts.S3ModelArtifacts", name
        return self.models[step]

    def _container(self, name: str, words: list[Any], root: Path) -> None:
        said = [str(self.value(word)) for word in words]
        assert max(map(len, said)) <= LONGEST_ARGUMENT
        # a container's own paths, below a folder of this step
        code = run([each.replace("/opt/ml", f"{root}/opt/ml") for each in said])
        if code != 0:
            raise StepFailed(f"{name} ended with {code}")

    def _processing(self, step: dict[str, Any]) -> None:
        name, job = step["Name"], step["Arguments"]
        root = self.sagemaker.root / "containers" / self.id / name
        for each in job["ProcessingInputs"]:
            source = self.sagemaker.s3(self.value(each["S3Input"]["S3Uri"]))
            target = Path(f"{root}{each['S3Input']['LocalPath']}")
            _copy(source, target)
        for each in job["ProcessingOutputConfig"]["Outputs"]:
            Path(f"{root}{each['S3Output']['LocalPath']}").mkdir(parents=True)
        app = job["AppSpecification"]
        assert app["ContainerEntrypoint"] == ["mlops-infra"]
        self._container(name, app["ContainerArguments"], root)
        for each in job["ProcessingOutputConfig"]["Outputs"]:
            uri = self.value(each["S3Output"]["S3Uri"])
            _copy(Path(f"{root}{each['S3Output']['LocalPath']}"), self.sagemaker.s3(uri))
            self.outputs[name, each["OutputName"]] = uri
        for each in step.get("PropertyFiles", ()):
            folder = self.sagemaker.s3(self.outputs[name, each["OutputName"]])
            self.properties[name, each["PropertyFileName"]] = str(folder / each["FilePath"])

    def _training(self, step: dict[str, Any]) -> None:
        name, job = step["Name"], step["Arguments"]
        root = self.sagemaker.root / "containers" / self.id / name
        for channel in job["InputDataConfig"]:
            source = self.value(channel["DataSource"]["S3DataSource"]["S3Uri"])
            target = root / "opt/ml/input/data" / channel["ChannelName"]
            _copy(self.sagemaker.s3(source), target)
        model = root / "opt/ml/model"
        model.mkdir(parents=True)
        algorithm = job["AlgorithmSpecification"]
        assert algorithm["ContainerEntrypoint"] == ["mlops-infra"]
        self._container(name, algorithm["ContainerArguments"], root)
        uri = f"{self.value(job['OutputDataConfig']['S3OutputPath'])}/{self.id}/output/model.tar.gz"
        place = self.sagemaker.s3(uri)
        place.parent.mkdir(parents=True)
        with tarfile.open(place, "w:gz") as archive:
            for each in sorted(model.iterdir()):
                archive.add(each, each.name)
        self.models[name] = uri

    def _condition(self, step: dict[str, Any]) -> None:
        (said,) = step["Arguments"]["Conditions"]
        left, right = self.value(said["LeftValue"]), self.value(said["RightValue"])
        holds = left >= right if said["Type"] == "GreaterThanOrEqualTo" else left <= right
        self.steps(step["Arguments"]["IfSteps" if holds else "ElseSteps"])

    def _fail(self, step: dict[str, Any]) -> None:
        raise StepFailed(self.value(step["Arguments"]["ErrorMessage"]))

    def _register(self, step: dict[str, Any]) -> None:
        package = self.value(step["Arguments"])
        (container,) = package["InferenceSpecification"]["Containers"]
        metrics = package["ModelMetrics"]
        named = [container["ModelDataUrl"], metrics["ModelQuality"]["Statistics"]["S3Uri"]]
        named += [each["S3Uri"] for each in metrics["ModelDataQuality"].values()]
        for uri in named:
            assert self.sagemaker.s3(uri).is_file(), f"nothing at {uri}"
        self.sagemaker.packages.append(package)


def _copy(source: Path, target: Path) -> None:
    """A folder, or a single object into a folder, as SageMaker does with a prefix of S3."""
    if source.is_file():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target / source.name)
        return
    assert source.is_dir(), f"nothing at {source}"
    shutil.copytree(source, target, dirs_exist_ok=True)


def transform(sagemaker: LocalSageMaker, job: Mapping[str, Any], port: int) -> int:
    """Run a transform job against a container that answers on `port`; the number of requests."""
    given, wanted = job["TransformInput"], job["TransformOutput"]
    assert (given["SplitType"], wanted["AssembleWith"]) == ("Line", "Line")
    most = job["MaxPayloadInMB"] << 20
    folder = sagemaker.s3(given["DataSource"]["S3DataSource"]["S3Uri"])
    asked = 0
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        answers = []
        for body in _batches(file.read_bytes().splitlines(keepends=True), most):
            headers = {"Content-Type": given["ContentType"], "Accept": wanted["Accept"]}
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if answer.status != 200:
                raise StepFailed(f"{file.name}: {answer.status} {content.decode()}")
            answers.append(content)
            asked += 1
        made = sagemaker.s3(wanted["S3OutputPath"]) / f"{file.relative_to(folder)}.out"
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(b"".join(answers))
    return asked


def _batches(lines: list[bytes], most: int) -> list[bytes]:
    found: list[bytes] = [b""]
    for line in lines:
        if len(found[-1]) + len(line) > most:
            found.append(b"")
        found[-1] += line
    return found
