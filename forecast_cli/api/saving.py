"""Trainings in Python that are saved at their end, and kept where they are interrupted."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol, TypeVar

from ..config.keywords import Settings
from ..core.errors import UsageError
from ..core.events import Event, Listener, Stage
from ..core.memory import Limits
from ..model.bundle import Bundle, require_writable, save_bundle


class HasModel(Protocol):
    """A model, or a result that has one."""

    @property
    def bundle(self) -> Bundle:
        """What is saved."""


R = TypeVar("R", bound=HasModel)


class TrainingSettings(Settings, total=False):
    """What `train`, `compare` and `tune` take: all settings, and where the model is kept.

    `path` is where the model is saved; until then, checkpoints are kept beside it. `resume`
    continues an unfinished run there, to the weights of an uninterrupted one.
    """

    path: str | os.PathLike[str]
    resume: bool


class BlockSettings(TrainingSettings, total=False):
    """What `train` takes besides: what it may use for a table that does not fit into memory.

    `memory` is how many gigabytes the process may hold, by default half of what is free; a Parquet
    file that needs more is trained on some series at a time. `cache` is the folder in which its
    rows are then kept as arrays for later trainings; without it they are removed at the end.
    """

    memory: float
    cache: str | os.PathLike[str]


def take_limits(settings: BlockSettings, path: str | os.PathLike[str] | None) -> Limits:
    """Take what a training may use out of its settings; `path` is that of the model.

    Raises:
        UsageError: The memory is no number above 0.
    """
    memory, cache = settings.pop("memory", None), settings.pop("cache", None)
    if memory is not None and not (isinstance(memory, int | float) and memory > 0):
        raise UsageError(f"Invalid `memory={memory}`.", "Give a number of gigabytes, e.g. 4.")
    folder, beside = (None if each is None else Path(each) for each in (cache, path))
    return Limits(memory, folder, beside)


@dataclass
class Interrupts:
    """Lets Ctrl-C end a training after its epoch, so that nothing of it is lost.

    Args:
        on_event: Notified of all events.
        should_stop: Called after each epoch.
    """

    on_event: Listener
    should_stop: Callable[[], bool]
    pressed: bool = False
    training: bool = False

    def hear(self, event: Event) -> None:
        """Pass an event on, and see whether epochs follow."""
        if isinstance(event, Stage):
            self.training = event.unit == "epoch"
        self.on_event(event)

    def stops(self) -> bool:
        """Return whether to stop after an epoch.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed meanwhile.
        """
        if self.pressed:
            raise KeyboardInterrupt
        return self.should_stop()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT: a second one, or one outside a training, is not put off."""
        if self.pressed or not self.training:
            raise KeyboardInterrupt
        self.pressed = True


def train_and_keep(
    train: Callable[..., R],
    path: str | os.PathLike[str] | None,
    on_event: Listener,
    should_stop: Callable[[], bool],
    *,
    resume: bool,
) -> R:
    """Train a model, keep checkpoints beside it meanwhile, and save it, where it has a path.

    Args:
        train: Trains it with `on_event`, `should_stop` and `checkpoints`; returns it, or a result
            that has it.
        path: Of the model; None to keep nothing.
        on_event: Notified of the progress.
        should_stop: Called after each epoch.
        resume: Whether an unfinished run is resumed.

    Raises:
        KeyboardInterrupt: Ctrl-C; what is done so far is kept beside the path.
        UsageError: The model cannot be written, or there is no path to resume from.
    """
    if path is None:
        if resume:
            raise UsageError(
                "`resume` needs the path of the model, beside which a training is kept.",
                "Pass the path of the call that was interrupted.",
            )
        return train(on_event=on_event, should_stop=should_stop)
    from ..model.checkpoints import open_checkpoints

    path, waiting = Path(path), Interrupts(on_event, should_stop)
    require_writable(path)
    with open_checkpoints(path, resume=resume, stopped=True) as kept, _handled(waiting.handle):
        made = train(on_event=waiting.hear, should_stop=waiting.stops, checkpoints=kept)
        save_bundle(made.bundle, path)
        kept.finish()
    return made


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle SIGINT within a block, where Python's own handler would, in the main thread."""
    before = signal.getsignal(signal.SIGINT)
    own = threading.current_thread() is threading.main_thread()
    if not own or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
