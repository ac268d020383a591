"""One definition in the words of each engine: what Argo, KFP and SageMaker are given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.arguments import (
    complete,
    decoded,
    from_text,
    parse,
    to_text,
)
from mlops_infra.lifecycle.pipeline.definition.model import Parameter, Pipeline, Source, Step
from mlops_infra.lifecycle.pipeline.definition.standard import STANDARD, standard
from mlops_infra.lifecycle.pipeline.engines import argo, kfp, local, sagemaker
from mlops_infra.lifecycle.pipeline.engines.argo_settings import ArgoSettings
from mlops_infra.lifecycle.pipeline.submission.runs import new_run

IMAGE = "mlops-infra.local/runtime:0.4.0-01234567"
SAGEMAKER = Path(__file__).with_name("sagemaker_pipeline.schema.json")
EVERY = sorted(STANDARD)


def flow(name: str = "tabular-classification", **given: Any) -> dict[str, Any]:
    pipeline = standard(name)
    settings = ArgoSettings("demo", IMAGE)
    return argo.workflow(pipeline, complete(given, pipeline), settings, run="run-1")


def containers(workflow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {t["name"]: t["container"] for t in workflow["spec"]["templates"] if "container" in t}


@pytest.mark.parametrize("name", EVERY)
def test_argo_pods_keep_pod_security_restricted(name: str) -> None:
    workflow = flow(name)
    pod = workflow["spec"]["securityContext"]
    assert pod["runAsNonRoot"]
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert [v for v in workflow["spec"]["volumes"] if "hostPath" in v] == []
    for container in containers(workflow).values():
        rights = container["securityContext"]
        assert not rights["allowPrivilegeEscalation"]
        assert rights["readOnlyRootFilesystem"]
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["image"] == IMAGE
        # Argo would ask a registry for the entry point otherwise
        assert container["command"] == ["mlops-infra"]


def test_argo_hands_over_what_the_step_before_wrote() -> None:
    said = {name: container["args"] for name, container in containers(flow()).items()}
    for step in standard("tabular-classification").steps:
        for name, source in step.inputs.items():
            place = f"s3:///pipelines/{{{{workflow.name}}}}/{source.step}/{source.output}"
            assert f"{name}={place}" in said[step.name]
            assert f"{source.output}={place}" in said[source.step]


def test_argo_trains_a_model_once_at_a_time_and_always_finishes() -> None:
    spec = flow()["spec"]
    assert spec["synchronization"] == {"mutexes": [{"name": "train-{{workflow.parameters.model}}"}]}
    assert spec["onExit"] == "finish"
    assert "{{workflow.status}}" in containers({"spec": spec})["finish"]["args"]
    assert spec["serviceAccountName"] == "pipeline"
    assert spec["ttlStrategy"]["secondsAfterFailure"] > spec["ttlStrategy"]["secondsAfterSuccess"]


def test_argo_gives_no_step_a_secret_in_its_arguments() -> None:
    text = json.dumps(flow())
    assert "secretKeyRef" in text
    assert "password=" not in text.lower()


@pytest.mark.parametrize(
    ("given", "run", "what"),
    [
        ({}, "Run_1", "not a valid run name"),
        ({}, "x" * 53, "not a valid run name"),
    ],
)
def test_argo_refuses_what_it_would_misread(given: dict[str, str], run: str, what: str) -> None:
    pipeline = standard("tabular-classification")
    settings = ArgoSettings("demo", IMAGE)
    with pytest.raises(InputError, match=what):
        argo.workflow(pipeline, complete(given, pipeline), settings, run=run)


@pytest.mark.parametrize("name", EVERY)
def test_kfp_ir_installs_nothing_when_it_runs(name: str) -> None:
    pipeline = standard(name)
    text = kfp.to_yaml(kfp.documents(pipeline, complete({}, pipeline), image=IMAGE))
    ir, platform = yaml.safe_load_all(text)
    assert "pip" not in text.split()
    executors = ir["deploymentSpec"]["executors"]
    assert {e["container"]["image"] for e in executors.values()} == {IMAGE}
    assert set(platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]) == set(executors)
    for task in ir["root"]["dag"]["tasks"].values():
        component = ir["components"][task["componentRef"]["name"]]
        wanted = component.get("inputDefinitions", {})
        for kind in ("parameters", "artifacts"):
            given = task.get("inputs", {}).get(kind, {})
            assert set(given) == set(wanted.get(kind, {}))


@pytest.mark.parametrize("name", EVERY)
def test_sagemaker_definition_keeps_the_published_schema(name: str) -> None:
    pipeline = standard(name)
    made = sagemaker.definition(pipeline, complete({}, pipeline), image=IMAGE)
    schema = json.loads(SAGEMAKER.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(made)))
    names = {step["Name"] for step in made["Steps"]}
    text = json.dumps(made)
    for wanted in ("Steps.", "Parameters."):
        known = names if wanted == "Steps." else {p["Name"] for p in made["Parameters"]}
        found = {part.split(".")[0].split('"')[0] for part in text.split(f'"Get": "{wanted}')[1:]}
        assert found <= known
    for step in made["Steps"]:
        assert len(step["Arguments"].get("ProcessingInputs", ())) <= 10
        assert len(step["Arguments"]["AppSpecification"]["ContainerArguments"]) <= 100


def test_sagemaker_refuses_a_value_that_it_would_cut() -> None:
    pipeline = standard("tabular-classification")
    long = json.dumps({"C": "1" * 300})
    with pytest.raises(InputError, match="too long for SageMaker"):
        sagemaker.definition(pipeline, complete({"hyperparameters": long}, pipeline))


def test_a_pipeline_names_its_mistakes_when_it_is_made() -> None:
    one = Step("one", "x", outputs={"a": "json"}, after=("two",))
    with pytest.raises(InputError, match="depend on each other"):
        Pipeline("p", (), (one, Step("two", "x", inputs={"a": Source("one", "a")})))
    with pytest.raises(InputError, match="has no source"):
        Pipeline("p", (), (Step("two", "x", inputs={"a": Source("one", "a")}),))
    with pytest.raises(InputError, match="is duplicated"):
        Pipeline("p", (), (Step("one", "x"), Step("one", "x")))
    with pytest.raises(InputError, match="no parameter"):
        Pipeline("p", (), (Step("one", "x", parameters=("n",)),))
    with pytest.raises(InputError, match="not a valid name"):
        Pipeline("p", (), (Step("One", "x"),))


@pytest.mark.parametrize(
    ("pair", "what"),
    [
        ("sed=1", "did you mean seed"),
        ("seed", "use -p name=value"),
        ("seed=1.5", "a whole number"),
        ("test_size=nan", "a finite number"),
        ("promote=maybe", "true or false"),
        ("data=a\0b", "has a NUL"),
        ("data=\ud800", "half a surrogate pair"),
        ("data=" + "x" * 5000, "longer than"),
    ],
)
def test_a_wrong_parameter_is_told(pair: str, what: str) -> None:
    with pytest.raises(InputError) as told:
        from_text([pair], standard("tabular-classification"))
    assert what in str(told.value)


VALUES = st.one_of(
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(max_size=200).filter(lambda text: "\0" not in text),
    st.sampled_from(
        [
            *("a\tb\r\nc", "\u202eright", "-x --y=z", "json:{}", "$(HOME) $$", "{{workflow.uid}}"),
            *("\U0001f3f4\U000e0067\U000e007f", "{{=1+1}}", "", " ", "'\"\\", "가\u3000나"),
        ]
    ),
)


@given(VALUES)
def test_a_value_survives_its_journey_as_text(value: Any) -> None:
    assert parse(Parameter("p", value), to_text(value)) == value


def by_argo(text: str) -> str:
    """What Argo makes of a value: it quotes as Go does, and puts the result into JSON."""
    quoted = []
    for letter in text:
        short = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        if letter in short or letter in '"\\\v':
            quoted.append({**short, "\v": "\\v", '"': '\\"', "\\": "\\\\"}[letter])
        elif letter.isprintable():
            quoted.append(letter)
        else:
            number = ord(letter)
            wide = f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
            quoted.append(f"\\x{number:02x}" if number < 0x80 else wide)
    found: str = json.loads(f'"{"".join(quoted)}"')
    return found


def by_kubernetes(text: str) -> str:
    """What the kubelet makes of an argument: `$$` is `$`, and `$(NAME)` a variable."""
    return re.sub(r"\$(\$|\((\w+)\))", lambda m: "$" if m[1] == "$" else f"<{m[2]}>", text)


@given(VALUES)
def test_every_engine_hands_over_the_value_that_it_was_given(value: Any) -> None:
    parameter = Parameter("p", value)
    step = Step("one", "code", parameters=("p",))
    pipeline = Pipeline("p", (parameter,), (step,))
    spec = argo.workflow(pipeline, {"p": value}, ArgoSettings("demo", IMAGE), run="run-1")["spec"]
    (given_,) = spec["arguments"]["parameters"]
    words = [word for word in containers({"spec": spec})["one"]["args"] if word.startswith("p=")]
    assert words == ["p={{workflow.parameters.p}}"]
    assert "{{" not in given_["value"]
    (ir, _) = kfp.documents(pipeline, {"p": value}, image=IMAGE)
    root = ir["root"]["inputDefinitions"]["parameters"]["p"]["defaultValue"]
    arrived = {
        "local": local.LocalWords(pipeline, "r", Path("/r"), {"p": value}).parameter("p")[2:],
        "argo": by_kubernetes(by_argo(given_["value"])),
        "kfp": by_kubernetes(to_text(root)),
    }
    if len(to_text(value)) < 40:
        made = sagemaker.definition(pipeline, {"p": value})["Parameters"][0]["DefaultValue"]
        arrived["sagemaker"] = to_text(made)
        assert "\n" not in arrived["sagemaker"]
    for engine, text in arrived.items():
        assert decoded(parameter, text) == value, engine


def test_kfp_refuses_a_number_that_it_would_round() -> None:
    pipeline = Pipeline("p", (Parameter("n", 2**53 + 1),), (Step("one", "code", ("n",)),))
    with pytest.raises(InputError, match="would round the value of 'n'"):
        kfp.documents(pipeline, {"n": 2**53 + 1}, image=IMAGE)


def test_sagemaker_refuses_a_step_that_may_run_longer_than_it_lets_it() -> None:
    pipeline = Pipeline("p", (), (Step("one", "code", timeout_seconds=432001),))
    with pytest.raises(InputError, match="step 'one' may run for 432001 s"):
        sagemaker.definition(pipeline, {})


def test_a_new_run_has_a_name_that_every_engine_takes() -> None:
    names = {new_run("a-very-long-name-of-a-pipeline-that-somebody-made-up") for _ in range(50)}
    assert len(names) == 50
    assert max(map(len, names)) <= argo.LONGEST_NAME
