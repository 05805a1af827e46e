"""The weight of the pretrained network in an ensemble, learned from validation forecasts."""

from dataclasses import replace

import numpy as np

from ..baselines.ensemble_weights import fit_weights
from ..baselines.pretrained.forecaster import NETWORK
from ..config.members import member_names
from ..config.registries import NAIVE
from ..core.padding import owner_series
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..forecasting.intervals.calibration import evenly, parted, scaled_targets
from ..forecasting.network_forecaster import NetworkForecaster, forecast_by_member
from ..model.manifest import MemberRecord
from ..model.pretrained import PretrainedRuntime, open_member
from ..model.runtime import Runtime
from .ensemble_fitting import count_distinct, usual_errors_of
from .fitting import Fitted, Trained

# The weight before anything is learned, and the least one that is worth the time of a forecast.
PRIOR, LEAST = 0.5, 0.02
# Forecasts of the validation split that the weight is learned from, at most.
MOST = 200


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
        prior = MemberRecord(shares=(PRIOR,) * count, season_length=season, probe=probe)
        record = prior.model_copy(update={"shares": _learn_shares(trained, onnx, prior)})
    used = record is not None and any(record.shares)
    fitted = replace(trained.fitted, member=record, pretrained=onnx if used else None)
    return replace(trained, fitted=fitted)


def _learn_shares(
    trained: Trained[Dataset], onnx: bytes, record: MemberRecord
) -> tuple[float, ...]:
    """Return the weight of the pretrained network by target, shrunk towards the prior.

    It is 0 where the naive forecast has all the weight of the others: nothing was better.

    Args:
        trained: The others.
        onnx: The network.
        record: Its prior weights.
    """
    dataset, fitted = trained.dataset, trained.fitted
    origins = evenly(dataset.origins("validation"), 1, MOST)
    alone = _is_naive(trained)
    if not len(origins):
        return tuple(0.0 if last else PRIOR for last in alone)
    graph = NetworkForecaster(dataset, Runtime(fitted.onnx))
    made = np.concatenate([graph.forecast(part).point for part in parted(dataset, origins)])
    member = open_member(onnx, record, dataset.horizon)
    own = forecast_by_member(member, dataset, origins, dataset.horizon)
    actual = scaled_targets(dataset)[origins[:, None] + np.arange(dataset.horizon)]
    units = usual_errors_of(dataset)[owner_series(dataset.panel.indptr, origins)][:, None]
    distinct = count_distinct(dataset, origins, dataset.horizon)
    shares = []
    for place, last in enumerate(alone):
        both: Floats = np.stack([made[..., place], own[..., place]]) / units[..., place]
        share = fit_weights(
            both,
            actual[..., place] / units[..., place],
            np.array([1.0 - PRIOR, PRIOR]),
            distinct=distinct,
            squared=dataset.intermittent,
        )[1]
        shares.append(0.0 if last or share < LEAST else float(share))
    return tuple(shares)


def _is_naive(trained: Trained[Dataset]) -> list[bool]:
    """Whether the naive forecast has all the weight of the others, by target."""
    config, shares = trained.dataset.config, trained.fitted.shares
    if shares is None:
        return [False] * len(trained.dataset.targets)
    names = member_names(config, len(shares))
    naive = [place for place, name in enumerate(names) if name.startswith(NAIVE)]
    return [bool(each >= 1.0) for each in shares[naive].sum(axis=0)]
