"""Several devices of one machine that train a network together, each on its share of a batch."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import keras
import tensorflow as tf

from ..core.errors import UsageError, counted
from .batches import Samples


class Replicas:
    """A network on several devices: the same weights on each, and gradients that are summed.

    Args:
        devices: The names of the devices, at least two.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self.devices = tuple(devices)
        # TensorFlow's collective operations, which it would choose, fail in a process that has
        # trained on another number of devices before; gradients of such networks are small.
        how = tf.distribute.ReductionToOneDevice()
        self.strategy = tf.distribute.MirroredStrategy(self.devices, cross_device_ops=how)

    def scope(self) -> AbstractContextManager[Any]:
        """Place the variables that are made in this block on each device."""
        scope: AbstractContextManager[Any] = self.strategy.scope()
        return scope

    def sum(self, function: Callable[..., Any], samples: Samples, size: Any) -> Any:
        """Run a function on each device with its share of a batch, and sum what it returns.

        The share of a device without any sample is the last sample, of which none counts.

        Args:
            function: Of samples, and of how many of them count.
            samples: The batch, without any surplus.
            size: How many there are, at least one.
        """
        length = (size + len(self.devices) - 1) // len(self.devices)
        parts = [_take(samples, place * length, length, size) for place in range(len(self.devices))]

        def own(context: Any) -> Any:
            return parts[context.replica_id_in_sync_group]

        shares = self.strategy.experimental_distribute_values_from_function(own)
        results = self.strategy.run(lambda share: function(_whole(share), share["size"]), (shares,))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, results, axis=None)

    def sum_gradients(self, gradients: list[Any]) -> list[Any]:
        """Return the gradients of all shares, within a function that `sum` runs."""
        context = tf.distribute.get_replica_context()
        summed: list[Any] = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        return summed


def take_summed(optimizer: keras.optimizers.Optimizer) -> None:
    """Let an optimizer take gradients that are summed over the devices already.

    Keras's own sum comes after `clip`, which would then bound each share, and after it was checked
    whether they are finite.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = lambda pairs: pairs


def _take(samples: Samples, begin: Any, length: Any, size: Any) -> dict[str, Any]:
    """Return the samples of a share, at least one, and how many of them count."""
    count = tf.clip_by_value(size - begin, 0, length)
    first = tf.minimum(begin, size - 1)
    end = first + tf.maximum(count, 1)
    share = {f"given{place}": each[first:end] for place, each in enumerate(samples.given)}
    share |= {"actual": samples.actual[first:end], "size": count}
    return share if samples.series is None else share | {"series": samples.series[first:end]}


def _whole(share: dict[str, Any]) -> Samples:
    """Return the samples of a share."""
    given = [share[name] for name in sorted(share) if name.startswith("given")]
    return Samples(given, share["actual"], share.get("series"))


def find_replicas(count: int | None) -> Replicas | None:
    """Return the devices to train on together; None where that is one.

    Args:
        count: How many: GPUs, or where there is none, the devices into which TensorFlow was told
            to divide the CPU; None for all GPUs.

    Raises:
        UsageError: There are fewer.
    """
    if count == 1 or (count is None and len(tf.config.list_physical_devices("GPU")) == 0):
        return None
    gpus = [each.name for each in tf.config.list_logical_devices("GPU")]
    found = gpus or [each.name for each in tf.config.list_logical_devices("CPU")]
    if count is not None and count > len(found):
        seen = counted(len(gpus), "GPU") if gpus else "no GPU"
        raise UsageError(
            f"`devices={count}`: TensorFlow sees {seen}.",
            f"Give {len(found)} at most, or leave `devices` out for all GPUs.",
        )
    devices = tuple(found[:count])
    return _make(devices) if len(devices) > 1 else None


@cache
def _make(devices: tuple[str, ...]) -> Replicas:
    """Make the replicas of some devices once: compiled functions are bound to them."""
    return Replicas(devices)
