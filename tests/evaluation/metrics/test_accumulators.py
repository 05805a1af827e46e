"""Sums over many forecasts: what is worked on at once, and what is divided."""

import math

import numpy as np
import pytest

from forecast_cli.evaluation.metrics.accumulators import CELLS, Totals, blocks, ratio


@pytest.mark.parametrize("shape", [(3, 2 * CELLS), (7, CELLS // 2, 2), (25, CELLS // 10), (0, 4)])
def test_blocks_are_all_samples_in_order_and_no_larger_than_the_cache(shape):
    values = np.broadcast_to(0.0, shape)
    parts = [np.arange(shape[0])[part] for part in blocks(values)]
    assert np.concatenate(parts).tolist() == list(range(shape[0]))
    cells = values[:1].size
    assert all(len(part) == 1 or len(part) * cells <= CELLS for part in parts)
    assert len(parts) <= max(1, math.ceil(shape[0] * cells / CELLS))


def test_a_ratio_of_counts_is_undefined_where_there_are_none():
    np.testing.assert_array_equal(
        ratio(np.array([1, 0, 1]), np.array([4, 0, 0])), [0.25] + [np.nan] * 2
    )


@pytest.mark.parametrize("series", [[0, 0, 0, 2, 2], [2, 0, 2, 0, 0]])
def test_totals_are_loops_over_the_samples(series):
    """Whether the samples of a series follow each other or not."""
    values = np.random.default_rng(0).integers(0, 9, (5, 3, 2)).astype(np.float32)
    totals = Totals(4, 3, (2,))
    for _ in range(2):
        totals.add(np.array(series), found=values)
    for own in range(4):
        expected = 2 * values[np.array(series) == own].sum(axis=(0, 1))
        assert totals.by_series["found"][own].tolist() == expected.tolist()
    assert totals.by_step["found"].tolist() == (2 * values.sum(axis=0)).tolist()
    assert totals.overall["found"].tolist() == (2 * values.sum(axis=(0, 1))).tolist()
