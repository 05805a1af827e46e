"""What is tidied up where the process ends at once, without Python's own end of blocks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_PENDING: list[Callable[[], None]] = []


@contextmanager
def tidied(by: Callable[[], None]) -> Iterator[None]:
    """Call a function at the end of a block, also where `tidy` ends the process within it.

    Args:
        by: Removes what only the block needs, such as a temporary folder; it is called once.
    """
    _PENDING.append(by)
    try:
        yield
    finally:
        if by in _PENDING:
            _PENDING.remove(by)
            by()


def tidy() -> None:
    """Call what is pending, the latest first; for a process that is about to exit at once."""
    while _PENDING:
        with suppress(Exception):
            _PENDING.pop()()
