"""The veth pair that joins the host and the node, and what the node's own network needs.

`ip` is the one of the node's image, run with that image as its root: no program of the host is
needed and its version never matters.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from mlops_infra.cluster.instance import addresses
from mlops_infra.errors import MissingError, OperationFailed

INSIDE = "eth0"
"""Name of the node's end."""
LINKS = Path("/sys/class/net")


def run_in(root: Path, *command: str, given: str | None = None) -> str:
    """Run a program of the node's image with `root` as its root folder; returns its output.

    Raises:
        OSError: `chroot` (coreutils) could not be started.
        subprocess.CalledProcessError: it failed; `stderr` says why.
    """
    done = subprocess.run(
        ("chroot", str(root), *command),
        input=given,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )
    return done.stdout


def exists(link: str) -> bool:
    """Whether the host has this interface now."""
    return (LINKS / link).exists()


def join(enter: Sequence[str], root: Path, *, link: str, slot: int) -> None:
    """Make the pair, give the host's end its address, put the other into the node's space.

    Args:
        enter: command prefix that runs `ip` of the node in the host's network, with the node's
            /proc in sight: process 1 there is the supervisor.
        root: an unpacked node image.
        link: name of the host's end.
        slot: which network of `addresses.POOL`.

    Raises:
        MissingError: the kernel has no veth, or this process may not make one.
        OperationFailed: the address could not be given.
    """
    host = f"{addresses.host_address(slot)}/30"
    make = ("ip", "link", "add", link, "type", "veth", "peer", "name", INSIDE, "netns", "1")
    done = subprocess.run((*enter, *make), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MissingError(
            f"no veth pair can be created on this machine: {done.stderr.strip()}",
            where=f"interface {link}",
            hint="load the kernel module veth, or use: mlops-infra cluster start --simulated",
        )
    try:
        run_in(root, "ip", "address", "add", host, "dev", link)
        run_in(root, "ip", "link", "set", link, "up")
    except subprocess.CalledProcessError as error:
        raise OperationFailed(
            f"the host's interface cannot have the address {host}: {error.stderr.strip()}",
            where=f"interface {link}",
            hint="find its owner with `ip address`, then start again",
        ) from error


def gone(link: str, patience: float) -> bool:
    """Wait until the kernel took the pair away with the node's namespace."""
    deadline = time.monotonic() + patience
    while exists(link):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def remove(root: Path | None, link: str, patience: float = 5.0) -> bool:
    """Take away a pair whose cluster is dead; True when nothing is left.

    The kernel does it by itself with the namespace, mostly at once, but while connections of killed
    processes wind down it may take seconds.
    """
    if gone(link, 0.2):
        return True
    try:
        if root is not None and (root / "usr").is_dir():
            run_in(root, "ip", "link", "delete", link)
        else:
            subprocess.run(["ip", "link", "delete", link], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return gone(link, patience)
    return gone(link, patience)


def configure_inside(root: Path, *, slot: int, patience: float = 15.0) -> None:
    """In the node: wait for the pair's end, give it its address, forward between Pods.

    Nothing is routed to the outside: a Pod that tries to reach the internet is told so at once
    instead of hanging. Service addresses need a route for the node's own processes only; kube-proxy
    rewrites them before they leave.

    Raises:
        TimeoutError: the host never put the pair's end here.
        OSError, subprocess.CalledProcessError: the network could not be set up.
    """
    run_in(root, "ip", "link", "set", "lo", "up")
    deadline = time.monotonic() + patience
    while not _inside():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{INSIDE} did not appear within {patience:.0f} s")
        time.sleep(0.01)
    batch = (
        f"address add {addresses.node_address(slot)}/30 dev {INSIDE}\n"
        f"link set {INSIDE} up\n"
        f"route add {addresses.SERVICES} via {addresses.host_address(slot)} dev {INSIDE}\n"
        "route add unreachable default\n"
    )
    run_in(root, "ip", "-batch", "-", given=batch)


def _inside() -> bool:
    # /sys still shows the host's interfaces here; /proc/self/net follows this process
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()
    return any(line.strip().startswith(f"{INSIDE}:") for line in lines)


def sysctls(proc: Path) -> bool:
    """Forward, and let bridged packets pass iptables; False where the kernel has no br_netfilter.

    The module is never loaded from here: it would change how the host's own bridges behave.
    """
    net = proc / "sys/net"
    (net / "ipv4/ip_forward").write_text("1", encoding="ascii")
    if not (net / "bridge").is_dir():
        return False
    # IPv6 too: Pods of one bridge could reach each other by link-local addresses, past every wall
    for family in ("iptables", "ip6tables"):
        (net / f"bridge/bridge-nf-call-{family}").write_text("1", encoding="ascii")
    return True
