"""Clusters that take tasks: Dask, Ray and Spark. No other file knows of them.

Each gives a task whose worker was lost to another worker, and gives a task up that has lost its
workers several times. joblib's backend for Dask does not: it waits for ever for a task whose worker
has died. So tasks are handed over here.
"""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from secrets import token_hex
from typing import Any, Literal, get_args

from .errors import UsageError
from .events import Listener, Note, ignore
from .libraries import how_to_install, native_stderr_silenced
from .tidying import tidied

EngineName = Literal["local", "dask", "ray", "spark"]
LOCAL: EngineName = "local"
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
# How often a task is given to another worker after it has lost one.
RETRIES = 3
# Tasks that are handed over at a time, for each worker: so many that it need not wait for more.
AHEAD = 4
# Seconds that a scheduler has to answer, and that a cluster may be without any worker.
PATIENCE = 60
# Seconds until a cluster that has not answered is waited for with a note.
SILENCE = 5
# Seconds that a worker of a cluster that was started here has to end its task when it is closed.
GRACE = 0.5
# What a terminal sends to all processes of a command: Ctrl-C, and SIGHUP when it is closed.
FROM_TERMINALS = {signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)}
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
    name: EngineName = LOCAL,
    address: str | None = None,
    jobs: int | None = None,
    on_event: Listener = ignore,
) -> Iterator[Engine | None]:
    """Open an engine, which takes all tasks of the block.

    The processes of one that is started here leave Ctrl-C to this one, and end with it.

    Args:
        name: Of the engine; `local` for none.
        address: Of a cluster that runs; None starts one on this machine for the block.
        jobs: How many workers one that is started has, or processes of this machine take tasks;
            None: one for each core.
        on_event: Notified, from another thread, where a cluster takes long to answer.

    Raises:
        UsageError: It is not installed, or does not answer.
    """
    if name == LOCAL:
        with _processes(address, jobs):
            yield None
        return
    module, opened = OPENED[name]
    if find_spec(module) is None:
        raise UsageError(f"`engine={name}` needs {module}, which is not installed.",
                         how_to_install(name))  # fmt: skip
    with ExitStack() as closing, opened(address, jobs or os.cpu_count() or 1, on_event) as engine:
        _OPEN.append(engine)
        try:
            yield engine
        finally:
            _OPEN.remove(engine)
            if address is None:
                closing.enter_context(_uninterrupted())


@contextmanager
def _processes(address: str | None, jobs: int | None) -> Iterator[None]:
    """Let so many processes of this machine take the tasks that are not given another number."""
    if address is not None:
        raise UsageError(
            "`engine_address` is that of a cluster, and `engine=local` has none.",
            "Pass `engine=dask`, `engine=ray` or `engine=spark`, or leave the address out.",
        )
    if jobs is None:
        yield
        return
    from joblib import parallel_config

    with parallel_config(n_jobs=jobs):
        yield


@contextmanager
def _open_dask(address: str | None, jobs: int, on_event: Listener) -> Iterator[Engine]:
    import logging

    from distributed import Client, wait

    # What it tells of workers that were lost is repeated in the error, if there is one.
    for name in [
        each for each in logging.root.manager.loggerDict if each.startswith("distributed")
    ]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with _dask_cluster(address, jobs) as cluster:
        with _noted("dask", address, on_event):
            with _answering("dask", address):
                client = Client(cluster, timeout=PATIENCE)
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

        with client:
            yield Engine(
                "dask",
                sum(client.nthreads().values()),
                lambda *call: client.submit(*call, pure=False, retries=RETRIES),
                first,
                lambda handle: handle.result(),
                client.cancel,
            )


@contextmanager
def _dask_cluster(address: str | None, jobs: int) -> Iterator[Any]:
    """Yield the address of a cluster of Dask; without one, a cluster of this machine."""
    if address is not None:
        yield address
        return
    import asyncio
    import logging

    import dask
    from distributed import LocalCluster, Nanny

    class PromptNanny(Nanny):  # type: ignore[misc]
        """Ends its worker soon, also within a task."""

        async def kill(self, timeout: float = 5, reason: str = "nanny-kill") -> None:
            worker = self.process and self.process.process

            def end() -> None:
                if worker is not None and worker.is_alive():
                    worker.kill()

            asyncio.get_running_loop().call_later(GRACE, end)
            await super().kill(timeout, reason)

    with _own_folder(address) as folder:
        own = dask.config.set({"temporary-directory": folder})
        with own, _answering("dask", address), _without_signals():
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                worker_class=PromptNanny,
                # It serves figures over HTTP in any case: at a free port, to this machine alone.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
        with cluster:
            yield cluster


