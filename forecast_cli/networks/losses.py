"""Losses and optimizers by name."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..config.registries import LOSSES, LossEntry
from ..config.sections import Training
from ..core.scaling import Units

# From actual and forecast values, and the series of each sample, to one value for each, (batch,).
Loss = Callable[..., tf.Tensor]


def pinball(actual: tf.Tensor, forecast: tf.Tensor, quantile: Any = 0.5) -> tf.Tensor:
    """Return the quantile loss, of shape `(batch, ...)`.

    Args:
        actual: Shape `(batch, ..., targets)`, scaled.
        forecast: As `actual`.
        quantile: Between 0 and 1; one for all values, or an array of shape `(targets,)`.

    Source: Koenker and Bassett (1978), Regression Quantiles.
    """
    error = actual - forecast
    return tf.reduce_mean(tf.maximum(quantile * error, (quantile - 1.0) * error), axis=-1)


def mape(actual: tf.Tensor, forecast: tf.Tensor) -> tf.Tensor:
    """Return the absolute percentage error; shapes as in `pinball`, original units, never 0."""
    share = tf.math.divide_no_nan(tf.abs(actual - forecast), tf.abs(actual))
    return 100.0 * tf.reduce_mean(share, axis=-1)


def smape(actual: tf.Tensor, forecast: tf.Tensor) -> tf.Tensor:
    """Return the symmetric percentage error, 0 to 200, as in M4; 0 where both values are 0.

    Shapes as in `pinball`, original units.
    """
    size = tf.abs(actual) + tf.abs(forecast)
    return tf.reduce_mean(200.0 * tf.math.divide_no_nan(tf.abs(actual - forecast), size), axis=-1)


def owa(actual: tf.Tensor, forecast: tf.Tensor, naive_smape: Any = 1.0) -> tf.Tensor:
    """Return the mean of the scaled error and the relative symmetric percentage error.

    Args:
        actual: Shape `(batch, ..., targets)`, in units of the naive forecast's error.
        forecast: As `actual`.
        naive_smape: Shape `(targets,)`: the symmetric percentage error of the naive forecast.

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), The M4 Competition: the overall
    weighted average of sMAPE and MASE.
    """
    size = tf.abs(actual) + tf.abs(forecast)
    error = tf.abs(actual - forecast)
    share = 200.0 * tf.math.divide_no_nan(error, size) / naive_smape
    return tf.reduce_mean(0.5 * (error + share), axis=-1)


# By the names of `forecast_cli.config.registries.LOSSES`. Each is a mean over the last axis:
# (batch, ..., targets) -> (batch, ...).
FUNCTIONS: dict[str, Callable[..., tf.Tensor]] = {
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
    "log-cosh": keras.losses.log_cosh,
    "pinball": pinball,
    "mape": mape,
    "smape": smape,
    "mase": keras.losses.mean_absolute_error,
    "owa": owa,
    "cross-entropy": keras.losses.categorical_crossentropy,
}
BACKWARD = {"none": tf.identity, "log": tf.exp, "log1p": tf.math.expm1}

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


def make_loss(
    training: Training,
    units: Units | None,
    *,
    gaps: bool = False,
    quantiles: tuple[float, ...] = (),
) -> Loss:
    """Return a function from actual and forecast values to the loss of each sample.

    Args:
        training: Its `loss` and `quantile`.
        units: Of the outputs, where the loss is taken in original units.
        gaps: Whether actual values may be missing; the mean is over those that are known.
        quantiles: Shape `(quantiles,)`, between 0 and 1: the last axis of a forecast, for a network
            that forecasts several; the loss is then their mean.

    Returns:
        From actual values `(batch, horizon, targets)`, forecasts of the same shape (of quantiles
        with that axis behind) and the series of each sample, `(batch,)`, to losses `(batch,)`.
    """
    loss = _chosen(training, units, quantiles)
    converter = None if units is None else _converter(LOSSES[training.loss or "mse"], units)

    def sample_losses(
        actual: tf.Tensor, forecast: tf.Tensor, series: tf.Tensor | None = None
    ) -> tf.Tensor:
        if quantiles:
            actual = actual[..., None]
        share = _known_share(actual) if gaps else 1.0
        if gaps:
            # No error where the actual value is missing, and a mean over fewer values.
            actual = tf.where(tf.math.is_finite(actual), actual, forecast)
        if converter is not None:
            actual, forecast = converter(actual, series), converter(forecast, series)
        losses = loss(actual, forecast)
        return tf.reduce_mean(losses, axis=range(1, len(losses.shape))) / share

    return sample_losses


def _chosen(training: Training, units: Units | None, quantiles: tuple[float, ...]) -> Loss:
    """Return the loss of a training, with what it takes beside values, shape `(batch, ...)`."""
    name = training.loss or "mse"
    loss, needs = FUNCTIONS[name], LOSSES[name]
    if needs.takes_quantile:
        one = 0.5 if training.quantile is None else training.quantile
        loss = partial(loss, quantile=np.array(quantiles, np.float32) if quantiles else one)
    if needs.takes_naive_smape and units is not None and units.naive_smape is not None:
        loss = partial(loss, naive_smape=units.naive_smape.astype(np.float32))
    return loss


def _known_share(actual: tf.Tensor) -> tf.Tensor:
    """Return the share of each sample's values that is known, `(batch,)`; 1 where none is."""
    known = tf.cast(tf.math.is_finite(actual), tf.float32)
    share = tf.reduce_mean(known, axis=range(1, len(actual.shape)))
    return tf.where(share > 0.0, share, 1.0)


def _converter(loss: LossEntry, units: Units) -> Callable[[Any, Any], Any] | None:
    """Return what converts scaled values to the units of a loss; None where it needs none."""
    if loss.units == "scaled":
        return None
    scaling, naive = units.scaling, loss.units == "naive error"
    share = 1.0 / units.naive_error if naive else np.ones_like(units.naive_error)
    numbers = [
        np.broadcast_to(each, share.shape).astype(np.float32)
        for each in (scaling.center, scaling.scale, share)
    ]

    def convert(values: tf.Tensor, series: tf.Tensor | None) -> tf.Tensor:
        center, scale, own = (_of_series(each, series, values) for each in numbers)
        return BACKWARD[scaling.before](values * scale + center) * own

    return convert


def _of_series(numbers: Any, series: tf.Tensor | None, values: tf.Tensor) -> tf.Tensor:
    """Return the numbers of each series, `(n_series, targets)`, in the shape of the values."""
    if series is None or len(numbers) == 1:
        return tf.constant(numbers[0])
    between = [1] * (len(values.shape) - 2)
    return tf.reshape(tf.gather(numbers, series), [-1, *between, numbers.shape[-1]])


def make_optimizer(training: Training) -> keras.optimizers.Optimizer:
    """Return the optimizer with its learning rate; `clip` bounds the norm of the whole gradient.

    In float16 small gradients would be 0: the loss is multiplied by a scale, which is adapted as
    the training goes, and steps whose gradients overflow are left out.
    """
    more: dict[str, Any] = {}
    if training.weight_decay is not None:
        more["weight_decay"] = training.weight_decay
    if training.ema is not None:
        more |= {"use_ema": True, "ema_momentum": training.ema}
    optimizer = OPTIMIZERS[training.optimizer](
        learning_rate=training.learning_rate, global_clipnorm=training.clip, **more
    )
    if training.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
