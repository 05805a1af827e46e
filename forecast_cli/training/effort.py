"""Memory and time of a training, estimated before they are used."""

from ..config.members import Member, list_members
from ..config.registries import CELLS
from ..config.schema import Config
from ..core.brief import describe_seconds
from ..core.events import Epoch, Event, Listener, Note, Steps
from ..core.memory import require_memory

# Bytes of a number, and how often a training holds each weight: itself, its gradient, two means of
# Adam, and the best so far.
FLOAT, COPIES = 4, 5
# A training that takes longer is announced with its time: seconds.
LONG = 60.0
# An epoch of more seconds is hardly longer for its compilation.
SURE = 60.0
# Seconds of steps, after the first ones, that tell how long an epoch takes.
MEASURED = 5.0


def require_room(config: Config) -> None:
    """Refuse networks whose training needs more memory than is free, by a low estimate.

    Args:
        config: Resolved.

    Raises:
        UsageError: The training does not fit.
    """
    members = list_members(config)
    # Networks that are trained stay until all are; only one is in training.
    weights = sum(count_weights(each) for each in members) + COPIES * max(
        count_weights(each) for each in members
    )
    largest = max(members, key=_states_in_batch)
    layers = ", ".join(str(each.units) for each in largest.network.recurrent)
    require_memory(
        FLOAT * (weights + _states_in_batch(largest)),
        f"A training of layers of {layers} units, {largest.timesteps:,} steps of lookback and "
        f"batches of {largest.training.batch_size:,} windows",
        "Lower `units`, `timesteps` or `batch_size`.",
    )


def count_weights(member: Member) -> int:
    """Return how many weights the recurrent layers of a network have from state to state."""
    return sum(
        CELLS[layer.type].gates * layer.units**2 * (1 + layer.bidirectional)
        for layer in member.network.recurrent
    )


def _states_in_batch(member: Member) -> int:
    """Return how many values of gates the gradient of a batch needs."""
    units = sum(CELLS[each.type].gates * each.units for each in member.network.recurrent)
    return units * member.timesteps * member.training.batch_size


def with_time(on_event: Listener, config: Config) -> Listener:
    """Return a listener that notes once about how long a long training will take.

    Args:
        on_event: What hears all events.
        config: Resolved; a time budget makes the note needless.
    """
    told = config.training.time_budget is not None

    def hear(event: Event) -> None:
        nonlocal told
        on_event(event)
        if told or not isinstance(event, Epoch | Steps) or not _is_sure(event):
            return
        left = event.epochs - event.number + (event.networks - event.network) * event.epochs
        left += event.networks * event.epochs if config.training.refit else 0
        unfinished = 1.0 - event.share if isinstance(event, Steps) else 0.0
        seconds = (left + unfinished) * event.seconds
        # What a whole epoch takes is not measured again.
        told = isinstance(event, Epoch) or seconds > LONG
        if seconds > LONG:
            early = ", less where early stopping ends it" if config.training.patience else ""
            text = f"all epochs take about {describe_seconds(seconds)}{early}"
            on_event(Note(f"{text}; `time_budget` sets a limit"))

    return hear


def _is_sure(event: Epoch | Steps) -> bool:
    """Whether the time of an epoch tells that of the next ones; the first one is compiled too."""
    if isinstance(event, Steps):
        return event.share * event.seconds >= MEASURED
    return event.number > 1 or event.seconds >= SURE
