"""Simulated series: repeatable, finite, of every kind, and made from nothing but random numbers."""

import builtins
import io
import os

import numpy as np
import pytest

from pretraining.simulator import COMPONENTS, PROBABILITY, Shape, simulate

SHAPES = [
    Shape(5, 8),
    Shape(5, 44, (4,)),
    Shape(3, 5000, (24, 168)),
    Shape(5, 30, (288,)),
]


def source(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_series_are_finite_and_the_same_for_the_same_seed(shape):
    values = simulate(source(), shape)
    assert values.shape == (shape.series, shape.steps)
    assert np.isfinite(values).all()
    assert np.array_equal(values, simulate(source(), shape))
    assert not np.array_equal(values, simulate(source(1), shape))


@pytest.mark.parametrize("name", COMPONENTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_component_has_series_of_its_own(name, shape):
    values = COMPONENTS[name](source(), shape)
    assert values.shape == (shape.series, shape.steps)
    assert np.isfinite(values).all()
    assert len(np.unique(values, axis=0)) == shape.series
    assert 0 < PROBABILITY[name] <= 1


def test_a_season_comes_again():
    for name, length in (("season", 12), ("second season", 60)):
        values = COMPONENTS[name](source(), Shape(200, 600, (12, 60)))
        steps = np.abs(np.diff(values)).mean(axis=1)
        again = np.abs(values[:, length:] - values[:, :-length]).mean(axis=1)
        # Half of the seasons are fixed; blocks change at few steps.
        assert np.mean(again < steps) > 0.5, name


def test_some_are_counts_and_some_are_never_negative():
    values = simulate(source(), Shape(400, 60, (12,)))
    counts = (values == np.round(values)).all(axis=1)
    assert 0.05 < counts.mean() < 0.2
    assert (values[counts] >= 0).all()
    assert 0.4 < (values >= 0).all(axis=1).mean() < 0.99


def test_no_file_is_read(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError(f"a file was opened: {args}")

    for module in (builtins, io, os):
        monkeypatch.setattr(module, "open", refuse)
    monkeypatch.setattr(np, "load", refuse)
    monkeypatch.setattr(np, "fromfile", refuse)
    for shape in SHAPES[:2]:
        assert np.isfinite(simulate(source(), shape)).all()
