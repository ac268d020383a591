"""A machine of a closed network, made on this one: nothing leads out of it, and trying is seen.

Its own network namespace has a default route into an interface that nobody is behind. So a program
that wants out is not refused at once, which nothing could count: its packets leave by that
interface, where they are counted and read. Its own mount namespace hides the checkout, caches and
homes of this machine behind empty folders.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

OUT = "out"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SETUP = f"""
ip link set lo up
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
ip link add {OUT} type veth peer name nobody
ip addr add 192.0.2.2/24 dev {OUT}
ip link set {OUT} arp off
ip link set nobody up
ip link set {OUT} up
ip route add default via 192.0.2.1 dev {OUT}
kept=$(mktemp -d)
mount --rbind /sys/fs/cgroup "$kept"
umount --recursive --lazy /sys
mount -t sysfs sysfs /sys
mount --move "$kept" /sys/fs/cgroup
rmdir "$kept"
for folder in "$@"; do mount -t tmpfs -o size=1m hidden "$folder"; done
exec "$WATCHER" -Ic "$WATCH"
"""
"""sysfs shows the interfaces of the namespace that mounted it, so it is mounted again; the cgroup
hierarchies below it are kept."""

_WATCH = f"""
import select, socket, struct, sys
seen = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
seen.bind(({OUT!r}, 0))
print("watching", flush=True)
while True:
    ready, _, _ = select.select([seen, sys.stdin], [], [])
    if sys.stdin in ready:
        break
    packet, about = seen.recvfrom(65535)
    if about[2] != socket.PACKET_OUTGOING or packet[0] >> 4 != 4:
        continue
    rest = packet[(packet[0] & 15) * 4:]
    port = struct.unpack("!H", rest[2:4])[0] if packet[9] in (6, 17) else 0
    told = b""
    if packet[9] == 17 and port == 53:
        told, at = b"", 20
        while at < len(rest) and 0 < rest[at] < 64:
            told, at = told + rest[at + 1:at + 1 + rest[at]] + b".", at + 1 + rest[at]
    target = ".".join(str(each) for each in packet[16:20])
    print(packet[9], f"{{target}}:{{port}}", told.decode("ascii", "replace"), flush=True)
"""
"""One line for each packet that leaves: protocol, address, and the name where it is a question."""


class ClosedSite:
    """The machine, for the time of a `with`."""

    def __init__(self, folder: Path, hidden: Sequence[Path] = ()) -> None:
        self.home = folder / "home"
        self.log = folder / "left.txt"
        self._hidden = [str(each) for each in hidden if each.is_dir()]
        self.env = {
            "HOME": str(self.home),
            "PATH": PATH,
            "LANG": "C.UTF-8",
        }

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True)
        base = str(getattr(sys, "_base_executable", sys.executable))
        with self.log.open("w") as log:
            self._watcher = subprocess.Popen(
                [*("unshare", "--net", "--mount", "--propagation", "private"),
                 *("sh", "-euc", _SETUP, "sh", *self._hidden)],
                stdin=subprocess.PIPE,
                stdout=log,
                env={**self.env, "WATCH": _WATCH, "WATCHER": base},
            )  # fmt: skip
        while "watching" not in self.log.read_text():
            if self._watcher.poll() is not None:
                raise RuntimeError("the closed machine could not be made")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
        self._watcher.wait(10)

    def processes(self) -> dict[int, str]:
        """What runs on it beside the watcher: process id to program."""
        network = Path(f"/proc/{self._watcher.pid}/ns/net").readlink()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "ns/net").readlink() == network:
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
            except OSError:
                continue  # it has ended
        found.pop(self._watcher.pid)
        return found

    def command(self, *words: str) -> list[str]:
        return [
            *("nsenter", "--target", str(self._watcher.pid), "--net", "--mount"),
            f"--wd={self.home}",
            *words,
        ]

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command(*words), env=self.env, text=True, **options)

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, timeout: float = 3600
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def shell(self, script: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a script as a person types it, stopping at the first command that fails."""
        return self.run("bash", "-euo", "pipefail", "-c", script, **options)

    def packets(self) -> int:
        """How many have left, by the kernel's own counter."""
        told = self.run("cat", "/proc/self/net/dev").stdout
        line = next(line for line in told.splitlines() if line.strip().startswith(f"{OUT}:"))
        return int(line.partition(":")[2].split()[9])

    def left(self) -> list[str]:
        """What the packets wanted, one line each."""
        return self.log.read_text().splitlines()[1:]


def lacking() -> str | None:
    """Why no such machine can be made here that runs this Python; None where it can."""
    if os.geteuid() != 0:
        return "a closed machine needs root"
    for program in ("ip", "unshare", "nsenter", "openssl"):
        if shutil.which(program, path=PATH) is None:
            return f"a closed machine needs {program}"
    told = "import ensurepip, sys; print(*sys.version_info[:2])"
    python = shutil.which("python3", path=PATH) or "/nowhere"
    done = subprocess.run([python, "-Ic", told], capture_output=True, text=True, check=False)
    if done.stdout.split() != [str(number) for number in sys.version_info[:2]]:
        return "the system's Python is another one, or has no venv"
    return None


def hidden_here(root: Path) -> list[Path]:
    """What a fresh machine has not: the checkout, caches, Go's modules."""
    home = Path.home()
    return [root, home / ".cache", home / ".local", home / "go"]
