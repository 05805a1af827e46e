"""A model's training as a script of plain Keras, for people who take it from there."""

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from ...config.layers import Convolution, Frozen, Normalization, Recurrent, split_term
from ...config.registries import CELLS
from ...core.errors import UsageError
from ...core.scaling import ABOVE, LOW, Transform
from ...model.bundle import Bundle
from ...model.manifest import Manifest
from .script_template import (
    BACKWARD,
    CALLBACKS,
    FED_BACK,
    FORWARD,
    LOSSES,
    OPTIMIZERS,
    SCALERS,
    TEMPLATE,
    UNDEFINED,
    WHOLE,
)

REGULARIZERS = {"l1": "L1", "l2": "L2", "l1_l2": "L1L2"}
CONSTRAINTS = {
    "max_norm": "MaxNorm", "min_max_norm": "MinMaxNorm", "non_neg": "NonNeg",
    "unit_norm": "UnitNorm",
}  # fmt: skip
# Settings of a layer that follow from its place, or are written in another way.
NO_ARGUMENTS = {
    "type", "bidirectional", "merge_mode", "residual", "return_sequences", "return_state",
    "stateful", "implementation", "use_cudnn", "zero_output_for_mask",
}  # fmt: skip


def export_keras_script(bundle: Bundle) -> bytes:
    """Return a script that trains with Keras what the training of a model trained.

    Only what one network learned from the values of one series can be expressed.

    Raises:
        UsageError: The training did what a small script does not.
    """
    manifest = bundle.manifest
    if beyond := list(_beyond(manifest)):
        raise UsageError(
            f"A script of plain Keras cannot express this model: {'; '.join(beyond)}.",
            "Train a plain network for it (the preset classic, without covariates); or export the "
            "trained one with `format=keras`.",
        )
    return TEMPLATE.format(**_constants(manifest), **_parts(manifest)).encode()


def _beyond(manifest: Manifest) -> Iterator[str]:
    """Name what a script cannot express of a model."""
    config = manifest.config
    network, training, data = config.network, config.training, config.data
    if not config.ensemble.alone:
        yield "it is an ensemble"
    if manifest.series or data.layout not in (None, "long"):
        yield "it forecasts several series"
    if manifest.covariates.names:
        yield f"it reads covariates ({', '.join(manifest.covariates.names[:3])})"
    if config.quantile_levels:
        yield "its network forecasts quantiles"
    if network.head not in ("last", "recursive"):
        yield f"its head is {network.head}"
    if network.relative or network.channels != "joint" or network.masked:
        yield f"windows are read in another way ({network.relative or 'channels or mask'})"
    if any(each.residual for each in network.recurrent):
        yield "it has residual connections"
    if training.loss not in LOSSES:
        yield f"its loss is {training.loss}"
    for name in ("average", "ema", "steps_per_epoch"):
        if getattr(training, name):
            yield f"it was trained with {name.replace('_', ' ')}"
    if training.precision != "float32":
        yield f"it was trained with precision {training.precision}"
    if data.missing != "error":
        yield "missing steps were filled"
    if data.resample or data.query:
        yield "its rows were computed from those of the table"


def _constants(manifest: Manifest) -> dict[str, Any]:
    """Return what stands at the beginning of the script."""
    config, splits = manifest.config, manifest.splits
    origin = manifest.run.origin
    files = [each.path for each in origin.files] if origin else []
    table = files[0] if len(files) == 1 else "table.csv"
    return {
        "name": _harmless(manifest.name),
        "version": version("forecast-cli"),
        "table": json.dumps(table),
        "shown": _harmless(table),
        "columns": json.dumps(list(manifest.features), ensure_ascii=False),
        "targets": list(manifest.columns.inputs.targets),
        "timesteps": manifest.timesteps,
        "horizon": manifest.horizon,
        "steps": 1 if config.window.mode == "many-to-one" else manifest.horizon,
        "train": splits.train,
        "validation": splits.validation,
        "test": splits.test,
        "epochs": config.training.epochs,
        "batch_size": config.training.batch_size,
        "seed": config.training.seed,
    }


