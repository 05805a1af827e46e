"""Progress of what takes long, for a person who waits at a terminal or in a notebook."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.brief import describe_seconds, visible
from ..core.events import Done, Epoch, Event, Listener, Stage, Steps, ignore

# So many lines for all epochs of a network, or all windows, where there is no bar.
LINES = 10


@contextmanager
def show_progress(progress: bool | None, on_event: Listener) -> Iterator[Listener]:
    """Yield a listener that shows progress on stderr: a bar at a terminal, else a few lines.

    Args:
        progress: Whether it is shown; None: at a terminal and in a notebook, unless the caller
            has a listener.
        on_event: What is notified besides.
    """
    notebook, terminal = "ipykernel" in sys.modules, sys.stderr.isatty()
    if progress is False or (progress is None and not (on_event is ignore and notebook | terminal)):
        yield on_event
    elif notebook or not terminal:
        tasks = Tasks()

        def listen(event: Event) -> None:
            on_event(event)
            _print(event, tasks)

        yield listen
    else:
        yield from _show_bar(on_event)


def _print(event: Event, tasks: "Tasks") -> None:
    """Print some of the epochs and of the windows, a line each."""
    tasks.on_event(event)
    text = ""
    if isinstance(event, Done) and is_shown(event.number, event.count):
        text = tasks.describe(event)
    elif isinstance(event, Epoch) and (event.number == 1 or is_shown(event.number, event.epochs)):
        text = f"{which(event)}  {figures(event)}"
    if text:
        print(visible(text), file=sys.stderr, flush=True)


def is_shown(number: int, count: int) -> bool:
    """Whether one of many has a line of its own: some of them, and the last.

    >>> [number for number in range(1, 24) if is_shown(number, 23)]
    [3, 6, 9, 12, 15, 18, 21, 23]
    """
    return number % -(-count // LINES) == 0 or number == count


class Tasks:
    """Estimates the time left from the tasks of a stage that are done."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def on_event(self, event: Event) -> None:
        """Begin to count where a stage begins."""
        if isinstance(event, Stage):
            self.began = time.monotonic()

    def describe(self, event: Done) -> str:
        """Return how many tasks are done, and the time left for the others."""
        text = f"{event.number} of {event.count} {event.what}"
        if not (left := event.count - event.number):
            return text
        seconds = (time.monotonic() - self.began) / event.number * left
        return f"{text}, {describe_seconds(seconds)} left"


def _show_bar(on_event: Listener) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, tasks = bar.add_task("preparing", total=None, figures=""), Tasks()

        def show(event: Event) -> None:
            on_event(event)
            tasks.on_event(event)
            if isinstance(event, Done):
                text = tasks.describe(event)
                bar.update(task, description=text, total=event.count, completed=event.number)
            elif isinstance(event, Stage):
                bar.update(task, description=event.name, figures="")
            elif isinstance(event, Steps):
                done = event.number - 1 + event.share
                bar.update(task, total=event.epochs, completed=done)
            elif isinstance(event, Epoch):
                bar.update(task, total=event.epochs, completed=event.number)
                bar.update(task, description=which(event), figures=figures(event))

        yield show


def which(epoch: Epoch) -> str:
    """The number of an epoch, and of its network where there are several.

    >>> which(Epoch(3, 10, 0.1, None, True, 1.0, 100, 0.001, network=2, networks=5))
    'network 2/5, epoch 3/10'
    """
    of = f"network {epoch.network}/{epoch.networks}, " if epoch.networks > 1 else ""
    return f"{of}epoch {epoch.number}/{epoch.epochs}"


def figures(epoch: Epoch) -> str:
    """Losses and speed of an epoch."""
    validation = (
        "" if epoch.validation_loss is None else f"  validation {epoch.validation_loss:.4g}"
    )
    speed = epoch.windows / max(epoch.seconds, 1e-9)
    return f"loss {epoch.loss:.4g}{validation}  {speed:,.0f} windows/s"
