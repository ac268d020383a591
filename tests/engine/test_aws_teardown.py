"""Teardown on AWS against the emulator: what runs is stopped, what is full is emptied, what is
kept stays whole, and a killed run is simply run again.

Pulumi's plug-in for AWS cannot be had here: `aws_platform.Platform.destroy` stands in for its part.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.aws import Cloud
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.plan.aws.permissions import load_actions
from mlops_infra.progress import quiet
from mlops_infra.teardown.aws import buckets
from mlops_infra.teardown.aws.down import take_apart
from tests.engine import aws_platform as platform
from tests.engine.aws_emulator import Emulator, emulator

BUCKET = f"{platform.BASE}-raw-123456789012-us-east-1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("moto")) as found:
        yield found


@pytest.fixture
def clean(running: Emulator) -> Emulator:
    running.reset()
    return running


def test_the_deployer_s_policy_names_every_action_of_a_teardown(
    clean: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[str] = set()
    wanted = Cloud._actions

    def noting(self: Cloud, client: Any, service: str, method: str) -> tuple[str, ...]:
        found = wanted(self, client, service, method)
        used.update(found)
        return found

    made = platform.build(clean.cloud(), keys=3)
    monkeypatch.setattr(Cloud, "_actions", noting)
    take_apart(clean.cloud(), made.scope(), lambda _: 0, quiet, purge=True, patience=20)
    assert len(used) > 40
    assert used - set(load_actions()[":teardown"]) == set()


def test_a_busy_platform_refuses_to_go_and_the_drain_lets_it(clean: Emulator) -> None:
    made = platform.build(clean.cloud())
    with pytest.raises(OperationFailed, match=r"ModelPackageGroup|CrawlerRunning|BucketNotEmpty"):
        made.destroy(())
    done = take_apart(clean.cloud(), made.scope(), made.destroy, quiet, purge=True, patience=20)
    assert done.leftovers == []
    assert done.kept == []
    again = take_apart(clean.cloud(), made.scope(), lambda _: 0, quiet, purge=True, patience=20)
    assert (again.leftovers, again.kept) == ([], [])


def test_prod_keeps_its_data_with_all_that_guards_it(clean: Emulator) -> None:
    cloud = clean.cloud()
    made = platform.build(cloud, protect=True)
    done = take_apart(cloud, made.scope(), made.destroy, quiet, patience=20)
    assert done.leftovers == []
    assert any(f"arn:aws:s3:::{BUCKET}" in each for each in done.kept)
    assert any("model-package-group/mlops-trial-models" in each for each in done.kept)
    assert len(done.kept) == 2 + 1  # and the log group of the endpoint, data too
    assert buckets.contents(cloud, BUCKET)
    assert "Deny" in cloud.call("s3", "get_bucket_policy", Bucket=BUCKET)["Policy"]
    group = f"{platform.BASE}-models"
    packages = cloud.pages(
        "sagemaker", "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group
    )
    assert len(list(packages)) == 3
    assert cloud.find("sagemaker", "describe_endpoint", EndpointName="mlops-trial-canary") is None


def test_a_bucket_with_contents_nobody_gave_up_stays_without_protection_too(
    clean: Emulator,
) -> None:
    made = platform.build(clean.cloud(), keys=4)
    done = take_apart(clean.cloud(), made.scope(), made.destroy, quiet, patience=20)
    assert any(BUCKET in each for each in done.kept)
    assert buckets.contents(clean.cloud(), BUCKET)


def test_force_destroy_in_the_configuration_empties_the_bucket(clean: Emulator) -> None:
    made = platform.build(clean.cloud(), force=True, keys=4)
    done = take_apart(clean.cloud(), made.scope(), made.destroy, quiet, patience=20)
    assert not any(BUCKET in each for each in done.kept)
    assert clean.cloud().find("s3", "head_bucket", Bucket=BUCKET) is None


def test_what_another_stack_made_is_left_alone(clean: Emulator) -> None:
    cloud = clean.cloud()
    made = platform.build(cloud, keys=2)
    cloud.call("s3", "create_bucket", Bucket="mlops-trial2-raw")
    cloud.call("events", "put_rule", Name="mlops-trialists-rule", ScheduleExpression="rate(1 day)")
    done = take_apart(cloud, made.scope(), made.destroy, quiet, purge=True, patience=20)
    assert done.leftovers == []
    assert cloud.call("events", "describe_rule", Name="mlops-trialists-rule")["State"] == "ENABLED"
    cloud.call("s3", "head_bucket", Bucket="mlops-trial2-raw")


def test_leftovers_without_a_tag_are_found_by_name(clean: Emulator) -> None:
    cloud = clean.cloud()
    cloud.call(
        "iam", "create_role", RoleName=f"{platform.BASE}-work", AssumeRolePolicyDocument="{}"
    )
    cloud.call("logs", "create_log_group", logGroupName=f"/aws/lambda/{platform.BASE}-front")
    found = take_apart(cloud, platform.Platform(cloud).scope(), lambda _: 0, quiet).leftovers
    assert [each.rpartition("/")[2] for each in found] == ["mlops-trial-work"]


def test_another_account_is_refused_before_anything_is_touched(clean: Emulator) -> None:
    made = platform.build(clean.cloud(), keys=2)
    other = Cloud(replace(clean.site, account="999999999999"))
    with pytest.raises(InputError, match="belong to account 123456789012"):
        take_apart(other, made.scope(), made.destroy, quiet, purge=True)
    assert clean.cloud().call("glue", "get_crawler", Name="mlops-trial-orders")


def test_thousands_of_versions_and_markers_go_in_batches(clean: Emulator) -> None:
    cloud = clean.cloud()
    cloud.call("s3", "create_bucket", Bucket=BUCKET)
    on = {"Status": "Enabled"}
    cloud.call("s3", "put_bucket_versioning", Bucket=BUCKET, VersioningConfiguration=on)
    platform.fill(cloud, BUCKET, 800)  # 1 600 versions, 400 delete markers
    made = platform.Platform(cloud)
    made.record("aws:s3/bucket:Bucket", BUCKET, lambda: None)
    assert buckets.empty(cloud, made.scope().made, quiet) == []
    assert not buckets.contents(cloud, BUCKET)
    assert not list(cloud.pages("s3", "list_multipart_uploads", "Uploads", Bucket=BUCKET))


CHILD = """
import json, sys, time
from mlops_infra.aws import Cloud, Site
from mlops_infra.progress import quiet
from mlops_infra.teardown.aws.down import take_apart
from tests.engine import aws_platform as platform
url, step = sys.argv[1], sys.argv[2]
cloud = Cloud(Site("us-east-1", "123456789012", None, url))
made = platform.build(cloud, keys=30)
def sink(event):
    if step in f"{event.title} {event.text}":
        print("now", flush=True)
        time.sleep(60)
def before(urn):
    if step in urn:
        print("now", flush=True)
        time.sleep(60)
made.before_each = before
print("made", flush=True)
take_apart(cloud, made.scope(), made.destroy, sink, purge=True, patience=20)
"""

MOMENTS = ("Draining training job", "Draining model package", "Emptying buckets", "model:Model")
if os.environ.get("MLOPS_INFRA_STORM") == "1":
    MOMENTS += ("Draining scaling", "Draining crawler", "Draining endpoint", "crawler:Crawler",
                "Removing logs", "Looking for leftovers")  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_teardown_that_was_killed_anywhere_is_run_again(
    clean: Emulator, moment: str, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, clean.url, moment], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "made\n"
        assert child.stdout.readline() == "now\n", "it ended before the moment came"
        time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        child.wait(20)
    cloud = clean.cloud()
    made = platform.adopt(cloud)
    done = take_apart(cloud, made.scope(), made.destroy, quiet, purge=True, patience=20)
    assert done.leftovers == []
    assert json.dumps(done.kept) == "[]"
