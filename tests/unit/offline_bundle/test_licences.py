"""What a wheel says of its licence, however it says it, and what the gate makes of a bundle."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from mlops_infra.config import LicenceConfig
from offline_bundle.gate import refused
from offline_bundle.locking.wheel_licence import licence

BSD = "Redistributions of source code must retain the above.\n"
THIRD = BSD + "Neither the name of the copyright holder\nnor the names of its contributors\n"
MIT = "Permission is hereby granted, free of charge, to any\nperson obtaining a copy"
OTHERS = "x" * 4000 + MIT


@pytest.mark.parametrize(
    ("metadata", "text", "spdx"),
    [
        ("License-Expression: MIT OR Apache-2.0", "", "MIT OR Apache-2.0"),
        ("License: Apache License 2.0", "", "Apache-2.0"),
        ("License: BSD\nClassifier: License :: OSI Approved :: BSD License", THIRD, "BSD-3-Clause"),
        ("Classifier: License :: OSI Approved :: BSD License", BSD, "BSD-2-Clause"),
        ("Classifier: License :: OSI Approved :: BSD License", "", "LicenseRef-BSD"),
        ("", MIT, "MIT"),
        ("", OTHERS, None),
        ("License: Our own terms", MIT, "LicenseRef-Our-own-terms"),
        ("", "", None),
    ],
)
def test_a_wheel_s_licence_is_read_from_what_it_states_then_from_its_text(
    tmp_path: Path, metadata: str, text: str, spdx: str | None
) -> None:
    wheel = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("a-1.dist-info/METADATA", f"Name: a\nVersion: 1\n{metadata}\n")
        packed.writestr("a-1.dist-info/licenses/LICENSE.txt", text)
    assert licence(wheel) == spdx


def test_the_gate_of_a_stack_names_what_it_does_not_take() -> None:
    rows = [
        {"name": "a", "licence": "MIT", "found": []},
        {"name": "b", "licence": "AGPL-3.0-only", "found": ["plan: grafana/server, pulled"]},
        {"name": "c", "licence": None, "found": ["--file c"]},
    ]
    strict = LicenceConfig(policy="permissive")
    assert refused(rows, strict) == ["b: AGPL-3.0-only", "c: none stated"]
    accepting = LicenceConfig(policy="permissive", accept=("grafana",))
    assert refused(rows, accepting) == ["c: none stated"]
    assert refused(rows, LicenceConfig(policy="any")) == []