def _harmless(text: str) -> str:
    """Return text for a docstring, on one line, without what could end it."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())


def _parts(manifest: Manifest) -> dict[str, Any]:
    """Return the code that differs from model to model."""
    config, training = manifest.config, manifest.config.training
    before: Transform = config.transform
    watched = "val_loss" if manifest.splits.validation else "loss"
    alone = config.window.mode == "many-to-one" and manifest.horizon > 1
    lower = [each for each in manifest.lower if each is not None]
    bounds = [float("-inf") if each is None else each for each in manifest.lower]
    bounds = [bounds[place] for place in manifest.columns.inputs.targets] if lower else []
    loss, more = LOSSES[training.loss]
    return {
        "scaler": SCALERS[config.scaler],
        "forward": FORWARD.get(before, "rows"),
        "undefined": UNDEFINED.format(above=ABOVE[before], low=LOW[config.scaler])
        if before != "none"
        else "",
        "backward": BACKWARD.get(before, "{}").format("scaled * scale[TARGETS] + center[TARGETS]"),
        "lower": f"\n    values = np.maximum(values, {bounds})".replace("-inf", "-np.inf")
        if lower
        else "",
        "layers": "\n    ".join(_layers(manifest)),
        "imports": "import math\n" if training.schedule == "cosine" else "",
        "loss": loss,
        "loss_function": more.format(quantile=training.quantile or 0.5),
        "optimizer": OPTIMIZERS[training.optimizer],
        "arguments": _optimizer(manifest),
        "callbacks": "".join(
            f"\n        {each},"
            for each in (
                CALLBACKS["patience"].format(watched=watched, patience=training.patience)
                if training.patience
                else "",
                CALLBACKS[training.schedule].format(
                    watched=watched, rate=training.learning_rate, last=max(training.epochs - 1, 1)
                ),
            )
            if each
        ),
        "forecast": FED_BACK if alone else WHOLE,
    }


def _optimizer(manifest: Manifest) -> str:
    """Return the arguments of the optimizer."""
    training = manifest.config.training
    given = {
        "learning_rate": training.learning_rate,
        "weight_decay": training.weight_decay,
        "global_clipnorm": training.clip,
    }
    return ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)


def _layers(manifest: Manifest) -> Iterator[str]:
    """Return a line for each layer of the network."""
    layers = manifest.config.network.layers
    last = max(place for place, layer in enumerate(layers) if isinstance(layer, Recurrent))
    for place, layer in enumerate(layers):
        yield f"state = {_layer(layer, sequences=place < last)}(state)"


def _layer(layer: Frozen, *, sequences: bool) -> str:
    """Return a Keras layer as code, with the arguments that are not Keras's defaults."""
    arguments = dict(_arguments(layer))
    if isinstance(layer, Recurrent):
        arguments |= {"return_sequences": "True"} if sequences else {}
        name = CELLS[layer.type].keras
    elif isinstance(layer, Convolution):
        name = "Conv1D"
        arguments |= {"padding": '"causal"'}
    else:
        name = "LayerNormalization" if isinstance(layer, Normalization) else "Dense"
    code = f"keras.layers.{name}({', '.join(f'{k}={v}' for k, v in arguments.items())})"
    if isinstance(layer, Recurrent) and layer.bidirectional:
        merge = f', merge_mode="{layer.merge_mode}"' if layer.merge_mode else ""
        return f"keras.layers.Bidirectional({code}{merge})"
    return code


def _arguments(layer: Frozen) -> Iterator[tuple[str, str]]:
    """Return the arguments of a layer as code."""
    needed = ("units", "filters", "kernel_size", "activation")
    for name, value in layer:
        default = type(layer).model_fields[name].default
        if name in NO_ARGUMENTS or (value == default and name not in needed):
            continue
        if isinstance(layer, Recurrent) and name == "activation" and value == "tanh":
            continue
        kinds = {"_regularizer": REGULARIZERS, "_constraint": CONSTRAINTS}
        kind = next((kinds[end] for end in kinds if name.endswith(end)), None)
        if kind and value is not None:
            term, numbers = split_term(value)
            module = "regularizers" if kind is REGULARIZERS else "constraints"
            yield name, f"keras.{module}.{kind[term]}({', '.join(map(repr, numbers))})"
        else:
            yield name, json.dumps(value) if isinstance(value, str) else repr(value)
