"""Removes what was made outside of the state and would hold what is in it. The third part.

The training loop registers packages, people open apps, a canary leaves an endpoint: none of that
is Pulumi's, and SageMaker refuses to delete a group, a domain or a configuration that is in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_infra.aws import Cloud
from mlops_infra.aws.faults import ServiceRefused
from mlops_infra.aws.waiting import PATIENCE, wait
from mlops_infra.progress import Step
from mlops_infra.teardown.aws.scope import (
    DOMAIN,
    ENDPOINT,
    MODEL_GROUP,
    REPOSITORY,
    SECURITY_GROUP,
    Scope,
)

_BATCH = 100
"""Images that one BatchDeleteImage takes."""


def packages(cloud: Cloud, groups: Sequence[str], work: Step) -> None:
    """Delete every model package of `groups`."""
    for group in groups:
        found = cloud.pages(
            "sagemaker",
            "list_model_packages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=group,
        )
        for each in list(found):
            work.note(f"model package {each['ModelPackageArn'].partition('/')[2]}")
            cloud.find(
                "sagemaker", "delete_model_package", ModelPackageName=each["ModelPackageArn"]
            )
            work.advance()


def groups_to_empty(scope: Scope, *, purge: bool) -> tuple[str, ...]:
    """Model package groups that go, and therefore have to be empty."""
    return tuple(each.id for each in scope.of_type(MODEL_GROUP) if purge or not each.kept)


def endpoints(cloud: Cloud, scope: Scope, work: Step, *, patience: float = PATIENCE) -> list[str]:
    """Delete endpoints of the stack's name that its state does not know, once they are not busy."""
    known = set(scope.ids(ENDPOINT))
    found = [
        each["EndpointName"]
        for each in cloud.pages("sagemaker", "list_endpoints", "Endpoints", NameContains=scope.base)
        if scope.named(each["EndpointName"]) and each["EndpointName"] not in known
    ]

    def status(name: str) -> str | None:
        told = cloud.find("sagemaker", "describe_endpoint", EndpointName=name)
        return None if told is None else str(told["EndpointStatus"])

    for name in found:
        work.note(f"endpoint {name}")
        wait(lambda n=name: [n] if status(n) in ("Creating", "Updating") else [], work,  # type: ignore[misc]
             patience=patience)  # fmt: skip
        cloud.find("sagemaker", "delete_endpoint", EndpointName=name)
        work.advance()
    left = wait(lambda: [name for name in found if status(name)], work, patience=patience)
    return [f"endpoint {name} cannot be deleted" for name in left]


def domains(cloud: Cloud, scope: Scope, work: Step, *, patience: float = PATIENCE) -> list[str]:
    """Delete apps, then spaces, then user profiles of the stack's domains."""
    left: list[str] = []
    for domain in scope.ids(DOMAIN):
        left += _apps(cloud, domain, work, patience)
        for space in _inside(cloud, "list_spaces", "Spaces", domain):
            work.note(f"space {space['SpaceName']}")
            cloud.find("sagemaker", "delete_space", DomainId=domain, SpaceName=space["SpaceName"])
            work.advance()
        left += _until_gone(cloud, domain, "list_spaces", "Spaces", "SpaceName", work, patience)
        profiles = "list_user_profiles", "UserProfiles"
        for profile in _inside(cloud, *profiles, domain):
            name = profile["UserProfileName"]
            work.note(f"user profile {name}")
            cloud.find("sagemaker", "delete_user_profile", DomainId=domain, UserProfileName=name)
            work.advance()
        left += _until_gone(cloud, domain, *profiles, "UserProfileName", work, patience)
    return left


def _apps(cloud: Cloud, domain: str, work: Step, patience: float) -> list[str]:
    def running() -> list[dict[str, Any]]:
        # a deleted app stays in the list for a day
        return [
            each
            for each in _inside(cloud, "list_apps", "Apps", domain)
            if each.get("Status") not in ("Deleted", "Failed")
        ]

    for app in running():
        work.note(f"app {app['AppName']}")
        owner = {k: app[k] for k in ("UserProfileName", "SpaceName") if app.get(k)}
        if app.get("Status") != "Deleting":
            cloud.find(
                "sagemaker",
                "delete_app",
                DomainId=domain,
                AppType=app["AppType"],
                AppName=app["AppName"],
                **owner,
            )
        work.advance()
    left = wait(lambda: [each["AppName"] for each in running()], work, patience=patience)
    return [f"app {name} of domain {domain} cannot be deleted" for name in left]


def _inside(cloud: Cloud, method: str, key: str, domain: str) -> list[dict[str, Any]]:
    return list(cloud.pages("sagemaker", method, key, DomainIdEquals=domain))


def _until_gone(
    cloud: Cloud, domain: str, method: str, key: str, name: str, work: Step, patience: float
) -> list[str]:
    left = wait(
        lambda: [each[name] for each in _inside(cloud, method, key, domain)],
        work,
        patience=patience,
    )
    return [f"{name} {each} of domain {domain} cannot be deleted" for each in left]


def images(cloud: Cloud, scope: Scope, work: Step, *, purge: bool) -> None:
    """Empty the image repositories that go; a repository with images refuses to."""
    for repository in scope.of_type(REPOSITORY):
        if not purge and (repository.kept or not repository.force):
            continue
        found = list(cloud.pages("ecr", "list_images", "imageIds", repositoryName=repository.name))
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            cloud.find("ecr", "batch_delete_image", repositoryName=repository.name, imageIds=batch)
            work.advance(len(batch))


def interfaces(cloud: Cloud, scope: Scope, work: Step) -> None:
    """Delete detached network interfaces in the stack's security groups.

    Training jobs and functions leave them, and then neither group nor subnet goes. Those that are
    still in use are AWS's to release, up to an hour later.
    """
    groups = list(scope.ids(SECURITY_GROUP))
    if not groups:
        return
    wanted = [
        {"Name": "group-id", "Values": groups},
        {"Name": "status", "Values": ["available"]},
    ]
    found = cloud.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=wanted)
    for each in list(found):
        name = each["NetworkInterfaceId"]
        work.note(f"network interface {name}")
        try:
            cloud.call("ec2", "delete_network_interface", NetworkInterfaceId=name)
        except ServiceRefused as error:
            if error.code != "InvalidNetworkInterfaceID.NotFound":
                raise
        work.advance()
