"""Progress on stderr: a bar for a person, a few plain lines in a pipe; and signals to stop."""

import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..api.progress import figures, is_shown, which
from ..core.events import Epoch, Event, Stage
from ..core.parallel import dismiss_workers
from ..core.tidying import tidy
from . import signals
from .console import Console, Notes

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

# In a pipe: one more line after so many seconds of silence.
SECONDS = 30.0
# The stage whose epochs have a bar, and the seconds that other processes have to end.
TRAINING, PATIENCE = "training", 3.0


class Progress:
    """Shows what is going on; Ctrl-C ends it after what is running, a second one exits at once.

    SIGTERM and SIGHUP are as a first Ctrl-C, however often they come: a terminal that is closed
    sends two.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.interrupted = False
        # What a Ctrl-C lets finish; empty where it ends the command.
        self.unit = ""
        self.bar: Bar | None = None
        self.task: TaskID | None = None
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

    def should_stop(self) -> bool:
        """Whether Ctrl-C was pressed, or a signal came that is like it."""
        return self.interrupted

    def on_event(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Stage):
            self._begin(event)
        elif isinstance(event, Epoch):
            self._epoch(event)
        else:
            self.notes.on_event(event)

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
                self._announce()
            elif byte[0] == signal.SIGINT:
                self._leave()
        os.close(read)

    def _announce(self) -> None:
        """Say what the first signal lets finish."""
        cause = "" if signals.received() == "Ctrl-C" else f"{signals.received()}: "
        self.console.say(
            f"{cause}stopping after this {self.unit} with what is done so far; Ctrl-C again exits "
            "now and saves nothing",
            "yellow",
        )

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
        self._close()
        self.unit = stage.unit
        if stage.name == TRAINING:
            self.reported = 0.0
        if self.console.interactive:
            self._open_bar(stage)

    def _open_bar(self, stage: Stage) -> None:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = [SpinnerColumn(), TextColumn("{task.description}")]
        if stage.name == TRAINING:
            columns = [
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(),
            ]
        self.bar = Bar(*columns, console=self.console.words, transient=True)
        self.task = self.bar.add_task(stage.name, total=None, figures="")
        self.bar.start()

    def _epoch(self, epoch: Epoch) -> None:
        if self.bar is not None and self.task is not None:
            self.bar.update(
                self.task,
                total=epoch.epochs,
                completed=epoch.number,
                description=which(epoch),
                figures=figures(epoch),
            )
            return
        now = time.monotonic()
        shown = epoch.number == 1 or is_shown(epoch.number, epoch.epochs)
        if shown or now - self.reported > SECONDS:
            self.reported = now
            self.console.say(f"{which(epoch)}  {figures(epoch)}")

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = self.task = None
        self.unit = ""
