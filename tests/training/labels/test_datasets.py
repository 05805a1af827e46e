"""Samples drawn at random: the same again, all of them, and of every class its share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.sections import Split
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.training.labels.datasets import draw, split_sequences

PLACES = np.arange(100)


def shares(classes, places, count):
    return np.bincount(classes[places].astype(int), minlength=count)


def test_the_same_seed_draws_the_same():
    for first, second in zip(draw(PLACES, 20, 3), draw(PLACES, 20, 3), strict=True):
        np.testing.assert_array_equal(first, second)


def test_another_seed_draws_others():
    assert draw(PLACES, 20, 3)[1].tolist() != draw(PLACES, 20, 4)[1].tolist()


def test_drawing_leaves_what_numpy_draws_elsewhere_as_it_was():
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    draw(PLACES, 20, 3)
    assert np.random.random() == expected


def test_nothing_is_drawn_where_nothing_is_asked_for():
    stay, out = draw(PLACES, 0, 3)
    assert (stay.tolist(), len(out)) == (PLACES.tolist(), 0)


def test_what_is_drawn_comes_from_all_over_the_table():
    out = draw(np.arange(1000), 200, 0)[1]
    quarters = np.bincount(out // 250, minlength=4)
    assert quarters.min() > 30


@given(st.integers(2, 60), st.data())
def test_each_place_is_on_one_side_in_order(count, data):
    size = data.draw(st.integers(1, count - 1))
    seed = data.draw(st.integers(0, 1000))
    gaps = data.draw(st.lists(st.integers(1, 5), min_size=count, max_size=count))
    places = np.cumsum(gaps)
    classes = np.array(data.draw(st.lists(st.integers(0, 4), min_size=400, max_size=400)), float)
    strata = data.draw(st.sampled_from([None, classes]))
    stay, out = draw(places, size, seed, strata)
    assert len(out) == size
    assert sorted([*stay, *out]) == places.tolist()
    assert (np.diff(stay) > 0).all()
    assert (np.diff(out) > 0).all()


@given(st.lists(st.integers(6, 40), min_size=2, max_size=5), st.floats(0.15, 0.85), st.data())
def test_each_class_has_its_share_within_one(members, share, data):
    seed = data.draw(st.integers(0, 1000))
    classes = np.repeat(np.arange(len(members)), members).astype(float)
    classes = np.random.default_rng(seed).permutation(classes)
    size = max(len(members), round(share * len(classes)))
    out = draw(np.arange(len(classes)), size, seed, classes)[1]
    exact = np.array(members) * size / len(classes)
    assert (np.abs(shares(classes, out, len(members)) - exact) < 1).all()


@pytest.mark.parametrize(
    ("classes", "size"),
    [
        ([0.0] * 9 + [1.0], 3),
        ([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3),
        ([0.0] * 5 + [1.0] * 5, 1),
        ([0.0] * 5 + [1.0] * 5, 9),
    ],
    ids=["a class with one member", "only such", "fewer drawn than classes", "fewer left"],
)
def test_where_shares_cannot_be_kept_it_is_drawn_without_them(classes, size):
    stay, out = draw(np.arange(10), size, 0, np.array(classes))
    assert (len(out), len(stay)) == (size, 10 - size)
    plain = draw(np.arange(10), size, 0)[1]
    np.testing.assert_array_equal(out, plain)


def test_the_classes_of_places_are_looked_up_by_place():
    classes = np.array([9.0] * 10 + [0.0, 1.0] * 10)
    out = draw(np.arange(10, 30), 10, 0, classes)[1]
    assert out.min() >= 10
    assert shares(classes, out, 2).tolist() == [5, 5]


def test_splits_are_fractions_or_numbers_of_sequences():
    parts = split_sequences(50, Split(validation=0.1, test=7), 0)
    assert {name: len(each) for name, each in parts.items()} == {
        "train": 38,
        "validation": 5,
        "test": 7,
    }
    assert sorted(np.concatenate(list(parts.values()))) == list(range(50))


def test_a_small_fraction_is_one_sequence_and_nothing_is_none():
    parts = split_sequences(5, Split(validation=0, test=0.01), 0)
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [4, 0, 1]


def test_every_split_has_its_share_of_every_class():
    classes = np.repeat([0.0, 1, 2], [50, 30, 20])
    parts = split_sequences(100, Split(validation=0.1, test=0.2), 0, classes)
    assert shares(classes, parts["test"], 3).tolist() == [10, 6, 4]
    assert shares(classes, parts["validation"], 3).tolist() == [5, 3, 2]


def test_splits_that_leave_nothing_to_train_on_are_refused():
    with pytest.raises(DataError, match="10 sequences; 4 for validation and 6 for the test leave"):
        split_sequences(10, Split(validation=4, test=6), 0)


@pytest.mark.parametrize("size", [1.5, "2024-01-01"])
def test_a_size_that_is_no_number_of_sequences_is_refused(size):
    with pytest.raises(UsageError, match=f"`test={size}`"):
        split_sequences(10, Split(test=size), 0)


def test_a_size_that_cannot_be_is_a_usage_error():
    with pytest.raises(UsageError, match="Invalid `test="):
        split_sequences(10, Split(test=-1), 0)
