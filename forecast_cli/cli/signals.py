"""Ctrl-C, SIGTERM and SIGHUP: the end of a command, never a traceback."""

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from ..core.tidying import tidy

# The signals that ask a command to stop; Windows has no SIGHUP.
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
# Of all commands that are stopped: 128 and the number of SIGINT.
INTERRUPTED = 130
# The name of the last signal, for messages.
_received = ["Ctrl-C"]


def caught() -> list[int]:
    """Return the signals that are caught: not those that `nohup` or a shell has turned off."""
    return [each for each in STOPPING if signal.getsignal(each) is not signal.SIG_IGN]


def catch_signals() -> None:
    """Let the signals end the command as `stop` does."""
    for each in caught():
        signal.signal(each, stop)


def stop(number: int, frame: FrameType | None) -> None:
    """End the command like any other error.

    Where a library is being loaded the process exits at once: such code takes the exception for a
    failure of its own, and shows it as one.

    Raises:
        KeyboardInterrupt: Always, unless the process exits.
    """
    note(number)
    if is_loading(frame):
        leave_at_once(f"error: Stopped by {received()}; nothing was saved.")
    raise KeyboardInterrupt


def is_loading(frame: FrameType | None) -> bool:
    """Whether a module is being imported in a frame, or in one that called it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def note(number: int) -> None:
    """Keep which signal came."""
    _received[:] = ["Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name]


def received() -> str:
    """Return the signal that came last, as messages name it."""
    return _received[0]


def leave_at_once(text: str) -> NoReturn:
    """Write a line to stderr, tidy up and exit."""
    with suppress(OSError):
        os.write(2, f"{text}\n".encode())
    tidy()
    os._exit(INTERRUPTED)
