"""The number of threads for linear algebra."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit linear algebra to one thread.

    Threads that wait for each other at every one of thousands of small matrices made the fits of
    baselines thirty times slower on two shared cores.
    """
    # Predictions import this module without needing the library.
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
