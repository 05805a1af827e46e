"""The text of the script that trains with plain Keras, and its parts by setting."""

# Code of what the network learns from: the name or function for Keras, and what defines it.
PINBALL = '''

def pinball(actual, forecast):
    """The loss of the quantile {quantile}."""
    error = actual - forecast
    return keras.ops.mean(keras.ops.maximum({quantile} * error, ({quantile} - 1) * error), axis=-1)
'''
LOSSES: dict[str | None, tuple[str, str]] = {
    None: ('"mse"', ""),
    "mse": ('"mse"', ""),
    "mae": ('"mae"', ""),
    "huber": ('"huber"', ""),
    "log-cosh": ('"log_cosh"', ""),
    "pinball": ("pinball", PINBALL),
}
OPTIMIZERS = {
    "adam": "Adam", "adamw": "AdamW", "adamax": "Adamax", "nadam": "Nadam", "rmsprop": "RMSprop",
    "sgd": "SGD", "adagrad": "Adagrad", "lion": "Lion",
}  # fmt: skip
SCALERS = {
    "minmax": "center, scale = known.min(axis=0), np.ptp(known, axis=0)",
    "standard": "center, scale = known.mean(axis=0), known.std(axis=0)",
    "robust": "low, center, high = np.percentile(known, [25, 50, 75], axis=0)\n"
    "    scale = high - low",
    "none": "center, scale = np.zeros(known.shape[1]), np.ones(known.shape[1])",
}
FORWARD = {"log": "np.log(rows)", "log1p": "np.log1p(rows)"}
BACKWARD = {"log": "np.exp({})", "log1p": "np.expm1({})"}
UNDEFINED = """
    # What has no logarithm is read as a low value.
    scaled[rows <= {above:g}] = {low:g}"""
CALLBACKS = {
    "patience": 'keras.callbacks.EarlyStopping("{watched}", patience={patience}, '
    "restore_best_weights=True)",
    "constant": "",
    "cosine": "keras.callbacks.LearningRateScheduler(\n"
    "            lambda epoch: {rate} * 0.5 * (1 + math.cos(math.pi * epoch / EPOCHS))\n"
    "        )",
    "exponential": "keras.callbacks.LearningRateScheduler(\n"
    "            lambda epoch: {rate} * 0.01 ** (epoch / {last})\n"
    "        )",
    "plateau": 'keras.callbacks.ReduceLROnPlateau("{watched}", factor=0.5, patience=5, '
    "min_delta=0)",
}
WHOLE = "scaled = network.predict(x, verbose=0)"
# A network that forecasts one step is fed its own forecasts.
FED_BACK = """made = []
    for _ in range(HORIZON):
        step = network.predict(x, verbose=0)
        made.append(step)
        x = np.concatenate([x[:, 1:], step], axis=1)
    scaled = np.concatenate(made, axis=1)"""

TEMPLATE = '''"""Train with plain Keras what `forecast train` trained: {name}

Give it the path of the table as a CSV ({shown}, where none is given). It was written by forecast
{version}, needs Keras, TensorFlow, NumPy and pandas, and is yours to change. Prediction intervals,
baselines and the checks of the table stay behind.
"""

{imports}import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
import pandas as pd

COLUMNS = {columns}  # what a window holds
TARGETS = {targets}  # the places of those that are forecast
TIMESTEPS, HORIZON = {timesteps}, {horizon}  # rows of a window, steps ahead
STEPS = {steps}  # steps that the network forecasts at once
TRAIN, VALIDATION, TEST = {train}, {validation}, {test}  # rows of each split, in order of time
EPOCHS, BATCH_SIZE = {epochs}, {batch_size}

keras.utils.set_random_seed({seed})


def read_rows(path):
    """The rows of the table, oldest first: shape (rows, columns)."""
    rows = pd.read_csv(path)[COLUMNS].to_numpy(float)[: TRAIN + VALIDATION + TEST]
    if len(rows) < TRAIN + VALIDATION + TEST or np.isnan(rows).any():
        sys.exit(f"{{path}}: {{TRAIN + VALIDATION + TEST}} rows without gaps were expected")
    return rows


def scale_rows(rows):
    """Scaled rows, with center and scale: fitted on the training rows, nothing later is known."""
    changed = {forward}
    known = changed[:TRAIN]
    {scaler}
    scale = np.where(scale > 0, scale, 1.0)
    scaled = (changed - center) / scale{undefined}
    return scaled, center, scale


def to_units(scaled, center, scale):
    """Forecasts in the units of the table."""
    values = {backward}{lower}
    return values


def make_windows(scaled, begin, end, steps):
    """All windows whose targets are rows from `begin` to before `end`, and these targets.

    A window may reach back into the split before; no target is shared between splits.
    """
    places = range(max(begin, TIMESTEPS), end - steps + 1)
    x = np.stack([scaled[place - TIMESTEPS : place] for place in places])
    y = np.stack([scaled[place : place + steps, TARGETS] for place in places])
    return x.astype("float32"), y.astype("float32")


def build():
    """The network: from a window (timesteps, columns) to a forecast (steps, targets)."""
    state = window = keras.Input((TIMESTEPS, len(COLUMNS)))
    {layers}
    state = keras.layers.Dense(STEPS * len(TARGETS))(state)
    return keras.Model(window, keras.layers.Reshape((STEPS, len(TARGETS)))(state))
{loss_function}

def compile_network(network):
    """Set what is learned, and how."""
    network.compile(keras.optimizers.{optimizer}({arguments}), loss={loss})


def forecast(network, x):
    """Scaled forecasts of the whole horizon: shape (windows, HORIZON, targets)."""
    {forecast}
    return scaled


def main(path):
    """Train, and score the forecasts on the test rows."""
    rows = read_rows(path)
    scaled, center, scale = scale_rows(rows)
    network = build()
    compile_network(network)
    held = make_windows(scaled, TRAIN, TRAIN + VALIDATION, STEPS) if VALIDATION else None
    callbacks = [{callbacks}
    ]
    history = network.fit(
        *make_windows(scaled, 0, TRAIN, STEPS),
        validation_data=held,
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        callbacks=callbacks,
        verbose=2,
    ).history
    print("lowest loss", min(history["val_loss" if VALIDATION else "loss"]))
    if TEST >= HORIZON:
        x, y = make_windows(scaled, TRAIN + VALIDATION, len(rows), HORIZON)
        errors = to_units(forecast(network, x), center, scale) - to_units(y, center, scale)
        print("mae of the test rows", np.abs(errors).mean(axis=(0, 1)))
    network.save("network.keras")
    print("saved network.keras")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else {table})
'''
