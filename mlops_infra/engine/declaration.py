"""What the program declares, without Pulumi's engine, a plug-in, credentials or a network.

The program runs under the SDK's own mock monitor. What only AWS knows (an ARN, an address) is a
stand-in text, so this tells which resources there would be and what they are asked to be, and
nothing about what is there today.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks
from pulumi.runtime.stack import run_pulumi_func

from mlops_infra.errors import MlopsError, OperationFailed

_THREADS = 16
_MADE_UP = (
    "address",
    "apiEndpoint",
    "arn",
    "endpoint",
    "executionArn",
    "invokeArn",
    "keyId",
    "prefixListId",
    "primaryEndpointAddress",
    "repositoryUrl",
    "stageUrl",
    "trackingServerUrl",
    "url",
)
"""Outputs that AWS makes up and our program reads."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource that the program asks for."""

    type: str
    """Pulumi's token, for example `aws:s3/bucket:Bucket`."""
    name: str
    inputs: Mapping[str, Any]
    """As the engine would get them; texts in braces stand for what only AWS knows."""
    protect: bool

    @property
    def resource(self) -> bool:
        """Whether it is a resource of AWS, not a component of ours or a provider."""
        return self.type.startswith("aws:")


def declared(
    program: Callable[[], None], *, stack: str, values: Mapping[str, str]
) -> list[Declared]:
    """Everything that `program` registers.

    Args:
        program: `stacks.program.program`.
        stack: its stack's name.
        values: the stack's configuration, keys with namespace, objects as JSON text.

    Raises:
        MlopsError: the program refuses its configuration.
        OperationFailed: the program failed in another way.
    """
    monitor = _Recorder()
    try:
        in_own_thread(lambda: _run(program, monitor, stack, values))
    except BaseException as error:
        raise _told(error) from error
    return monitor.declared()


def in_own_thread(run: Callable[[], None]) -> None:
    """Run to the end; what it raises is raised here.

    The SDK keeps its settings in context variables: those of one program must not reach the next.
    """
    failure: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=guarded, name="recording")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


class _Answers(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        kind = args.typ.rpartition(":")[2]
        known = {each: f"{{{kind} {args.name} {each}}}" for each in _MADE_UP}
        service = args.typ.partition(":")[2].partition("/")[0]
        known["arn"] = f"arn:aws:{service}:::{kind}/{args.name}"
        return f"{args.name}-id", {**known, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise OperationFailed(f"the program requests {args.token} from AWS during a dry run")


class _Recorder(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Answers())
        self._requests: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        with self._lock:
            self._requests.append(MessageToDict(request))
        answer: Any = super()
        return answer.RegisterResource(request)

    def declared(self) -> list[Declared]:
        found = [
            Declared(each["type"], each["name"], each.get("object", {}), bool(each.get("protect")))
            for each in self._requests
        ]
        return sorted(found, key=lambda each: (each.type, each.name))


def _run(
    program: Callable[[], None], monitor: _Recorder, stack: str, values: Mapping[str, str]
) -> None:
    with event_loop() as loop:
        mocks.set_mocks(_Answers(), project="mlops-infra", stack=stack, monitor=monitor)
        pulumi.runtime.set_all_config(dict(values))
        with _without_callbacks():
            loop.run_until_complete(run_pulumi_func(program))


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop for the SDK's mocks in this thread; its workers and their loops end with it."""
    loops = [asyncio.new_event_loop()]

    def worker() -> None:
        # the mocks would open a loop in each of these threads and never close it
        mine = asyncio.new_event_loop()
        loops.append(mine)
        asyncio.set_event_loop(mine)

    asyncio.set_event_loop(loops[0])
    pool = concurrent.futures.ThreadPoolExecutor(_THREADS, initializer=worker)
    loops[0].set_default_executor(pool)
    try:
        yield loops[0]
    finally:
        # a program that failed leaves calls under way, and each may still start a worker
        pool.shutdown(cancel_futures=True)
        asyncio.set_event_loop(None)
        for each in loops:
            each.close()


@contextmanager
def _without_callbacks() -> Iterator[None]:
    """No server calls a transform back here; what they add (tags, protection) is not needed."""
    runtime: Any = pulumi.runtime
    before = runtime.register_resource_transform
    runtime.register_resource_transform = lambda _transform: None
    try:
        yield
    finally:
        runtime.register_resource_transform = before


def _told(error: BaseException) -> BaseException:
    if isinstance(error, MlopsError | KeyboardInterrupt):
        return error
    cause = error.__cause__
    if isinstance(cause, MlopsError):
        return cause
    return OperationFailed(
        f"the program fails before any request to AWS: {error}",
        where=Path(__file__).name,
        hint="see the mistakes of the configuration: mlops-infra check",
    )
