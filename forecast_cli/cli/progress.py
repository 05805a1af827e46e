"""Progress on stderr: live lines for a person, a few plain ones in a pipe; and signals to stop."""

import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..api.progress import Tasks, figures, is_shown, which
from ..core.brief import visible
from ..core.events import Done, Epoch, Event, Stage, TableRead
from ..core.parallel import dismiss_workers
from ..core.tidying import tidy
from . import signals
from .console import Console, Notes
from .status import Status
from .terminal import is_dumb, takes_unicode

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

# In a pipe: one more line after so many seconds of silence.
SECONDS = 30.0
# The stage that has epochs, and the seconds that other processes have to end.
TRAINING, PATIENCE = "training", 3.0
# How often the lines of a terminal change, in a second.
RATE = 8


class Progress:
    """Shows what is going on; Ctrl-C ends it after what is running, a second one exits at once.

    SIGTERM and SIGHUP are as a first Ctrl-C, however often they come: a terminal that is closed
    sends two. At the end, processes that have worked for the command are ended.

    Args:
        console: The streams.
        plain: Whether a pipe gets some lines too: not from what rarely takes long.
    """

    def __init__(self, console: Console, *, plain: bool = True) -> None:
        self.console = console
        self.plain = plain
        self.interrupted = False
        # What a Ctrl-C lets finish; empty where it ends the command.
        self.unit = ""
        self.live: Live | None = None
        self.status = Status(takes_unicode(sys.stderr))
        self.tasks = Tasks()
        self.reported = 0.0
        self.notes = Notes(console)

    def __enter__(self) -> Self:
        self.before: Any = {
            each: signal.signal(each, self._on_interrupt) for each in signals.caught()
        }
        read, self.woken = os.pipe()
        os.set_blocking(self.woken, False)
        signal.set_wakeup_fd(self.woken, warn_on_full_buffer=False)
        threading.Thread(target=self._count_signals, args=(read,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self.woken)
        # Further Ctrl-C would only interrupt the exit.
        leaving = isinstance(error, KeyboardInterrupt)
        for each, before in self.before.items():
            signal.signal(each, signal.SIG_IGN if leaving else before)
        self._close()
        dismiss_workers()

    def should_stop(self) -> bool:
        """Whether Ctrl-C was pressed, or a signal came that is like it."""
        return self.interrupted

    def on_event(self, event: Event) -> None:
        """Show an event."""
        self.status.on_event(event)
        self.tasks.on_event(event)
        if isinstance(event, Stage):
            self._begin(event)
        elif isinstance(event, TableRead):
            self._open()
        elif not isinstance(event, Epoch | Done):
            self.notes.on_event(event)
        elif self.live is None and self.plain:
            self._print(event)

    def _on_interrupt(self, signum: int, frame: FrameType | None) -> None:
        """Where nothing is to be finished, Ctrl-C ends the command like any other."""
        if not self.unit:
            self.interrupted = True
            signals.stop(signum, frame)

    def _count_signals(self, read: int) -> None:
        """Handle each signal at once: Python's own handler waits for compiled code to return."""
        while byte := os.read(read, 1):
            if byte[0] not in self.before or not self.unit:
                continue
            signals.note(byte[0])
            if not self.interrupted:
                self.interrupted = True
                cause = "" if signals.received() == "Ctrl-C" else f"{signals.received()}: "
                text = f"{cause}stopping after this {self.unit} with what is done so far; Ctrl-C"
                self.console.say(f"{text} again exits now and saves nothing", "bold")
            elif byte[0] == signal.SIGINT:
                self._leave()
        os.close(read)

    def _leave(self) -> None:
        """Exit now; the processes that work for this one end with it, as far as they can."""
        self._close()
        self.console.say("stopped; nothing was saved")
        ending = threading.Thread(target=dismiss_workers, daemon=True)
        ending.start()
        ending.join(PATIENCE)
        tidy()
        os._exit(signals.INTERRUPTED)

    def _begin(self, stage: Stage) -> None:
        self.unit = stage.unit
        if stage.name == TRAINING:
            self.reported = 0.0
        if self.live is not None:
            # Loading a library may keep the thread that redraws from running.
            self.live.refresh()
        self._open()

    def _open(self) -> None:
        """On a terminal, show the lines of the status until the end, below the messages."""
        if self.live is not None or not self.console.interactive or is_dumb():
            return
        from rich.live import Live

        self.live = Live(
            get_renderable=self._render,
            console=self.console.words,
            refresh_per_second=RATE,
            transient=True,
            redirect_stdout=False,
        )
        self.live.start()

    def _render(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        lines = self.status.lines(self.console.words.width - 1)
        return Group(*(Text(visible(line), no_wrap=True) for line in lines))

    def _print(self, event: Epoch | Done) -> None:
        """Print some of the epochs and tasks, a line each."""
        if isinstance(event, Done):
            if is_shown(event.number, event.count):
                self.console.say(self.tasks.describe(event))
            return
        now = time.monotonic()
        shown = event.number == 1 or is_shown(event.number, event.epochs)
        if shown or now - self.reported > SECONDS:
            self.reported = now
            self.console.say(f"{which(event)}  {figures(event)}")

    def _close(self) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None
        self.unit = ""
