"""moto's server with what a teardown asks for and moto 5.2.5 lacks; a fake, as all of moto is.

Runs in moto's own environment: ``python moto_gaps.py PORT``. SageMaker's refusals here (a group
with packages, a running crawler, a domain with apps) are those of its documentation.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

# beside this file: the server runs in moto's own environment
from moto_executions import ended, executions, invoked

ACCOUNT = "123456789012"

# name of the call without its verb: (key of the name, key of the list, state, state after Stop)
KINDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "MonitoringSchedule": (
        ("MonitoringScheduleName",), "MonitoringScheduleSummaries", "MonitoringScheduleStatus"
    ),
    "App": (("DomainId", "AppType", "AppName"), "Apps", "Status"),
    "Space": (("DomainId", "SpaceName"), "Spaces", "Status"),
    "UserProfile": (("DomainId", "UserProfileName"), "UserProfiles", "Status"),
    "FeatureGroup": (("FeatureGroupName",), "FeatureGroupSummaries", "FeatureGroupStatus"),
}  # fmt: skip
FIRST = {"MonitoringSchedule": "Scheduled", "FeatureGroup": "Created"}


class Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Things:
    """Kinds of things that moto does not know, as plain documents."""

    def __init__(self) -> None:
        self.held: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {kind: {} for kind in KINDS}

    def answer(self, call: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """None where moto itself is to answer."""
        for kind, (names, many, state) in KINDS.items():
            if call == f"List{kind}s":
                shown = [d for d in self.held[kind].values() if _matches(d, body)]
                return {many: shown}
            for verb in ("Create", "Describe", "Delete", "Stop", "Update"):
                if call == verb + kind:
                    return self._one(verb, kind, names, state, body)
        return None

    def _one(
        self, verb: str, kind: str, names: tuple[str, ...], state: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        key = tuple(str(body[name]) for name in names)
        held = self.held[kind]
        if verb == "Create":
            arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{kind.lower()}/{'/'.join(key)}"
            config = body.get("MonitoringScheduleConfig", {})
            extra = {"EndpointName": config.get("EndpointName", "")} if config else {}
            held[key] = {**body, **extra, f"{kind}Arn": arn, state: FIRST.get(kind, "InService")}
            return {f"{kind}Arn": arn}
        if key not in held:
            raise Refused("ResourceNotFound", f"Could not find {kind} {key}")
        if verb == "Describe":
            return held[key]
        if verb == "Stop":
            held[key][state] = "Stopped"
        if verb == "Delete":
            del held[key]
        if verb == "Update" and kind == "FeatureGroup":
            _more_features(held[key], body["FeatureAdditions"])
        return {}


def _more_features(group: dict[str, Any], additions: list[dict[str, Any]]) -> None:
    """Takes what the group does not have, 100 at a time at most; nothing can be taken away."""
    known = {each["FeatureName"] for each in group["FeatureDefinitions"]}
    twice = [each["FeatureName"] for each in additions if each["FeatureName"] in known]
    if twice or not 1 <= len(additions) <= 100:
        raise Refused("ValidationException", f"duplicate or too many additions: {twice}")
    group["FeatureDefinitions"] += additions
    group["LastUpdateStatus"] = {"Status": "Successful"}


def _matches(document: dict[str, Any], body: dict[str, Any]) -> bool:
    domain = body.get("DomainIdEquals")
    return domain is None or document.get("DomainId") == domain


def packages(call: str, body: dict[str, Any], region: str) -> dict[str, Any] | None:
    """Deletion of packages and groups."""
    from moto.sagemaker.models import sagemaker_backends

    backend = sagemaker_backends[ACCOUNT][region]
    if call == "DeleteModelPackage":
        name = body["ModelPackageName"]
        arn = backend.model_package_name_mapping.get(name, name)
        if backend.model_packages.pop(arn, None) is None:
            raise Refused("ValidationException", f"ModelPackage {name} does not exist.")
        return {}
    if call == "DeleteModelPackageGroup":
        group = body["ModelPackageGroupName"]
        if group not in backend.model_package_groups:
            raise Refused("ValidationException", f"ModelPackageGroup {group} does not exist.")
        if any(p.model_package_group_name == group for p in backend.model_packages.values()):
            raise Refused("ConflictException", f"{group} still has model packages")
        del backend.model_package_groups[group]
        return {}
    return None


def running(call: str, body: dict[str, Any], region: str) -> dict[str, Any] | None:
    """Executions and jobs go on until they are stopped, where the test says so."""
    from moto.sagemaker.models import sagemaker_backends

    backend = sagemaker_backends[ACCOUNT][region]
    if call == "StopPipelineExecution":
        arn = body["PipelineExecutionArn"]
        for pipeline in backend.pipelines.values():
            if arn in pipeline.pipeline_executions:
                pipeline.pipeline_executions[arn].pipeline_execution_status = "Stopped"
        return {"PipelineExecutionArn": arn}
    if call == "StopTrainingJob":
        backend.training_jobs[body["TrainingJobName"]].training_job_status = "Stopped"
        return {}
    return None


def busy() -> None:
    """A crawler that runs is not deleted; executions and training do not end by themselves."""
    from moto.glue import models as glue
    from moto.s3 import models as s3
    from moto.sagemaker import models as sagemaker

    delete = glue.GlueBackend.delete_crawler

    def delete_crawler(self: Any, name: str) -> None:
        if self.get_crawler(name).status != "READY":
            raise glue.CrawlerRunningException(f"Crawler {name} is running")
        delete(self, name)

    glue.GlueBackend.delete_crawler = delete_crawler
    stop = glue.FakeCrawler.stop_crawler

    def stop_crawler(self: Any) -> None:
        stop(self)
        crawl = self.crawls[-1]
        # moto's own goes on stopping for ever; Glue's takes a while
        threading.Timer(0.3, lambda: setattr(crawl, "status", "STOPPED")).start()

    glue.FakeCrawler.stop_crawler = stop_crawler
    # moto calls it on every version that goes, and forgot it on this kind of one
    s3.FakeDeleteMarker.dispose = lambda self, garbage=False: None
    start = sagemaker.SageMakerModelBackend.start_pipeline_execution

    def start_pipeline_execution(self: Any, *args: Any, **kwargs: Any) -> Any:
        started = start(self, *args, **kwargs)
        arn = started["PipelineExecutionArn"]
        owner = next(p for p in self.pipelines.values() if arn in p.pipeline_executions)
        if LONG:
            owner.pipeline_executions[arn].pipeline_execution_status = "Executing"
        else:
            ended(self, owner, arn)
        return started

    sagemaker.SageMakerModelBackend.start_pipeline_execution = start_pipeline_execution
    create = sagemaker.SageMakerModelBackend.create_training_job

    def create_training_job(self: Any, *args: Any, **kwargs: Any) -> Any:
        created = create(self, *args, **kwargs)
        if LONG:
            created.training_job_status = "InProgress"
        return created

    sagemaker.SageMakerModelBackend.create_training_job = create_training_job


LONG = "--long" in sys.argv


def front(app: Any) -> Any:
    """Answers what moto lacks, and passes on the rest."""
    things = Things()

    def serve(environ: dict[str, Any], start: Any) -> Any:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if environ.get("PATH_INFO") == "/moto-api/reset":
            things.__init__()  # type: ignore[misc]
        answer = invoked(environ)
        if answer is not None:
            start(answer[0], answer[1])
            return [answer[2]]
        if not target.startswith("SageMaker."):
            return app(environ, start)
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.loads(raw or b"{}")
        region = environ["HTTP_AUTHORIZATION"].split("Credential=")[1].split("/")[2]
        call = target.partition(".")[2]
        try:
            found = things.answer(call, body)
            found = packages(call, body, region) if found is None else found
            found = running(call, body, region) if found is None else found
            found = executions(call, body) if found is None else found
        except Refused as error:
            told = json.dumps({"__type": error.code, "message": str(error)}).encode()
            start("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
            return [told]
        if found is None:
            import io

            environ["wsgi.input"] = io.BytesIO(raw)
            return app(environ, start)
        start("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(found, default=str).encode()]

    return serve


def main(port: int) -> None:
    import moto.moto_server.werkzeug_app as server
    from werkzeug.serving import run_simple

    busy()
    app = front(server.DomainDispatcherApplication(server.create_backend_app))
    run_simple("127.0.0.1", port, app, threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
