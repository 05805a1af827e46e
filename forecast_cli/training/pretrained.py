"""The pretrained network of a model: as it is, trained further, or as a member of an ensemble."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..baselines.ensemble_weights import fit_weights
from ..baselines.pretrained.features import OF_MEMBER, ORIGINS
from ..baselines.pretrained.forecaster import LEAST, describe_rows, seasons_of
from ..baselines.pretrained.members import members_of
from ..baselines.pretrained.network import INPUTS, LATEST, NETWORK, RULES
from ..config.members import member_names
from ..config.registries import NAIVE
from ..core.events import Listener, Note
from ..core.padding import owner_series
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..forecasting.intervals.calibration import evenly, parted, scaled_targets
from ..forecasting.network_forecaster import NetworkForecaster, forecast_by_member
from ..model.checkpoints import Keeper
from ..model.manifest import MemberRecord
from ..model.pretrained import PretrainedRuntime, open_member, open_pretrained
from ..model.records import TrainingHistory
from ..model.runtime import Runtime
from .ensemble_fitting import count_distinct, usual_errors_of
from .fitting import Fitted, Trained

if TYPE_CHECKING:
    from ..networks.pretrained_training import Examples, PretrainedTrainer

# What its file is called where layers are listed.
LAYER = "pretrained"
# Windows to train on: at most so many of a series, and in all; and to validate on.
OF_SERIES, MOST, MOST_HELD_OUT = 6, 3_000, 1_000
# Bytes of what is seen of them.
BYTES = 500_000_000
# Windows of about as many rows are cut to the same length: described together, they take less time.
WHOLE = 4
# What is further from what was expected than so many times the usual error is not learned from.
FAR = 100.0
# The weight of a member before anything is learned, and the least one that is worth the time of a
# forecast; forecasts of the validation split that it is learned from, at most.
PRIOR_SHARE, LEAST_SHARE, MOST_FORECASTS = 0.5, 0.02, 200
# A window: the first row of its series, its origin, and its target's position.
Window = tuple[int, int, int]


def take_pretrained(dataset: Dataset) -> Trained[Dataset]:
    """Return the pretrained network of the package for a dataset, as if it had been trained on it.

    Args:
        dataset: The data and the resolved configuration.
    """
    history = TrainingHistory(dataset.config.training, [], False)
    return _take(dataset, NETWORK.read_bytes(), history)


def _take(dataset: Dataset, onnx: bytes, history: TrainingHistory) -> Trained[Dataset]:
    network = open_pretrained(onnx, dataset.config)
    count = network.parameters
    shape = (dataset.horizon, len(dataset.targets))
    layer = {"name": LAYER, "type": "LSTM", "shape": shape, "parameters": count}
    return Trained(dataset, Fitted((history,), onnx, b"", [layer], probe=network.probe()))


def make_trainer(
    dataset: Dataset, before: Fitted | None, checkpoints: Keeper | None
) -> "PretrainedTrainer | None":
    """Return what trains the pretrained network further; None where no window has a whole horizon.

    Args:
        dataset: The data and the resolved configuration.
        before: As in `train_network`.
        checkpoints: As there.
    """
    from ..networks.pretrained import read_weights
    from ..networks.pretrained_training import PretrainedTrainer

    examples = _make_examples(dataset, _training_windows(dataset))
    if examples is None:
        return None
    return PretrainedTrainer(
        dataset.config,
        before=None if before is None else before.courses,
        checkpoints=checkpoints,
        weights=read_weights(NETWORK.read_bytes()),
        examples=examples,
        held_out=None if before else _make_examples(dataset, _validation_windows(dataset)),
    )


def take_finetuned(
    dataset: Dataset,
    trainer: "PretrainedTrainer",
    network: Any,
    history: TrainingHistory,
    on_event: Listener,
) -> Trained[Dataset]:
    """Return the network that was trained further; that of the package where it validates better.

    Args:
        dataset: The data and the resolved configuration.
        trainer: What trained it.
        network: The Keras model.
        history: How that went.
        on_event: Notified of the choice.
    """
    from ..networks.pretrained_training import export_finetuned, measure

    onnx = NETWORK.read_bytes()
    tuned = export_finetuned(network, onnx, trainer.examples)
    if trainer.held_out is not None:
        start, after = (measure(each, trainer.held_out) for each in (onnx, tuned))
        if not after < start:
            on_event(
                Note(
                    f"fine-tuning does not lower the validation loss ({after:.4g}, before it "
                    f"{start:.4g}): the pretrained network is kept as it was"
                )
            )
            config = dataset.config.changed(network={"finetuned": False})
            return take_pretrained(replace(dataset, config=config))
    return _take(dataset, tuned, history)


def _training_windows(dataset: Dataset) -> list[Window]:
    """Windows of the training rows, the latest of all series first, then those before."""
    begins, ends = dataset.splits.bounds("train")
    rng = np.random.default_rng(dataset.config.training.seed)
    every = []
    for number in range(OF_SERIES):
        origins = ends - dataset.horizon - number * max(1, dataset.horizon // 2)
        found = [
            (int(first), int(origin), target)
            for first, origin in zip(begins, origins, strict=True)
            if origin - first >= LEAST
            for target in dataset.targets
        ]
        every += [found[each] for each in rng.permutation(len(found))]
    return every


def _validation_windows(dataset: Dataset) -> list[Window]:
    """Windows whose whole horizon lies within the validation split, evenly if there are many."""
    origins = dataset.origins("validation")
    origins = origins[:: 1 + len(origins) * len(dataset.targets) // MOST_HELD_OUT]
    firsts = dataset.panel.indptr[owner_series(dataset.panel.indptr, origins)]
    return [
        (int(first), int(origin), target)
        for first, origin in zip(firsts, origins, strict=True)
        if origin - first >= LEAST
        for target in dataset.targets
    ]


def _make_examples(dataset: Dataset, windows: Sequence[Window]) -> "Examples | None":
    """Describe windows; those in which other seasons are seen than in most are left out."""
    from ..networks.pretrained_training import Examples

    horizon, season = dataset.horizon, dataset.config.network.season_length
    rows = {each: _rows(dataset, each) for each in windows[: 2 * MOST]}
    rows = {window: each for window, each in rows.items() if _is_usable(dataset, window, each)}
    if not rows:
        return None
    seasons = Counter(seasons_of(len(each), season) for each in rows.values()).most_common(1)[0][0]
    size = 4 * ORIGINS * 2 * len(members_of(seasons)) * (OF_MEMBER + horizon)
    kept = [each for each in rows if seasons_of(len(rows[each]), season) == seasons]
    kept = kept[: min(MOST, max(1, BYTES // size))]
    ahead = np.stack([dataset.filled[at : at + horizon, target] for _, at, target in kept])
    parts = list(describe_rows([rows[each] for each in kept], ahead, season, rules=RULES[LATEST]))
    inputs = {name: np.concatenate([given[name] for given, _, _ in parts]) for name in INPUTS[:-1]}
    actual, wider = (np.concatenate([part[at] for part in parts]) for at in (1, 2))
    known = np.flatnonzero(np.abs(actual).max(axis=1) < FAR)
    if not len(known):
        return None
    some = {name: each[known] for name, each in inputs.items()}
    return Examples(some | {"names": parts[0][0]["names"]}, actual[known], wider[known])


def _rows(dataset: Dataset, window: Window) -> Floats:
    """The rows of a window, from the first known one on, a few less where that cuts it short."""
    first, origin, target = window
    rows: Floats = dataset.filled[max(first, origin - dataset.timesteps) : origin, target]
    rows = rows[int(np.argmax(np.isfinite(rows))) :]
    return rows[len(rows) % WHOLE :] if len(rows) >= LEAST + WHOLE else rows


def _is_usable(dataset: Dataset, window: Window, rows: Floats) -> bool:
    """Whether the network can be trained with a window."""
    _, origin, target = window
    actual = dataset.panel.values[origin : origin + dataset.horizon, target]
    known = len(rows) >= LEAST and np.isfinite(rows).all() and np.isfinite(actual).all()
    return bool(known and np.ptp(rows) > 0)


def with_member(trained: Trained[Dataset], before: Fitted | None = None) -> Trained[Dataset]:
    """Return a trained ensemble with the pretrained network beside it, where it is to be a member.

    Args:
        trained: The networks and baselines in one graph, and their dataset.
        before: An earlier training whose weights are used; None to learn them.
    """
    if not trained.dataset.config.ensemble.has_pretrained:
        return trained
    onnx, dataset = NETWORK.read_bytes(), trained.dataset
    record = None if before is None else before.member
    if before is None:
        season, count = dataset.season_length, len(dataset.targets)
        probe = PretrainedRuntime(onnx, dataset.horizon, season).probe()
        prior = MemberRecord(shares=(PRIOR_SHARE,) * count, season_length=season, probe=probe)
        record = prior.model_copy(update={"shares": _find_shares(trained, onnx, prior)})
    used = record is not None and any(record.shares)
    fitted = replace(trained.fitted, member=record, pretrained=onnx if used else None)
    return replace(trained, fitted=fitted)


def _find_shares(trained: Trained[Dataset], onnx: bytes, record: MemberRecord) -> tuple[float, ...]:
    """Return the weight of the pretrained network by target: the given one, or a learned one.

    That is shrunk towards the prior, and 0 where the naive forecast has all the weight of the
    others: nothing was better.
    """
    dataset, fitted = trained.dataset, trained.fitted
    given = dataset.config.ensemble.pretrained_weight
    if given is not None:
        return (given,) * len(dataset.targets)
    origins = evenly(dataset.origins("validation"), 1, MOST_FORECASTS)
    alone = _is_naive(trained)
    if not len(origins):
        return tuple(0.0 if last else PRIOR_SHARE for last in alone)
    graph = NetworkForecaster(dataset, Runtime(fitted.onnx))
    made = np.concatenate([graph.forecast(part).point for part in parted(dataset, origins)])
    member = open_member(onnx, record, dataset.horizon)
    own = forecast_by_member(member, dataset, origins, dataset.horizon)
    actual = scaled_targets(dataset, origins[:, None] + np.arange(dataset.horizon))
    units = usual_errors_of(dataset)[owner_series(dataset.panel.indptr, origins)][:, None]
    distinct = count_distinct(dataset, origins, dataset.horizon)
    shares = []
    for place, last in enumerate(alone):
        both: Floats = np.stack([made[..., place], own[..., place]]) / units[..., place]
        share = fit_weights(
            both,
            actual[..., place] / units[..., place],
            np.array([1.0 - PRIOR_SHARE, PRIOR_SHARE]),
            distinct=distinct,
            squared=dataset.intermittent,
        )[1]
        shares.append(0.0 if last or share < LEAST_SHARE else float(share))
    return tuple(shares)


def _is_naive(trained: Trained[Dataset]) -> list[bool]:
    """Whether the naive forecast has all the weight of the others, by target."""
    config, shares = trained.dataset.config, trained.fitted.shares
    if shares is None:
        return [False] * len(trained.dataset.targets)
    names = member_names(config, len(shares))
    naive = [place for place, name in enumerate(names) if name.startswith(NAIVE)]
    return [bool(each >= 1.0) for each in shares[naive].sum(axis=0)]
