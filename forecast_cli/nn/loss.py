"""Losses and optimizers by name."""

from collections.abc import Callable

import keras
import tensorflow as tf

from ..config import Training

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

# Each is a mean over the last axis: (batch, horizon, targets) -> (batch, horizon).
LOSSES: dict[str, Loss] = {
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
    "log-cosh": keras.losses.log_cosh,
}

OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "adamax": keras.optimizers.Adamax,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
    "adagrad": keras.optimizers.Adagrad,
    "lion": keras.optimizers.Lion,
}


def sample_losses(name: str, actual: tf.Tensor, forecast: tf.Tensor) -> tf.Tensor:
    """The loss of each sample, shape `(batch,)`, of arrays `(batch, horizon, targets)`."""
    return tf.reduce_mean(LOSSES[name](actual, forecast), axis=1)


def make_optimizer(training: Training) -> keras.optimizers.Optimizer:
    """The optimizer with its learning rate; `clip` bounds the norm of the whole gradient."""
    decay = {} if training.weight_decay is None else {"weight_decay": training.weight_decay}
    return OPTIMIZERS[training.optimizer](
        learning_rate=training.learning_rate, global_clipnorm=training.clip, **decay
    )
