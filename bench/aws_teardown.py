"""Time of a teardown on AWS against the number of resources, on the emulator.

``python -m bench.aws_teardown`` prints a table. The emulator answers in a millisecond where AWS
takes fifty, and its endpoints and crawlers stop at once: the figures tell how the number of calls
grows with the number of things, not how long AWS takes. Pulumi's own destroy is not in it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from mlops_infra.aws import Cloud
from mlops_infra.progress import quiet
from mlops_infra.teardown.aws import buckets
from mlops_infra.teardown.aws.down import take_apart
from tests.engine import aws_platform as platform
from tests.engine.aws_emulator import emulator

SIZES = (10, 50, 200)
"""Resources: a third each of busy crawlers, registered packages and stray endpoints."""
VERSIONS = 2_000


def main() -> int:
    """Measure and print; 0 where nothing was left."""
    print("resources   seconds   per resource")
    for size, seconds in measure(SIZES).items():
        print(f"{size:>9}   {seconds:>7.2f}   {seconds / size * 1000:>9.0f} ms")
    seconds = bucket_seconds()
    print(f"{VERSIONS} versions in a bucket: {seconds:.2f} s, {VERSIONS / seconds:.0f} a second")
    return 0


def figures() -> dict[str, float]:
    """For the table of measures."""
    small, large = SIZES[0], SIZES[-1]
    seconds = measure((small, large))
    return {
        "aws_teardown_small": seconds[small],
        "aws_teardown_large": seconds[large],
        "aws_versions": VERSIONS / bucket_seconds(),
    }


def measure(sizes: tuple[int, ...]) -> dict[int, float]:
    """Number of resources to seconds until they are gone and looked for."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as server:
        take_apart(server.cloud(), platform.Platform(server.cloud()).scope(), lambda _: 0, quiet)
        for size in sizes:
            server.reset()
            made = _platform(server.cloud(), size)
            started = time.monotonic()
            done = take_apart(server.cloud(), made.scope(), made.destroy, quiet, purge=True)
            found[size] = time.monotonic() - started
            if done.leftovers:
                raise SystemExit(f"left: {done.leftovers}")
    return found


def bucket_seconds(versions: int = VERSIONS) -> float:
    """Seconds to empty a versioned bucket; some of what is in it are delete markers."""
    bucket = f"{platform.BASE}-raw"
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as server:
        cloud = server.cloud()
        cloud.call("s3", "create_bucket", Bucket=bucket)
        on = {"Status": "Enabled"}
        cloud.call("s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration=on)
        platform.fill(
            cloud, bucket, versions * 2 // 5
        )  # two versions each, a marker on each second
        made = platform.Platform(cloud)
        made.record("aws:s3/bucket:Bucket", bucket, lambda: None)
        started = time.monotonic()
        buckets.empty(cloud, made.scope().made, quiet)
        return time.monotonic() - started


def _platform(cloud: Cloud, size: int) -> platform.Platform:
    made = platform.Platform(cloud)
    third = max(size // 3, 1)
    for number in range(third):
        platform.crawler(made, f"{platform.BASE}-{number}")
    platform.registry(made, packages=third)
    platform.endpoints(made, third)
    return made


if __name__ == "__main__":
    sys.exit(main())
