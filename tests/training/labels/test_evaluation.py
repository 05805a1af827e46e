"""The measures of labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.training.labels.evaluation import class_scores, r_squared

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)
ACTUAL = np.array([0, 0, 1, 1, 1, 3, 3, 3, 3])
GIVEN = np.array([0, 1, 1, 1, 3, 3, 3, 0, 3])


def scores(actual, given):
    return class_scores(np.array(actual), np.array(given))


@given(PAIRS)
def test_f1_is_the_mean_over_the_classes_that_occur_on_either_side(pairs):
    actual, given = map(np.array, zip(*pairs, strict=True))
    right, measures = actual == given, scores(actual, given)
    assert measures["accuracy"] == pytest.approx(right.mean())
    f1 = [
        2 * np.sum(right & (actual == each)) / (np.sum(actual == each) + np.sum(given == each))
        for each in {*actual.tolist(), *given.tolist()}
    ]
    assert measures["macro_f1"] == pytest.approx(np.mean(f1))


@pytest.mark.parametrize(
    ("actual", "given"),
    [([0, 0, 1], [0, 0, 2]), ([0, 1, 2], [0, 0, 0]), ([2, 2], [0, 1])],
    ids=["one is never right", "only one is given", "none is right"],
)
def test_f1_of_a_class_that_is_never_right_is_zero(actual, given):
    classes = {*actual, *given}
    right = {each for each, other in zip(actual, given, strict=True) if each == other}
    assert scores(actual, given)["macro_f1"] <= len(right) / len(classes)


def test_all_right_is_one_and_all_wrong_is_zero():
    assert scores([0, 1, 2], [0, 1, 2]) == {"accuracy": 1.0, "macro_f1": 1.0}
    assert scores([0, 1, 2], [1, 2, 0]) == {"accuracy": 0.0, "macro_f1": 0.0}


def test_scores_are_plain_numbers():
    assert all(type(value) is float for value in scores(ACTUAL, GIVEN).values())


@given(st.integers(2, 30), st.integers(1, 3), st.integers(0, 1000))
def test_r2_is_the_explained_share_of_the_variance_of_each_label(samples, labels, seed):
    rng = np.random.default_rng(seed)
    actual, given = rng.normal(5, 3, (2, samples, labels))
    expected = 1 - np.mean((actual - given) ** 2, axis=0) / np.var(actual, axis=0)
    np.testing.assert_allclose(r_squared(actual, given), expected, rtol=1e-9)


def test_r2_of_the_mean_is_zero_and_of_the_truth_one():
    actual = np.array([[1.0, 5], [2, 7], [6, 3]])
    assert r_squared(actual, actual).tolist() == [1, 1]
    mean = np.broadcast_to(actual.mean(axis=0), actual.shape)
    assert r_squared(actual, mean) == pytest.approx([0, 0], abs=1e-12)


def test_r2_is_undefined_where_the_label_does_not_vary():
    actual = np.array([[1.0, 4], [1, 5]])
    undefined, defined = r_squared(actual, actual + 1)
    assert not np.isfinite(undefined)
    assert np.isfinite(defined)


def test_r2_of_one_sequence_is_undefined():
    assert np.isnan(r_squared(np.array([[3.0]]), np.array([[2.0]]))).all()
