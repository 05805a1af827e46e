"""Clusters that take tasks: Dask, Ray and Spark. No other file knows of them.

Each gives a task whose worker was lost to another worker, and gives a task up that has lost its
workers several times. joblib's backend for Dask does not: it waits for ever for a task whose worker
has died. So tasks are handed over here.
"""

import os
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from secrets import token_hex
from typing import Any, Literal, get_args

from .errors import UsageError
from .libraries import how_to_install

EngineName = Literal["local", "dask", "ray", "spark"]
LOCAL: EngineName = "local"
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
# How often a task is given to another worker after it has lost one.
RETRIES = 3
# Tasks that are handed over at a time, for each worker: so many that it need not wait for more.
AHEAD = 4
# Seconds that a scheduler has to answer, and that a cluster may be without any worker.
PATIENCE = 60
# The size of Ray's store of objects where it is started here: tasks return little.
STORE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True)
class Engine:
    """A cluster that is open.

    Args:
        name: Of the engine.
        workers: How many tasks it works on at a time.
        submit: Hands a call over, as a function and its arguments, and returns a handle.
        first: Waits until some of the handles are done, and returns them.
        fetch: Returns the result of a handle; raises where its worker was lost too often.
        cancel: Gives handles up.
    """

    name: EngineName
    workers: int
    submit: Callable[..., Any]
    first: Callable[[list[Any]], Sequence[Any]]
    fetch: Callable[[Any], Any]
    cancel: Callable[[list[Any]], None]

    def run(
        self, call: Callable[..., Any], pieces: Sequence[tuple[Any, ...]], jobs: int | None
    ) -> Generator[tuple[int, Any]]:
        """Call a function with many arguments; yield the numbers of the pieces, and the results.

        Args:
            call: The function.
            pieces: The arguments of each call.
            jobs: How many at a time; None: as many as there are workers.

        Raises:
            UsageError: A piece was given up.
        """
        most = jobs or AHEAD * self.workers
        left, running = iter(enumerate(pieces)), dict[Any, int]()
        try:
            while True:
                while len(running) < most and (piece := next(left, None)) is not None:
                    running[self.submit(call, *piece[1])] = piece[0]
                if not running:
                    return
                for handle in self.first(list(running)):
                    yield running.pop(handle), self._fetched(handle)
        finally:
            if running:
                self.cancel(list(running))

    def _fetched(self, handle: Any) -> Any:
        try:
            return self.fetch(handle)
        except Exception as error:
            raise UsageError(
                f"{self.name} gave up a task: {_brief(error)}",
                "Look into the logs of the workers: one may be short of memory, or lack "
                "forecast-cli. Finished tasks are kept where the command can be resumed.",
            ) from error


def current_engine() -> Engine | None:
    """Return the engine that is open; None where tasks run on this machine."""
    return _OPEN[-1] if _OPEN else None


@contextmanager
def open_engine(
    name: EngineName = LOCAL, address: str | None = None, jobs: int | None = None
) -> Iterator[Engine | None]:
    """Open an engine, which takes all tasks of the block.

    Args:
        name: Of the engine; `local` for none.
        address: Of a cluster that runs; None starts one on this machine for the block.
        jobs: How many workers one that is started has, or processes of this machine take tasks;
            None: one for each core.

    Raises:
        UsageError: It is not installed, or does not answer.
    """
    if name == LOCAL:
        if address is not None:
            raise UsageError(
                "`engine_address` is that of a cluster, and `engine=local` has none.",
                "Pass `engine=dask`, `engine=ray` or `engine=spark`, or leave the address out.",
            )
        if jobs is None:
            yield None
            return
        from joblib import parallel_config

        # The tasks that are not given another number are taken by so many processes.
        with parallel_config(n_jobs=jobs):
            yield None
        return
    module, opened = OPENED[name]
    if find_spec(module) is None:
        raise UsageError(f"`engine={name}` needs {module}, which is not installed.",
                         how_to_install(name))  # fmt: skip
    with opened(address, jobs or os.cpu_count() or 1) as engine:
        _OPEN.append(engine)
        try:
            yield engine
        finally:
            _OPEN.remove(engine)


