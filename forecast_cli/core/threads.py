"""How many threads small matrices are worked on by."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Work on matrices by one thread for a while.

    Threads that wait for each other at every one of thousands of small matrices made the fits of
    simple forecasts thirty times slower on two shared cores.
    """
    # Predictions come by this module, and never need it.
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
