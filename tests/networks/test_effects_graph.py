"""Effects in the graph of an ensemble: those of the rows, added to what the members forecast."""

import numpy as np
import pytest

from forecast_cli.baselines.effects import (
    Cycle,
    Effects,
    Instead,
    Levels,
    Product,
    Signal,
    Term,
    row_effects,
)
from forecast_cli.config.covariates import Inputs
from forecast_cli.config.layers import Gru
from forecast_cli.config.network import Network

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 9, 4
# The target, then what is known ahead: a number, another, a category, sine and cosine.
INPUTS = Inputs(6, (0,), 1, known=(1, 2, 3, 4, 5), ahead=(1, 2, 3, 4, 5), categories={3: 2})
FIRST = Signal(name="a", place=0, center=0.3, scale=2.0, low=-1.0, high=1.0, knots=(-0.4, 0.2))
SECOND = Signal(name="b", place=1, center=0.0, scale=1.0, low=-9.0, high=9.0)
PHASE = Cycle(name="hour", sin=3, cos=4, harmonics=2)
INSTEAD = Instead(place=2, usual=1.0, within=0.5, cos=0.6, sin=0.8)
SPECIAL = PHASE.model_copy(update={"name": "hour x c", "instead": INSTEAD})
BLOCKS = {
    "smooth": (FIRST, None, 3),
    "mean": (FIRST.model_copy(update={"mean": 3}), None, 3),
    "lag": (SECOND.model_copy(update={"lag": 2}), None, 1),
    "lead": (SECOND.model_copy(update={"lag": -2}), None, 1),
    "levels": (Levels(name="c", place=2, count=2), None, 2),
    "product": (Product(first=FIRST, second=SECOND), None, 1),
    "cycle": (PHASE, None, 4),
    "by phase": (SECOND, PHASE, 1),
    "special days": (SPECIAL, None, 4),
}


def some_effects():
    rng = np.random.default_rng(0)
    terms = []
    for block, by, width in BLOCKS.values():
        weights = rng.normal(size=(width, 4 if by else 1)).round(3).tolist()
        terms.append(Term(block=block, by=by, weights=weights, offset=0.1))
    return Effects(terms=terms)


def some_rows():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3, TIMESTEPS + HORIZON, 6)).astype(np.float32)
    rows[..., 3] = rng.integers(0, 3, rows.shape[:2])
    angle = rng.random(rows.shape[:2]) * 6
    rows[..., 4], rows[..., 5] = np.sin(angle), np.cos(angle)
    rows[0, 2, 1] = rows[1, -1, 2] = np.nan
    return rows


def removed(rows):
    """The effects in each window by themselves, shape `(3, TIMESTEPS + HORIZON, 1)`."""
    return np.stack(
        [row_effects([some_effects()], each[:, 1:], np.array([0, len(each)])) for each in rows]
    )


def whole(**more):
    from forecast_cli.networks.build import build
    from forecast_cli.networks.ensemble_graph import combined

    network = Network(layers=(Gru(units=3),), anchor="last")
    member = build(network, TIMESTEPS, INPUTS, (HORIZON, 1), seed=0)
    given = {"maps": None, "combine": "mean"} | more
    return member, combined([member], (TIMESTEPS, INPUTS, (HORIZON, 1)), **given)


def test_members_read_what_effects_leave_and_effects_are_added_again():
    member, model = whole(effects=[some_effects()])
    rows, effects = some_rows(), removed(some_rows()).astype(np.float32)
    window, ahead = rows[:, :TIMESTEPS], np.ascontiguousarray(rows[:, TIMESTEPS:, 1:])
    left = window.copy()
    left[..., :1] -= effects[:, :TIMESTEPS]

    own = np.asarray(member([left, ahead])) + effects[:, TIMESTEPS:]
    np.testing.assert_allclose(np.asarray(model([window, ahead])), own, atol=1e-5)


def test_direct_baselines_forecast_without_the_effects():
    rng = np.random.default_rng(2)
    maps, direct = rng.normal(size=(2, 1, 1, TIMESTEPS, HORIZON)).astype(np.float32)
    shares = np.array([[0.2], [0.3], [0.5]], np.float32)
    how = {"maps": maps, "direct": direct, "combine": "weights", "weights": shares}
    member, model = whole(effects=[some_effects()], **how)
    rows, effects = some_rows(), removed(some_rows()).astype(np.float32)
    window, ahead = rows[:, :TIMESTEPS], np.ascontiguousarray(rows[:, TIMESTEPS:, 1:])
    left = window.copy()
    left[..., :1] -= effects[:, :TIMESTEPS]

    linear = [
        np.einsum("st,th->sh", part[..., 0], numbers[0, 0])[..., None]
        for part, numbers in ((left, maps), (window, direct))
    ]
    later = effects[:, TIMESTEPS:]
    mixed = 0.2 * (np.asarray(member([left, ahead])) + later) + 0.3 * (linear[0] + later)
    expected = mixed + 0.5 * linear[1]
    np.testing.assert_allclose(np.asarray(model([window, ahead])), expected, atol=1e-5)


def test_the_exported_graph_has_the_effects():
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.onnx_export import export_onnx

    _, model = whole(effects=[some_effects()])
    rows = some_rows()
    window, ahead = rows[:, :TIMESTEPS], np.ascontiguousarray(rows[:, TIMESTEPS:, 1:])
    # The export compares both.
    onnx = export_onnx(model, window, [ahead])

    forecast, _ = Runtime(onnx).carry(window, [ahead])
    np.testing.assert_allclose(forecast, np.asarray(model([window, ahead])), atol=1e-5)


def test_effects_on_quantiles_move_all_of_them():
    from forecast_cli.networks.build import build
    from forecast_cli.networks.ensemble_graph import combined

    network = Network(layers=(Gru(units=3),), anchor="last")
    member = build(network, TIMESTEPS, INPUTS, (HORIZON, 1, 3), seed=0)
    how = {"maps": None, "combine": "mean", "effects": [some_effects()]}
    model = combined([member], (TIMESTEPS, INPUTS, (HORIZON, 1, 3)), **how)
    rows, effects = some_rows(), removed(some_rows()).astype(np.float32)
    window, ahead = rows[:, :TIMESTEPS], np.ascontiguousarray(rows[:, TIMESTEPS:, 1:])
    left = window.copy()
    left[..., :1] -= effects[:, :TIMESTEPS]

    own = np.asarray(member([left, ahead])) + effects[:, TIMESTEPS:, :, None]
    np.testing.assert_allclose(np.asarray(model([window, ahead])), own, atol=1e-5)
