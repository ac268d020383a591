"""`mlops-infra bundle`: everything that an environment needs, carried into a closed network.

Each command has a file of its own, which imports nothing heavy before it runs.
"""

from __future__ import annotations

import click

from mlops_infra.cli.bundle.build import build
from mlops_infra.cli.bundle.diff import diff
from mlops_infra.cli.bundle.discover import discover
from mlops_infra.cli.bundle.inspect import inspect
from mlops_infra.cli.bundle.install import install
from mlops_infra.cli.bundle.key import key
from mlops_infra.cli.bundle.licences import licences
from mlops_infra.cli.bundle.lock import lock
from mlops_infra.cli.bundle.prune import command as prune
from mlops_infra.cli.bundle.push import command as push
from mlops_infra.cli.bundle.receipt import command as receipt
from mlops_infra.cli.bundle.remove import remove
from mlops_infra.cli.bundle.sbom import sbom
from mlops_infra.cli.bundle.serve import command as serve
from mlops_infra.cli.bundle.split import split
from mlops_infra.cli.bundle.verify import verify


@click.group(name="bundle")
def command() -> None:
    """Lock, build, verify, push and install offline bundles.

    With network access: lock, build. Then carry the folder or its volumes across. In the closed
    network: verify, install, push or serve. A bundle is an OCI image layout with wheels, charts,
    plugins and binaries beside it; any tool that reads such layouts can read it.

    Exit codes: 0 done; 1 a registry, the disk or a build failed; 2 the input is wrong; 3 the
    bundle is damaged, unsigned, or lacks something; 4 something is missing on this machine; 130
    interrupted; the next run continues.
    """


_OPEN_SIDE = (discover, lock, build, split, key)
_EITHER_SIDE = (verify, inspect, licences, sbom, diff)
_CLOSED_SIDE = (push, serve, prune, receipt, install, remove)
for _each in (*_OPEN_SIDE, *_EITHER_SIDE, *_CLOSED_SIDE):
    command.add_command(_each)
