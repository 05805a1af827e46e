"""Memory that is free, and refusals of what would need more."""

import os
import sys
from math import ceil, inf
from pathlib import Path
from typing import NamedTuple

from .errors import UsageError

GB = 10**9
UNITS = ((GB, "GB"), (10**6, "MB"), (10**3, "kB"))
# Bytes without which nothing can be read.
LEAST_SPARE = 100_000_000
STATM = Path("/proc/self/statm")
MEMINFO, CONTROL_GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


class Limits(NamedTuple):
    """What a training may use for a table that does not fit into memory.

    Args:
        memory: Gigabytes that the process may hold in all; None: half of what is free.
        cache: The folder of the arrays of the table; None for a temporary one.
        beside: The model file in whose folder a temporary one is made; None for that of the system.
    """

    memory: float | None = None
    cache: Path | None = None
    beside: Path | None = None

    @property
    def given(self) -> str:
        """The setting that asks for a training in blocks; empty where none does."""
        return "cache" if self.cache is not None else "memory" if self.memory is not None else ""

    def refuse(self, why: str) -> None:
        """Refuse the limits where a table has to be read as a whole.

        Args:
            why: What it cannot do, as the beginning of a sentence.

        Raises:
            UsageError: There are limits.
        """
        if self.given:
            text = f"{why}, which `{self.given}` is there to avoid."
            raise UsageError(text, f"Leave `{self.given}` out.")


NO_LIMITS = Limits()


def free_memory() -> float | None:
    """Return how many bytes this process may still use; None where the system does not say.

    Of a container, and of a process with a limit (`ulimit -v`), it is what is left of that, where
    it is less.
    """
    if sys.platform != "linux":
        return None
    try:
        lines = dict(line.split(":") for line in MEMINFO.read_text().splitlines())
        free = 1024.0 * int(lines["MemAvailable"].split()[0])
    except (OSError, ValueError, KeyError):
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        free = min(free, max(limit - _pages(0), 0))
    try:
        most = int((CONTROL_GROUP / "memory.max").read_text())
        used = int((CONTROL_GROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return min(free, max(most - used, 0))


def used_memory() -> int:
    """Return how many bytes this process holds; 0 where the system does not say."""
    return _pages(1)


def _pages(place: int) -> int:
    """Return one of the sizes of this process, in bytes; 0 where the system does not say."""
    try:
        pages = int(STATM.read_text().split()[place])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def spare_memory(limit: float | None, processes: int = 1) -> float:
    """Return how many bytes more this process, or each of several, may use.

    Args:
        limit: Gigabytes that all may hold together; None: half of what is free.
        processes: How many work; several do so beside this one, and load what it has loaded.

    Raises:
        UsageError: They hold almost as much already.
    """
    if limit is None:
        free = free_memory()
        return inf if free is None else free / 2 / processes
    used = used_memory() * (1 if processes == 1 else 1 + processes)
    least = used + LEAST_SPARE * processes
    if limit * GB < least:
        raise UsageError(
            f"`memory={limit:g}` is too little: without any row {used / GB:.2g} GB are in use.",
            f"Pass at least `memory={ceil(10 * least / GB) / 10:g}`.",
        )
    return (limit * GB - used) / processes


def require_memory(needed: float, what: str, hint: str) -> None:
    """Refuse what would need more memory than is free.

    Args:
        needed: Bytes, about.
        what: What needs them, as the beginning of a sentence.
        hint: What to change.

    Raises:
        UsageError: It would.
    """
    free = free_memory()
    if free is not None and needed > free:
        raise UsageError(
            f"{what} would need about {_describe(needed)} of memory; {_describe(free)} are free.",
            hint,
        )


def _describe(size: float) -> str:
    """Return so many bytes in words."""
    unit, name = next((each for each in UNITS if size >= each[0] / 10), UNITS[-1])
    return f"{size / unit:,.1f} {name}"
