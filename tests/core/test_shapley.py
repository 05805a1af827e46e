"""Shapley values against the mean over all orders."""

from itertools import permutations

import numpy as np
import pytest

from forecast_cli.core.shapley import EXACT, shapley_values


def game(players, seed):
    """A function with interactions of all orders, of shape (coalitions, 2)."""
    draw = np.random.default_rng(seed)
    weights, pairs = draw.normal(size=(players, 2)), draw.normal(size=(players, players))

    def value(masks):
        on = masks.astype(float)
        joint = np.einsum("ci,ij,cj->c", on, pairs, on)
        return np.stack([np.exp(on @ weights[:, 0] / players), on @ weights[:, 1] + joint], axis=1)

    return value


@pytest.mark.parametrize("players", [1, 2, 4])
def test_few_players_get_their_mean_over_all_orders(players):
    value = game(players, players)
    base, parts = shapley_values(value, players)
    orders, expected = list(permutations(range(players))), np.zeros((players, 2))
    for order in orders:
        on = np.zeros((1, players), bool)
        for player in order:
            before = value(on)[0]
            on[0, player] = True
            expected[player] += (value(on)[0] - before) / len(orders)
    np.testing.assert_allclose(parts, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(base, value(np.zeros((1, players), bool))[0])


@pytest.mark.parametrize("players", [3, EXACT, EXACT + 1, 40])
def test_the_parts_sum_to_the_whole_and_who_does_nothing_gets_nothing(players):
    inner = game(players - 1, 7)
    base, parts = shapley_values(lambda masks: inner(masks[:, 1:]), players, seed=3)
    whole = inner(np.ones((1, players - 1), bool))[0]
    np.testing.assert_allclose(base + parts.sum(axis=0), whole, rtol=1e-9)
    np.testing.assert_allclose(parts[0], 0.0, atol=1e-12)


def test_many_players_are_near_their_exact_values_and_repeatable():
    draw = np.random.default_rng(5)
    weights = draw.normal(size=12)
    _, parts = shapley_values(lambda on: on @ weights, 12, seed=1)
    np.testing.assert_allclose(parts, weights)
    value = game(8, 2)
    one, same = (shapley_values(value, 8, seed=4)[1] for _ in range(2))
    np.testing.assert_array_equal(one, same)


def test_without_players_there_is_the_base_alone():
    base, parts = shapley_values(lambda masks: np.full((len(masks), 3), 2.0), 0)
    assert base.tolist() == [2.0] * 3 and len(parts) == 0
