"""Many pieces of work at a time, by joblib: on all cores, or on any backend of it."""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")
# What tells libraries how many threads to take, before they are loaded.
THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
)  # fmt: skip


def cores() -> int:
    """How many cores this process may use."""
    from joblib import cpu_count

    return int(cpu_count())


def run_all(
    work: Callable[..., Result], pieces: Sequence[tuple[Any, ...]], *, jobs: int | None = None
) -> Generator[tuple[int, Result]]:
    """Do the same with many pieces, and give each result as soon as it is there.

    One job runs in this process. Several run as joblib has it: in processes, or on the backend
    that somebody has registered with `joblib.parallel_config`.

    Args:
        work: A function of a module, which other processes can import.
        pieces: Its arguments.
        jobs: How many at a time; None: as many as the backend has, at most one for each piece.

    Yields:
        The number of the piece, and what came of it; in any order.
    """
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    registered, wanted = get_active_backend()
    # joblib's own default, where nobody asked for another one.
    usual = type(registered).__name__ == "LokyBackend"
    count = _jobs(jobs or wanted, len(pieces), usual=usual)
    if usual and count == 1:
        yield from ((number, work(*piece)) for number, piece in enumerate(pieces))
        return
    threads = max(1, cores() // count) if usual and count else None
    parallel = Parallel(n_jobs=count, return_as="generator_unordered", batch_size=1)
    one = delayed(_one)
    results = parallel(
        one(work, number, piece, os.getpid(), threads) for number, piece in enumerate(pieces)
    )
    yield from _quietly(results)


def _quietly(results: Generator[tuple[int, Result]]) -> Generator[tuple[int, Result]]:
    """The results, without joblib's advice where somebody stops before the last one."""
    try:
        while True:
            with _advice_ignored():
                result = next(results, None)
            if result is None:
                return
            yield result
    finally:
        with _advice_ignored():
            results.close()


@contextmanager
def _advice_ignored() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*still being processed by the workers.*", UserWarning)
        yield


def dismiss_workers() -> None:
    """End the processes that joblib keeps for its next call, and what they share.

    For a process that is about to leave without running what others have registered for its end.
    """
    if "joblib.externals.loky" not in sys.modules:
        return
    from joblib.externals.loky import get_reusable_executor

    executor = get_reusable_executor(reuse=True)
    # joblib's own executor has a way to end that removes the files which are shared too.
    end = getattr(executor, "terminate", None) or executor.shutdown
    end(kill_workers=True)


def _jobs(jobs: int | None, pieces: int, *, usual: bool) -> int | None:
    """How many pieces at a time; None: what the registered backend says."""
    if jobs is None and not usual:
        return None
    return max(1, min(jobs or cores(), pieces))


def _one(
    work: Callable[..., Result],
    number: int,
    piece: tuple[Any, ...],
    parent: int,
    threads: int | None,
) -> tuple[int, Result]:
    """A piece of work in a process of its own, which leaves Ctrl-C to the one that started it."""
    if os.getpid() != parent:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        for name in THREADS if threads else ():
            os.environ[name] = str(threads)
    return number, work(*piece)
