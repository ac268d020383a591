"""The accounts of the key-value store as its Pod wrote them, read through kubectl."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from mlops_infra.backup import keys
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import OperationFailed

ACCOUNT = "user default on #5f ~* &* +@all"


class Kubectl:
    """Ends well, but prints nothing the first times."""

    def __init__(self, folder: Path, silent: int) -> None:
        self.said, self.silent = folder / "said", silent

    def execute(self, *_: str) -> list[str]:
        script = f'echo x >>"$0"; [ $(wc -l <"$0") -le {self.silent} ] || echo "{ACCOUNT}"'
        return ["sh", "-c", script, str(self.said)]


def test_an_output_that_was_lost_is_asked_for_again(tmp_path: Path) -> None:
    access = cast("StoreAccess", Kubectl(tmp_path, 1))
    assert keys.declared_accounts(access) == [ACCOUNT]


def test_no_output_is_no_answer_and_not_a_server_without_accounts(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match="printed nothing"):
        keys.declared_accounts(cast("StoreAccess", Kubectl(tmp_path, 100)))
