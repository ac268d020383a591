"""Start a cluster's supervisor so that it outlives the command that asked for it.

`python -m mlops_infra.cluster.supervision.detached_start FOLDER NAME [CGROUP]` forks, prints the
child's process id and ends. The child leaves the terminal's session and, where CGROUP is given,
moves to that group and becomes `unshare`, which makes the namespaces and starts the supervisor as
process 1 in them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mlops_infra import contract
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import cgroups

NAMESPACES = (
    "--mount", "--propagation", "slave", "--net", "--uts", "--ipc", "--cgroup",
    "--pid", "--fork", "--kill-child=SIGKILL",
)  # fmt: skip
"""`slave`: what the host unmounts later is unmounted in the cluster too, never kept busy by it."""


def main(folder: str, name: str, cgroup: str = "") -> None:
    """Fork, become a daemon, exec."""
    layout = Layout(name, Path(folder))
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        print(pid, flush=True)  # noqa: T201 - read by `control.launch`, not by a person
        return
    os.setsid()
    os.chdir("/")
    os.umask(0o022)
    log = os.open(layout.log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    supervisor = [sys.executable, "-I", "-c", _BOOT, folder, name]
    try:
        if cgroup:
            cgroups.enter(cgroup)
            supervisor = ["unshare", *NAMESPACES, *supervisor]
        os.environ[contract.PACKAGE_VARIABLE] = str(Path(__file__).parents[3])
        os.execvp(supervisor[0], supervisor)  # noqa: S606 - no shell is meant
    except OSError as error:
        os.write(2, f"the supervisor could not be started: {error}\n".encode())
    finally:
        os._exit(127)


_BOOT = (
    f"import os, sys; sys.path.append(os.environ.pop('{contract.PACKAGE_VARIABLE}'));"
    "from mlops_infra.cluster.supervision.supervisor import main; main(*sys.argv[1:])"
)
"""Isolated mode keeps the user's environment out of a process that runs for weeks as root."""
