"""Each scaler against scikit-learn, whose numbers it keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast_cli.core.scaling import fit_scaling

KINDS = ["minmax", "standard", "robust"]
RNG = np.random.default_rng(0)
# Columns of different size and spread; the last one is constant.
TRAINING = RNG.normal([0, 1e6, -3, 7], [1, 500, 1e-3, 0], (200, 4))
LATER = RNG.normal([5, 2e6, 0, 9], [3, 5, 1, 1], (50, 4))


def scikit_learn(kind: str):
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    return {"minmax": MinMaxScaler, "standard": StandardScaler, "robust": RobustScaler}[kind]()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [TRAINING, LATER], ids=["training", "later"])
def test_transform_is_that_of_scikit_learn(kind, rows):
    expected = scikit_learn(kind).fit(TRAINING).transform(rows)
    np.testing.assert_allclose(
        fit_scaling(TRAINING, kind).transform(rows), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_inverse_is_that_of_scikit_learn(kind):
    scaled = RNG.normal(size=(50, 4))
    expected = scikit_learn(kind).fit(TRAINING).inverse_transform(scaled)
    np.testing.assert_allclose(
        fit_scaling(TRAINING, kind).inverse(scaled), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_constant_columns_become_zero_and_come_back(kind):
    rows = np.full((5, 2), [3.0, -1e9])
    scaling = fit_scaling(rows, kind)
    assert (scaling.transform(rows) == 0).all()
    assert (scaling.inverse(scaling.transform(rows)) == rows).all()


def test_none_changes_nothing():
    scaling = fit_scaling(TRAINING, "none")
    assert (scaling.transform(LATER) == LATER).all()
    assert (scaling.inverse(LATER) == LATER).all()


def test_rows_that_were_not_fitted_may_leave_the_range():
    scaling = fit_scaling(np.array([[10.0], [20.0]]), "minmax")
    assert scaling.transform(np.array([[5.0], [15.0], [40.0]])).ravel().tolist() == [-0.5, 0.5, 3.0]


@pytest.mark.parametrize("kind", [*KINDS, "none"])
@given(
    rows=arrays(
        float,
        st.tuples(st.integers(1, 20), st.integers(1, 3)),
        elements=st.integers(-(10**9), 10**9).map(lambda number: number / 1000),
    )
)
def test_inverse_undoes_transform(kind, rows):
    scaling = fit_scaling(rows, kind)
    back = scaling.inverse(scaling.transform(rows))
    np.testing.assert_allclose(back, rows, rtol=1e-12, atol=1e-12 * (1 + np.abs(rows).max()))


def test_only_takes_columns_in_the_order_asked_for():
    scaling = fit_scaling(TRAINING, "standard")
    picked = scaling.only([2, 0]).transform(LATER[:, [2, 0]])
    assert (picked == scaling.transform(LATER)[:, [2, 0]]).all()


def test_batches_are_scaled_along_the_last_axis():
    scaling = fit_scaling(TRAINING, "robust")
    batch = LATER.reshape(5, 10, 4)
    assert (scaling.transform(batch).reshape(50, 4) == scaling.transform(LATER)).all()
    assert (scaling.inverse(batch).reshape(50, 4) == scaling.inverse(LATER)).all()