@contextmanager
def _open_dask(address: str | None, jobs: int) -> Iterator[Engine]:
    import logging

    from distributed import Client, wait

    # What it tells of workers that were lost is repeated in the error, if there is one.
    for name in [
        each for each in logging.root.manager.loggerDict if each.startswith("distributed")
    ]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    quiet = {"dashboard_address": None, "silence_logs": logging.CRITICAL}
    own = {"address": address, "timeout": PATIENCE}
    started = {"n_workers": jobs, "threads_per_worker": 1, **quiet}
    with _answering("dask", address):
        client = Client(**(started if address is None else own))
    with client:
        _require_workers(client)

        def first(handles: list[Any]) -> Sequence[Any]:
            seen = time.monotonic()
            while True:
                try:
                    return list(wait(handles, PATIENCE / 10, "FIRST_COMPLETED").done)
                except TimeoutError:
                    if client.nthreads():
                        seen = time.monotonic()
                    elif time.monotonic() - seen > PATIENCE:
                        _require_workers(client, PATIENCE / 10)

        yield Engine(
            "dask",
            sum(client.nthreads().values()),
            lambda *call: client.submit(*call, pure=False, retries=RETRIES),
            first,
            lambda handle: handle.result(),
            client.cancel,
        )


def _require_workers(client: Any, patience: float = PATIENCE) -> None:
    """Wait for a worker of Dask, so many seconds; a UsageError where none has come."""
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        raise UsageError(
            f"The Dask scheduler at {client.scheduler.address} has no workers.",
            "Start some, e.g. dask worker ADDRESS, and repeat the same command.",
        ) from None


@contextmanager
def _open_ray(address: str | None, jobs: int) -> Iterator[Engine]:
    # Set before it is loaded: its workers end with this process, and report nothing to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        # One that is started here has a secret of its own, which is written nowhere.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}
    import ray

    own: dict[str, Any] = {} if address else {
        "num_cpus": jobs, "include_dashboard": False, "object_store_memory": STORE_BYTES,
    }  # fmt: skip
    with _answering("ray", address):
        # By default it takes the address of the environment.
        ray.init(address or "local", logging_level="ERROR", log_to_driver=False, **own)
    remote = ray.remote(max_retries=RETRIES, num_cpus=1)(_call)

    def cancel(handles: list[Any]) -> None:
        for each in handles:
            ray.cancel(each, force=True)

    try:
        yield Engine(
            "ray",
            max(1, int(ray.cluster_resources().get("CPU", 1))),
            remote.remote,
            lambda handles: ray.wait(handles, num_returns=1)[0],
            ray.get,
            cancel,
        )
    finally:
        ray.shutdown()


@contextmanager
def _open_spark(address: str | None, jobs: int) -> Iterator[Engine]:
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    from pyspark.sql import SparkSession

    # A local Spark gives no task to another worker unless its master says so.
    builder = SparkSession.builder.master(address or f"local[{jobs},{RETRIES + 1}]")
    builder = builder.appName("forecast").config("spark.ui.enabled", "false")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    with _answering("spark", address), warnings.catch_warnings():
        # It warns of the version of pandas, which no task of ours goes through.
        warnings.simplefilter("ignore", FutureWarning)
        context = builder.config("spark.log.level", "ERROR").getOrCreate().sparkContext
    count = max(1, context.defaultParallelism)

    def submit(*call: Any) -> Any:
        return pool.submit(lambda: context.parallelize([call], 1).map(_apply).collect()[0])

    def cancel(handles: list[Any]) -> None:
        for each in handles:
            each.cancel()
        context.cancelAllJobs()

    with ThreadPoolExecutor(AHEAD * count) as pool:
        try:
            yield Engine(
                "spark",
                count,
                submit,
                lambda handles: list(wait(handles, return_when=FIRST_COMPLETED).done),
                lambda handle: handle.result(),
                cancel,
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            context.stop()


def _call(call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def _apply(call: tuple[Any, ...]) -> Any:
    return call[0](*call[1:])


@contextmanager
def _answering(name: EngineName, address: str | None) -> Iterator[None]:
    """Turn what an engine raises when it does not start, or answer, into an error for the user."""
    try:
        yield
    except Exception as error:
        where = f"at {address} does not answer" if address else "does not start"
        raise UsageError(
            f"{name} {where}: {_brief(error)}",
            "Check the address, and that the cluster runs." if address else
            "Pass the address of one that runs with `engine_address`.",
        ) from error  # fmt: skip


def _brief(error: BaseException) -> str:
    """Return the first line of what an engine says."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]


# What is imported, and what opens it, by the name of the engine.
OPENED: dict[EngineName, tuple[str, Callable[..., Any]]] = {
    "dask": ("distributed", _open_dask),
    "ray": ("ray", _open_ray),
    "spark": ("pyspark", _open_spark),
}
_OPEN: list[Engine] = []
