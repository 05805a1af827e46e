"""The events of long-running functions: frozen facts, never text on a stream."""

from collections.abc import Callable
from dataclasses import dataclass

from .errors import singular


@dataclass(frozen=True)
class Note:
    """A finding, choice or assumption, in one sentence.

    Args:
        text: The sentence.
        warning: Whether the user should check it.
    """

    text: str
    warning: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", singular(self.text))


@dataclass(frozen=True)
class Stage:
    """The beginning of a stage, e.g. "training".

    Args:
        name: Of the stage.
        unit: What a first Ctrl-C lets finish, e.g. "epoch"; empty where it ends the command.
    """

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training windows.

    Args:
        number: Counted from 1.
        epochs: The maximum number of epochs.
        loss: Mean over the training windows, in scaled units, as the weights changed.
        validation_loss: Mean over the validation windows after the epoch; None without any.
        best: Whether the monitored loss is the lowest so far.
        seconds: Wall time of the epoch, validation included.
        windows: Training windows seen in the epoch.
        learning_rate: That of the epoch's steps.
        network: Which one of several it is, counted from 1.
        networks: How many are trained one after the other.
    """

    number: int
    epochs: int
    loss: float
    validation_loss: float | None
    best: bool
    seconds: float
    windows: int
    learning_rate: float
    network: int = 1
    networks: int = 1


@dataclass(frozen=True)
class Steps:
    """How far an epoch has come, where it takes long.

    Args:
        number: The epoch, counted from 1.
        epochs: The maximum number of epochs.
        share: Which share of its training steps is done.
        seconds: About how long the epoch takes, validation included, compilation not.
        network: Which one of several it is, counted from 1.
        networks: How many are trained one after the other.
    """

    number: int
    epochs: int
    share: float
    seconds: float
    network: int = 1
    networks: int = 1


@dataclass(frozen=True)
class Done:
    """The end of one of several tasks, e.g. a fold of a backtest.

    Args:
        what: The tasks, e.g. "folds".
        number: How many are done.
        count: How many there are.
    """

    what: str
    number: int
    count: int


@dataclass(frozen=True)
class TableRead:
    """The beginning of the reading of a table, or of some of its columns.

    How far it has come is asked for by who shows it: reports would slow the reading down.

    Args:
        name: Of the table.
        so_far: Returns how many bytes, or rows, were read; from another thread too.
        size: How many bytes there are; None where that is unknown.
        unit: "bytes" or "rows".
    """

    name: str
    so_far: Callable[[], int]
    size: int | None = None
    unit: str = "bytes"


Event = Note | Stage | Epoch | Steps | Done | TableRead
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Ignore an event."""


def once(on_event: Listener) -> Listener:
    """Return a listener that is notified of each note once, however often there is cause for it."""
    seen: set[str] = set()

    def hear(event: Event) -> None:
        if not isinstance(event, Note):
            on_event(event)
        elif event.text not in seen:
            seen.add(event.text)
            on_event(event)

    return hear
