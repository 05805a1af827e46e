"""Memory that is free, and refusals of what would need more."""

import sys
from pathlib import Path

from .errors import UsageError

GB = 10**9
MEMINFO, CONTROL_GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """Return how many bytes this process may still use; None where the system does not say.

    Of a container it is what is left of its limit, where that is less.
    """
    if sys.platform != "linux":
        return None
    try:
        lines = dict(line.split(":") for line in MEMINFO.read_text().splitlines())
        free = 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, ValueError, KeyError):
        return None
    try:
        most = int((CONTROL_GROUP / "memory.max").read_text())
        used = int((CONTROL_GROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return min(free, max(most - used, 0))


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
            f"{what} would need about {needed / GB:,.1f} GB of memory; {free / GB:,.1f} GB are "
            "free.",
            hint,
        )
