"""The stack that the tests of the loop on AWS declare, and real rows for it."""

from __future__ import annotations

import functools
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_infra.engine.aws_graph import declare
from mlops_infra.engine.declaration import Declared

STACK = "loop"
COLUMNS = ("mean_radius", "mean_texture", "mean_perimeter", "mean_area")
CONFIG = {
    "account": "123456789012",
    "region": "us-east-1",
    "vpc": {"interfaceEndpoints": True},
    "glue": {
        "tables": {
            "cells": {
                "path": "curated/cells",
                "columns": {"id": "bigint", **dict.fromkeys(COLUMNS, "double"), "benign": "int"},
                "partitions": {"day": "date"},
            }
        },
        "jobs": {"cells": {"etl": {"source": "raw/cells", "table": "cells", "keys": ["id"]}}},
    },
    "pipelines": {
        "cells": {
            "training": {
                "data": "curated/cells",
                "target": "benign",
                "ignore": ["id", "day"],
                "threshold": 0.8,
            }
        }
    },
    "endpoints": {
        "cells": {"variants": [{"name": "champion", "model": "1"}], "capturePercent": 100}
    },
    "batches": {
        "nightly": {
            "model": "1",
            "input": "curated/to-score",
            "output": "curated/scored",
            "schedule": "cron(0 4 * * ? *)",
        }
    },
    "monitors": {"cells-data": {"endpoint": "cells", "columns": ["mean_area"]}},
    "triggers": {
        "cells-drift": {"pipeline": "cells", "drift": "cells-data", "coolDownMinutes": 60},
        "new-cells": {"pipeline": "cells", "newData": "raw/cells", "marker": "_SUCCESS"},
    },
}


@functools.cache
def declared() -> list[Declared]:
    """Every resource that the program declares for the stack."""
    config = {
        "mlops-infra:profile": "aws",
        "mlops-infra:environment": "test",
        "mlops-infra:aws": CONFIG,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"Pulumi.{STACK}.yaml"
        file.write_text(json.dumps({"config": config}), encoding="utf-8")
        return declare(STACK, file)


def one(resources: list[Declared], kind: str, name: str) -> Mapping[str, Any]:
    """Inputs of the only resource of a kind and name."""
    (found,) = [e for e in resources if e.type.endswith(f":{kind}") and e.name == name]
    return found.inputs


def write_cells(folder: Path, *, broken: int = 0) -> int:
    """Raw CSV files of the Wisconsin breast cancer data, by day; the number of rows.

    The second file brings the first rows again with other values, as a correction does.
    """
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame.columns = [str(name).replace(" ", "_") for name in frame.columns]
    frame = frame.rename(columns={"target": "benign"})
    frame.insert(0, "id", range(2**53 + 1, 2**53 + 1 + len(frame)))
    frame["day"] = [f"2026-11-{1 + number % 4:02}" for number in range(len(frame))]
    frame = frame[["id", *COLUMNS, "benign", "day"]]
    folder.mkdir(parents=True)
    first = frame.astype(str)
    first.loc[: broken - 1, "mean_area"] = "n/a"
    first.to_csv(folder / "a.csv", index=False)
    again = frame.head(10).assign(mean_texture=1.5)
    again.to_csv(folder / "b.csv", index=False)
    os.utime(folder / "a.csv", (1_700_000_000, 1_700_000_000))
    return len(frame) + len(again)
