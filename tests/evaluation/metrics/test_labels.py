"""The measures of labels against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.seasonal_error import class_scores, confusion, r_squared

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)
ACTUAL = np.array([0, 0, 1, 1, 1, 3, 3, 3, 3])
GIVEN = np.array([0, 1, 1, 1, 3, 3, 3, 0, 3])


def scores(actual, given, classes):
    return class_scores(confusion(np.array(actual), np.array(given), classes))


def test_a_row_of_the_confusion_is_an_actual_class_and_a_column_a_given_one():
    table = confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@given(PAIRS)
def test_confusion_accuracy_and_f1_are_those_of_scikit_learn(pairs):
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    actual, given = map(list, zip(*pairs, strict=True))
    table = confusion(np.array(actual), np.array(given), 5)
    np.testing.assert_array_equal(table, confusion_matrix(actual, given, labels=range(5)))
    measures = class_scores(table)
    assert measures["accuracy"] == pytest.approx(accuracy_score(actual, given))
    # Without labels, scikit-learn takes the classes that stand in either, as we do.
    assert measures["macro_f1"] == pytest.approx(f1_score(actual, given, average="macro"))


def test_a_class_that_nobody_has_and_nobody_is_given_does_not_count():
    assert scores(ACTUAL, GIVEN, 4) == scores(ACTUAL, GIVEN, 9)


@pytest.mark.parametrize(
    ("actual", "given"),
    [([0, 0, 1], [0, 0, 2]), ([0, 1, 2], [0, 0, 0]), ([2, 2], [0, 1])],
    ids=["one is never right", "only one is given", "none is right"],
)
def test_f1_of_a_class_that_is_never_right_is_zero(actual, given):
    from sklearn.metrics import f1_score

    expected = f1_score(actual, given, average="macro")
    assert scores(actual, given, 3)["macro_f1"] == pytest.approx(expected)


def test_all_right_is_one_and_all_wrong_is_zero():
    assert scores([0, 1, 2], [0, 1, 2], 3) == {"accuracy": 1.0, "macro_f1": 1.0}
    assert scores([0, 1, 2], [1, 2, 0], 3) == {"accuracy": 0.0, "macro_f1": 0.0}


def test_scores_are_plain_numbers():
    assert all(type(value) is float for value in scores(ACTUAL, GIVEN, 4).values())


@given(st.integers(2, 30), st.integers(1, 3), st.integers(0, 1000))
def test_r2_of_each_label_is_that_of_scikit_learn(samples, labels, seed):
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(seed)
    actual, given = rng.normal(5, 3, (2, samples, labels))
    expected = r2_score(actual, given, multioutput="raw_values")
    np.testing.assert_allclose(r_squared(actual, given), expected, rtol=1e-9)


def test_r2_of_the_mean_is_zero_and_of_the_truth_one():
    actual = np.array([[1.0, 5], [2, 7], [6, 3]])
    assert r_squared(actual, actual).tolist() == [1, 1]
    mean = np.broadcast_to(actual.mean(axis=0), actual.shape)
    assert r_squared(actual, mean) == pytest.approx([0, 0], abs=1e-12)


def test_r2_is_undefined_where_the_label_does_not_vary():
    actual = np.array([[1.0, 4], [1, 5]])
    undefined, defined = r_squared(actual, actual + 1)
    assert np.isnan(undefined)
    assert np.isfinite(defined)


def test_r2_of_one_sequence_is_undefined():
    assert np.isnan(r_squared(np.array([[3.0]]), np.array([[2.0]]))).all()
