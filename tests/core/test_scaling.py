"""Each scaler against scikit-learn, whose numbers it keeps."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast_cli.core.scaling import (
    LOW,
    decimals_of,
    fit_by_series,
    fit_piecewise,
    fit_scaling,
    rounded,
)

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


POSITIVE = np.exp(np.random.default_rng(1).normal([0, 3, 1], [1, 0.1, 2], (60, 3)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", ["log", "log1p"])
@pytest.mark.parametrize("columns", [None, 2])
def test_a_transform_of_the_first_columns_comes_before_the_scaler(kind, before, columns):
    changed = POSITIVE.copy()
    changed[:, :columns] = getattr(np, before)(POSITIVE[:, :columns])
    expected = scikit_learn(kind).fit_transform(changed)
    scaling = fit_scaling(POSITIVE, kind, before, columns)
    np.testing.assert_allclose(scaling.transform(POSITIVE), expected, rtol=1e-9, atol=1e-9)
    batch = scaling.transform(POSITIVE.reshape(5, 12, 3))
    np.testing.assert_allclose(batch.reshape(60, 3), expected, rtol=1e-9, atol=1e-9)
    targets = scaling.only(range(columns or 3))
    np.testing.assert_allclose(targets.inverse(expected[:, :columns]), POSITIVE[:, :columns])


@pytest.mark.parametrize(("before", "edge"), [("log", 0.0), ("log1p", -1.0)])
@pytest.mark.parametrize("kind", LOW)
def test_what_a_transform_is_not_defined_for_is_a_low_value(kind, before, edge):
    rows = np.repeat([[2.0], [4.0], [8.0]], 2, axis=1)
    later = np.array([[edge, edge], [edge - 1, edge - 1], [np.nan, np.nan]])
    for columns in (None, 1):
        found = fit_scaling(rows, kind, before, columns).transform(later)
        assert found[:2, 0].tolist() == [LOW[kind]] * 2 and np.isnan(found[2]).all()
        # A covariate is not transformed, and so has no such values.
        plain = fit_scaling(rows, kind).transform(later)
        np.testing.assert_array_equal(found[:, 1], found[:, 0] if columns is None else plain[:, 1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("before", "edge"), [("log", 0.0), ("log1p", -1.0)])
def test_rows_that_a_transform_is_not_defined_for_do_not_count(kind, before, edge):
    rows = np.array([[2.0], [edge], [8.0], [edge - 1], [4.0]])
    found, known = (fit_scaling(each, kind, before) for each in (rows, rows[::2]))
    assert (found.center, found.scale) == (known.center, known.scale)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_do_not_vary_have_a_scale_of_1(kind):
    """One whose deviation is rounding, one of missing values, and one that hardly ever varies."""
    rows = np.stack([[0.1] * 9, [np.nan] * 9, [3.0] * 8 + [4.0], np.arange(9.0)], axis=1)
    scaling = fit_scaling(rows, kind)
    assert scaling.scale[:2].tolist() == [1.0, 1.0] and scaling.scale[3] > 1
    assert scaling.center[0] == pytest.approx(0.1) and scaling.center[1] == 0.0
    assert (scaling.scale[2] == 1.0) == (kind != "standard")


def test_values_that_come_back_are_not_below_their_bound():
    scaling = replace(fit_scaling(TRAINING, "minmax"), lower=np.array([0.0, -np.inf, -3.0, 8.0]))
    plain = fit_scaling(TRAINING, "minmax").inverse(LATER)
    np.testing.assert_array_equal(scaling.inverse(LATER), np.maximum(plain, scaling.lower))
    picked = scaling.only([3, 0])
    np.testing.assert_array_equal(
        picked.inverse(LATER[:, [3, 0]]), scaling.inverse(LATER)[:, [3, 0]]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_scaled_by_the_numbers_of_its_series(kind):
    indptr, series = np.array([0, 80, 120, 200]), np.array([2, 0, 0, 1])
    scaling = fit_by_series(TRAINING, indptr, ["series", "series", "all", "none"], kind)
    samples = LATER[:20].reshape(4, 5, 4)
    found = scaling.each(series, steps=True).transform(samples)
    last = scaling.each(series).transform(samples[:, -1])
    whole = fit_scaling(TRAINING, kind)
    for place, own in enumerate(series):
        alone = fit_scaling(TRAINING[indptr[own] : indptr[own + 1]], kind).transform(samples[place])
        np.testing.assert_allclose(found[place, :, :2], alone[:, :2], rtol=1e-9)
        np.testing.assert_array_equal(found[place, :, 2], whole.transform(samples[place])[:, 2])
        np.testing.assert_array_equal(found[place, :, 3], samples[place, :, 3])
    np.testing.assert_array_equal(last, found[:, -1])
    assert whole.each(series, steps=True) is whole


def test_rounded_keeps_8_digits_and_the_shape():
    values = np.array([[12345678.9, 1 / 3], [-1e-300, 0.0]])
    assert rounded(values).tolist() == [[12345679.0, 0.33333333], [-1e-300, 0.0]]


def test_rounded_loses_no_unit_of_values_of_many_digits():
    values = np.array([1_000_000_646.4, -123_456_789_012.6, 2.123456789e15, 1.23456789012e300])
    assert rounded(values).tolist() == [1e9 + 646, -123_456_789_013.0, 2.1234568e15, 1.2345679e300]
    assert np.isnan(rounded(np.array([np.nan]))).all()
    assert rounded(np.array([np.inf])).tolist() == [np.inf]


@given(arrays(float, 5, elements=st.floats(-1e306, 1e306, allow_subnormal=False)))
def test_decimals_are_those_that_rounding_leaves(values):
    values = rounded(values)
    places = decimals_of(values).tolist()
    again = [round(value, place) for value, place in zip(values.tolist(), places, strict=True)]
    np.testing.assert_allclose(again, values, rtol=1e-15)


@pytest.mark.parametrize("before", ["none", "log1p"])
@pytest.mark.parametrize("kind", ["minmax", "standard", "maxabs", "none"])
@given(
    arrays(np.float64, (12, 3), elements=st.one_of(st.floats(-0.5, 1e6), st.just(np.nan))),
    st.sets(st.integers(1, 11)),
)
def test_rows_that_come_some_at_a_time_are_scaled_as_all_at_once(kind, before, rows, cuts):
    rows[:, 1] = 3.0
    pieces = np.split(rows, sorted(cuts))
    whole, found = fit_scaling(rows, kind, before), fit_piecewise(pieces, kind, before)
    size = np.nanmax(np.abs(rows), initial=1.0)
    np.testing.assert_allclose(found.center, whole.center, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(found.scale, whole.scale, rtol=1e-6, atol=1e-9 * size)


SERIES = np.array([0, 40, 40, 47, 90, 120])


@pytest.mark.parametrize("kind", [*KINDS, "maxabs", "none"])
@pytest.mark.parametrize("before", ["none", "log", "log1p"])
@pytest.mark.parametrize("columns", [None, 1])
def test_series_are_scaled_as_if_each_were_alone(kind, before, columns):
    """One of them has no row, one is constant, one has no value, one none that has a logarithm."""
    rows = np.exp(np.random.default_rng(2).normal(size=(120, 2)))
    rows[40:47] = 3.0
    rows[47:90, 0] = np.nan
    rows[90:, 0] = -5.0 - rows[90:, 0]
    rows[[3, 100], 1] = np.nan, np.inf
    whole = fit_scaling(rows, kind, before, columns)
    found = fit_by_series(rows, SERIES, ["series", "series"], kind, before, columns)
    for place, (first, end) in enumerate(pairwise(SERIES)):
        alone = fit_scaling(rows[first:end], kind, before, columns)
        for column in (0, 1):
            known = np.isfinite(rows[first:end, column]).any()
            expected = alone if known else whole
            np.testing.assert_allclose(found.center[place, column], expected.center[column])
            np.testing.assert_allclose(found.scale[place, column], expected.scale[column])
    assert (found.kind, found.before, found.columns) == (kind, before, columns)
    assert np.isfinite(found.center).all() and (found.scale > 0).all()


def test_series_keep_the_numbers_of_all_that_are_given():
    given = fit_scaling(TRAINING * 7, "standard")
    found = fit_by_series(
        TRAINING, np.array([0, 100, 200]), ["all", "series", "none", "all"], "standard", whole=given
    )
    for column, scope in enumerate(["all", "series", "none", "all"]):
        center, scale = found.center[:, column], found.scale[:, column]
        if scope == "series":
            alone = [fit_scaling(part, "standard") for part in np.split(TRAINING, 2)]
            np.testing.assert_allclose(center, [each.center[column] for each in alone])
            np.testing.assert_allclose(scale, [each.scale[column] for each in alone])
        else:
            numbers = (given.center[column], given.scale[column]) if scope == "all" else (0.0, 1.0)
            assert set(center) == {numbers[0]} and set(scale) == {numbers[1]}
    shared = fit_by_series(TRAINING, np.array([0, 200]), ["all", "all", "none", "all"], "minmax")
    assert shared.center.shape == (4,) and (shared.center[2], shared.scale[2]) == (0.0, 1.0)
    nothing = fit_by_series(TRAINING[:0], np.array([0, 0, 0]), ["series"] * 4, "minmax")
    assert nothing.center.tolist() == [[0.0] * 4] * 2 and nothing.scale.tolist() == [[1.0] * 4] * 2


def test_maxabs_keeps_ratios_and_the_size_of_constants():
    rows = np.array([[2.0, -4.0, np.nan, 0.0], [2.0, 1.0, np.nan, 0.0]])
    scaling = fit_scaling(rows, "maxabs")
    assert scaling.center.tolist() == [0.0] * 4 and scaling.scale.tolist() == [2.0, 4.0, 1.0, 1.0]
    assert scaling.transform(rows)[:, 1].tolist() == [-1.0, 0.25]


def test_decimals_end_where_whole_numbers_begin():
    values = [0.0, 1.0, -9.99, 1234.5, 12345678.0, 123456789.0, 9.99e14, 1e15, 1.5e17, 0.012]
    found = decimals_of(np.array([*values, np.nan, np.inf]))
    assert found.tolist() == [7, 7, 7, 4, 0, 0, 0, -8, -10, 9, 7, 7]


def test_whole_numbers_are_rounded_to_the_nearest():
    values = np.array([1e8 + 0.4, 1e8 + 0.6, 99_999_999.6, -1e8 - 0.6, 1e15 - 0.25, 1e15 + 100])
    expected = [1e8, 1e8 + 1, 1e8, -1e8 - 1, 1e15, 1e15]
    assert rounded(values).tolist() == expected


def test_a_series_that_hardly_ever_varies_has_a_scale_of_1():
    rows = np.array([3.0] * 9 + [4.0] + [1.0, 2.0, 3.0, 4.0])[:, None]
    found = fit_by_series(rows, np.array([0, 10, 14]), ["series"], "robust")
    assert found.scale.ravel().tolist() == [1.0, 1.5]


def test_the_least_of_all_values_is_low_but_not_undefined():
    assert fit_scaling(TRAINING, "standard").transform(np.full((1, 4), -np.inf)).max() == -np.inf


def test_rows_that_come_some_at_a_time_are_transformed_in_the_first_columns_alone():
    whole = fit_scaling(POSITIVE, "standard", "log", 1)
    found = fit_piecewise(np.split(POSITIVE, 3), "standard", "log", 1)
    np.testing.assert_allclose(found.center, whole.center)
    np.testing.assert_allclose(found.scale, whole.scale)
    assert (found.columns, found.before) == (1, "log")
    plain = fit_piecewise(np.split(POSITIVE, 3), "minmax")
    np.testing.assert_allclose(plain.center, POSITIVE.min(axis=0))


def test_the_scaler_of_all_series_is_fitted_as_asked_for():
    asked = []

    def fit(kind, rows):
        asked.append(kind)
        return np.full(4, 7.0), np.full(4, 2.0)

    indptr = np.array([0, 100, 200])
    found = fit_by_series(TRAINING, indptr, ["all", "series", "all", "all"], "standard", fit=fit)
    assert asked == ["standard"] and set(found.center[:, 0]) == {7.0}
    assert set(found.scale[:, 2]) == {2.0} and 7.0 not in found.center[:, 1]
