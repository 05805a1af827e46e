"""Progress on stderr: a bar for a person, a few plain lines in a pipe; and Ctrl-C."""

import signal
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..events import Epoch, Event, Stage
from .console import Console

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

# In a pipe: so many lines for a whole training, and one more after so many seconds of silence.
LINES = 10
SECONDS = 30.0


class Progress:
    """Shows a training; Ctrl-C once stops it after the epoch in flight, twice leaves at once."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.interrupted = False
        self.training = False
        self.bar: Bar | None = None
        self.task: TaskID | None = None
        self.said = 0.0
        self.best: Epoch | None = None
        self.last: Epoch | None = None
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        self.before: Any = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Someone who presses Ctrl-C again and again is leaving already.
        leaving = isinstance(error, KeyboardInterrupt)
        signal.signal(signal.SIGINT, signal.SIG_IGN if leaving else self.before)
        if error is not None:
            self.last = None
        self._close()

    def stop(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self.interrupted

    def listen(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Stage):
            self._begin(event)
        elif isinstance(event, Epoch):
            self._epoch(event)
        else:
            self.notes.append(event.text)
            self.console.listen(event)

    def _on_interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self.interrupted or not self.training:
            raise KeyboardInterrupt
        self.interrupted = True
        self.console.say(
            "stopping after this epoch, the best so far is saved; Ctrl-C again leaves at once",
            "yellow",
        )

    def _begin(self, stage: Stage) -> None:
        self._close()
        self.training = stage.name == "training"
        if self.training:
            self.best = self.last = None
            self.said = 0.0
        if self.console.interactive:
            self._open_bar(stage)

    def _open_bar(self, stage: Stage) -> None:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = [SpinnerColumn(), TextColumn("{task.description}")]
        if self.training:
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
        self.last = epoch
        if epoch.best:
            self.best = epoch
        if self.bar is not None and self.task is not None:
            self.bar.update(
                self.task,
                total=epoch.epochs,
                completed=epoch.number,
                description=f"epoch {epoch.number}/{epoch.epochs}",
                figures=figures(epoch),
            )
            return
        now = time.monotonic()
        if (
            epoch.number % max(1, epoch.epochs // LINES) in (0, epoch.epochs)
            or epoch.number == 1
            or now - self.said > SECONDS
        ):
            self.said = now
            self.console.say(f"epoch {epoch.number}/{epoch.epochs}  {figures(epoch)}")

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = self.task = None
        if self.training and self.last is not None:
            best = self.best or self.last
            self.console.say(
                f"trained {self.last.number} epochs; the lowest loss was in epoch {best.number}: "
                f"{figures(best)}"
            )
        self.training = False


def figures(epoch: Epoch) -> str:
    """Losses and speed of an epoch."""
    validation = (
        "" if epoch.validation_loss is None else f"  validation {epoch.validation_loss:.4g}"
    )
    speed = epoch.windows / max(epoch.seconds, 1e-9)
    return f"loss {epoch.loss:.4g}{validation}  {speed:,.0f} windows/s"
