"""Parallel work: on all cores by joblib, on any of its backends, or on an engine that is open."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import cache
from traceback import format_exc
from typing import Any, TypeVar

from .engines import current_engine
from .errors import ForecastError, UsageError

Result = TypeVar("Result")
# Seconds between two looks of a worker for the process that started it.
POLL = 0.5
# Processes that are lost without a result in between, before that is given up.
MOST_LOST = 4
# Whether joblib has been asked for processes, which it keeps for its next call.
KEEPS_WORKERS = threading.Event()
# The environment variables by which libraries choose their number of threads when loaded.
THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
)  # fmt: skip


def cores() -> int:
    """Return how many cores this process may use."""
    from joblib import cpu_count

    return int(cpu_count())


def runs_here(jobs: int) -> bool:
    """Whether so many jobs run in this process."""
    return jobs == 1 and current_engine() is None


def run_all(
    work: Callable[..., Result], pieces: Sequence[tuple[Any, ...]], *, jobs: int | None = None
) -> Generator[tuple[int, Result]]:
    """Call a function with many arguments, and yield each result as soon as it is available.

    One job runs in this process. Several run in processes, on the engine that is open, or on the
    backend that is registered with `joblib.parallel_config`. A piece whose process or worker was
    lost is done again by another.

    Args:
        work: A function of a module, which other processes can import. It may be called again
            where a process was lost, so that it must not matter whether it was called before.
        pieces: The arguments of each call.
        jobs: How many at a time; None: as many as the backend has, at most one for each piece.

    Yields:
        The number of the piece, and its result; in any order.

    Raises:
        UsageError: Processes, or the workers of an engine, were lost several times.
    """
    if (engine := current_engine()) is not None:
        tasks = [(work, piece) for piece in pieces]
        with closing(engine.run(attempt, tasks, jobs)) as running:
            for number, (result, error) in running:
                if error is not None:
                    raise error
                yield number, result
    else:
        yield from _run_with_processes(work, pieces, jobs)


def _run_with_processes(
    work: Callable[..., Result], pieces: Sequence[tuple[Any, ...]], jobs: int | None
) -> Generator[tuple[int, Result]]:
    """As `run_all`, by joblib; a piece whose process was lost is done again by another."""
    left, lost = dict(enumerate(pieces)), 0
    while left:
        try:
            for number, result in _run_by_joblib(work, list(left.items()), jobs):
                yield number, result
                del left[number]
                lost = 0
        except BrokenProcessPool:
            lost += 1
            if lost == MOST_LOST:
                raise UsageError(
                    f"The system ended processes {lost} times in a row, as it does where memory "
                    "is short.",
                    "Pass a smaller number of `jobs`.",
                ) from None


def _run_by_joblib(
    work: Callable[..., Result], pieces: Sequence[tuple[int, tuple[Any, ...]]], jobs: int | None
) -> Generator[tuple[int, Result]]:
    """As `run_all`, of pieces with their numbers."""
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    registered, requested = get_active_backend()
    # joblib's own default, where none is registered.
    default = type(registered).__name__ == "LokyBackend"
    # None: the registered backend decides.
    count = jobs or requested or (cores() if default else None)
    count = count and max(1, min(count, len(pieces)))
    if default and count == 1:
        yield from ((number, work(*piece)) for number, piece in pieces)
        return
    threads = max(1, cores() // count) if default and count else None
    if default:
        # joblib announces a folder for each of several calls, and removes it when Python ends
        # itself, which commands do not wait for: who looks after such folders would tell of it.
        os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
        KEEPS_WORKERS.set()
    parallel = Parallel(n_jobs=count, return_as="generator_unordered", batch_size=1)
    one = delayed(_one)
    results = parallel(one(work, number, piece, os.getpid(), threads) for number, piece in pieces)
    yield from _quietly(results)


def attempt(
    work: Callable[..., Result], piece: tuple[Any, ...]
) -> tuple[Result | None, Exception | None]:
    """Call the function on a worker of an engine; return its result, or what it raised.

    What the engine raises itself is then of lost workers alone.
    """
    for name in THREADS:
        os.environ.setdefault(name, "1")
    try:
        return work(*piece), None
    except Exception as error:
        if not isinstance(error, ForecastError):
            error.add_note(format_exc())
        return None, error


def _quietly(results: Generator[tuple[int, Result]]) -> Generator[tuple[int, Result]]:
    """Yield the results, without joblib's warning where the caller stops before the last one."""
    try:
        while True:
            with _warning_ignored():
                result = next(results, None)
            if result is None:
                return
            yield result
    finally:
        with _warning_ignored():
            results.close()


@contextmanager
def _warning_ignored() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*still being processed by the workers.*", UserWarning)
        yield


def dismiss_workers() -> None:
    """End the processes that joblib keeps for its next call, and remove their shared files.

    For a process that is about to exit without running exit handlers.
    """
    if not KEEPS_WORKERS.is_set():
        return
    from joblib.externals.loky import get_reusable_executor

    executor = get_reusable_executor(reuse=True)
    # Only joblib's own executor removes the shared files too.
    end = getattr(executor, "terminate", None) or executor.shutdown
    end(kill_workers=True)


def _one(
    work: Callable[..., Result],
    number: int,
    piece: tuple[Any, ...],
    parent: int,
    threads: int | None,
) -> tuple[int, Result]:
    """Call the function, in another process without signals, which its parent handles."""
    if os.getpid() != parent:
        _end_with(parent)
        if threading.current_thread() is threading.main_thread():
            # A terminal that is closed sends SIGHUP to all processes, as Ctrl-C is sent.
            for each in {signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)}:
                signal.signal(each, signal.SIG_IGN)
        for name in THREADS if threads else ():
            os.environ[name] = str(threads)
    return number, work(*piece)


@cache
def _end_with(parent: int) -> None:
    """Let this process end soon after the one that started it, also where that is killed.

    It would go on for minutes, write to the study of a search that is resumed meanwhile, and leave
    shared memory.
    """

    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(POLL)
        os._exit(1)

    # Workers of another backend are not started by the process whose work they do.
    if os.getppid() == parent:
        threading.Thread(target=wait, daemon=True).start()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit linear algebra to one thread.

    Threads that wait for each other at every one of thousands of small matrices made the fits of
    baselines thirty times slower on two shared cores.
    """
    # Predictions import this module without needing the libraries. SciPy has a BLAS of its own, and
    # only what is loaded can be limited.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
