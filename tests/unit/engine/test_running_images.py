"""What a Pod uses: what it asks for, what that was resolved to, and nothing that is no name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra.engine import running_images
from mlops_infra.errors import InputError

DIGEST = "sha256:" + "3" * 64


def test_every_container_counts_as_it_is_written_and_as_it_was_resolved() -> None:
    state = {"name": "a", "ready": True, "restartCount": 0, "image": "site.example/ml/a:1"}
    pod = {
        "metadata": {"name": "server"},
        "spec": {
            "containers": [{"name": "a", "image": "site.example/ml/a:1"}],
            "initContainers": [{"name": "b", "image": "busybox"}],
        },
        "status": {
            "containerStatuses": [
                {**state, "imageID": f"site.example/ml/a@{DIGEST}"},
                {**state, "name": "c", "imageID": DIGEST},
                {**state, "name": "d", "imageID": ""},
            ]
        },
    }
    assert running_images._of(pod) == {
        "site.example/ml/a:1",
        "busybox",
        f"site.example/ml/a@{DIGEST}",
    }


def test_a_cluster_that_does_not_answer_is_no_cluster_without_pods(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cluster"):
        running_images.running_images(tmp_path / "none", None)
