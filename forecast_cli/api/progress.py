"""Progress of a training for a person who waits at a terminal or in a notebook."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.events import Epoch, Event, Listener, Stage, ignore

# So many lines for all epochs of a network, where there is no bar.
LINES = 10


@contextmanager
def show_progress(progress: bool | None, on_event: Listener) -> Iterator[Listener]:
    """Yield a listener that shows epochs on stderr: a bar at a terminal, else a few lines.

    Args:
        progress: Whether they are shown; None: at a terminal and in a notebook, unless the caller
            has a listener.
        on_event: What is notified besides.
    """
    notebook, terminal = "ipykernel" in sys.modules, sys.stderr.isatty()
    if progress is False or (progress is None and not (on_event is ignore and notebook | terminal)):
        yield on_event
    elif notebook or not terminal:

        def listen(event: Event) -> None:
            on_event(event)
            _print(event)

        yield listen
    else:
        yield from _show_bar(on_event)


def _print(event: Event) -> None:
    """Print some of the epochs, a line each."""
    if not isinstance(event, Epoch):
        return
    every = -(-event.epochs // LINES)
    if event.number in (1, event.epochs) or event.number % every == 0:
        print(f"{which(event)}  {figures(event)}", file=sys.stderr, flush=True)


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
        task = bar.add_task("preparing", total=None, figures="")

        def show(event: Event) -> None:
            on_event(event)
            if isinstance(event, Stage):
                bar.update(task, description=event.name, figures="")
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