def _require_workers(client: Any, patience: float = PATIENCE) -> None:
    """Wait for a worker of Dask, so many seconds; a UsageError where none has come."""
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        if client.cluster is not None:
            raise UsageError(
                "The workers of Dask that were started on this machine have ended.",
                "The machine may be short of memory: pass a smaller number of `jobs`, and repeat "
                "the same command.",
            ) from None
        raise UsageError(
            f"The Dask scheduler at {client.scheduler.address} has no workers.",
            "Start some, e.g. dask worker ADDRESS, and repeat the same command.",
        ) from None


@contextmanager
def _open_ray(address: str | None, jobs: int, on_event: Listener) -> Iterator[Engine]:
    # Set before it is loaded: its workers end with this process, and report nothing to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        # One that is started here has a secret of its own, which is written nowhere.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}
    import ray

    def cancel(handles: list[Any]) -> None:
        # A cluster that was started here ends with its tasks; and where one is cancelled in the
        # moment when it is done, Ray ends this process.
        for each in handles if address else ():
            ray.cancel(each, force=True)

    # Where this process is left at once, the folder is removed first, and its workers end then.
    within = "/tmp" if os.path.isdir("/tmp") else None
    with tidied(_end_raylets), _own_folder(address, within) as folder:
        own: dict[str, Any] = {} if address else {
            "num_cpus": jobs, "include_dashboard": False, "object_store_memory": STORE_BYTES,
            "_temp_dir": folder,
        }  # fmt: skip
        try:
            with _noted("ray", address, on_event), _answering("ray", address), _without_signals():
                # By default it takes the address of the environment.
                ray.init(address or "local", logging_level="ERROR", log_to_driver=False, **own)
            yield Engine(
                "ray",
                max(1, int(ray.cluster_resources().get("CPU", 1))),
                ray.remote(max_retries=RETRIES, num_cpus=1)(_call).remote,
                lambda handles: ray.wait(handles, num_returns=1)[0],
                ray.get,
                cancel,
            )
        finally:
            # What becomes of tasks that it still had is no news.
            with native_stderr_silenced():
                ray.shutdown()


def _end_raylets() -> None:
    """End what Ray's processes have started, which would outlive them by a minute.

    Nothing of it is left where Ray was shut down.
    """
    # Ray brings it along.
    import psutil

    with native_stderr_silenced():
        for each in psutil.Process().children():
            for worker in each.children(recursive=True) if each.name() == "raylet" else ():
                worker.kill()


@contextmanager
def _open_spark(address: str | None, jobs: int, on_event: Listener) -> Iterator[Engine]:
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    from pyspark.sql import SparkSession

    # A local Spark gives no task to another worker unless its master says so.
    builder = SparkSession.builder.master(address or f"local[{jobs},{RETRIES + 1}]")
    builder = builder.appName("forecast").config("spark.ui.enabled", "false")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    noted, own = _noted("spark", address, on_event), _without_signals()
    with noted, _answering("spark", address), own, warnings.catch_warnings():
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
def _own_folder(address: str | None, within: str | None = None) -> Iterator[str | None]:
    """Make a temporary folder for the block, where a cluster is started here; None otherwise.

    Args:
        address: Of a cluster that runs.
        within: Where: the paths of Ray's sockets must be short, and those of some systems are long.
    """
    if address is not None:
        yield None
        return
    import shutil
    from tempfile import mkdtemp

    folder = mkdtemp(prefix="forecast-", dir=within)
    with tidied(lambda: shutil.rmtree(folder, ignore_errors=True)):
        yield folder


@contextmanager
def _without_signals() -> Iterator[None]:
    """Keep the signals of a terminal from what is started in the block, or by a thread of it.

    This process decides when the others end. What a thread blocks is blocked in all that it starts.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # A process that is left at once does not tell it what it has removed with itself.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    # It unblocks signals in the thread that starts it, and is started for the first process.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FROM_TERMINALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Take no signal of a terminal: one that cuts the end of a cluster off leaves its processes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in FROM_TERMINALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)


@contextmanager
def _noted(name: EngineName, address: str | None, on_event: Listener) -> Iterator[None]:
    """Say after some seconds what is waited for."""
    what = f"{name} at {address} to answer" if address else f"{name} to start"
    timer = threading.Timer(SILENCE, lambda: on_event(Note(f"waiting for {what}")))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


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
    """Return the first line of what an engine says, as a sentence."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(" .:") + "."


# What is imported, and what opens it, by the name of the engine.
OPENED: dict[EngineName, tuple[str, Callable[..., Any]]] = {
    "dask": ("distributed", _open_dask),
    "ray": ("ray", _open_ray),
    "spark": ("pyspark", _open_spark),
}
_OPEN: list[Engine] = []
