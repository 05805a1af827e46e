"""Effects of what is known ahead: the right ones are found, of the right size, and no others."""

import numpy as np
import pytest
from scipy.signal import lfilter

from forecast_cli.baselines.effect_fitting import EffectProblem, fit_effects
from forecast_cli.baselines.effects import Cycle, row_effects

DAYS, WEEK = 1500, 7
PHASE = 2 * np.pi * np.arange(DAYS) / WEEK
CYCLE = Cycle(name="dayofweek", sin=0, cos=1, harmonics=3)
WEEKDAYS = np.column_stack([np.sin(PHASE), np.cos(PHASE)])
ONE = np.array([0, DAYS])


def memory(rng, share=0.7, size=0.3):
    return lfilter([1.0], [1.0, -share], size * rng.standard_normal(DAYS))


def fit(target, *columns, categories=None, indptr=ONE):
    known = np.column_stack([WEEKDAYS, *columns])
    names = ["dayofweek_sin", "dayofweek_cos", *(f"x{n}" for n in range(len(columns)))]
    problem = EffectProblem(
        target, known, indptr, names, categories or {}, [CYCLE], (WEEK,), 14, 70
    )
    return known, fit_effects(problem)


def response(effects, known, place, before, after):
    """By how much the effect differs between two values of a covariate."""
    low, high = known.copy(), known.copy()
    low[:, 2 + place], high[:, 2 + place] = before, after
    indptr = np.array([0, len(known)])
    return float(
        np.mean(row_effects([effects], high, indptr) - row_effects([effects], low, indptr))
    )


def test_the_response_to_cold_and_heat_is_that_of_the_simulation():
    rng = np.random.default_rng(0)
    temperature = 12 + 9 * np.sin(2 * np.pi * np.arange(DAYS) / 365) + memory(rng, 0.9, 1.5)
    heating, cooling = np.maximum(0, 15 - temperature), np.maximum(0, temperature - 20)
    known, effects = fit(0.5 * heating + 0.8 * cooling + memory(rng), temperature)

    assert response(effects, known, 0, 10.0, 0.0) == pytest.approx(5.0, rel=0.15)
    assert response(effects, known, 0, 20.0, 24.0) == pytest.approx(3.2, rel=0.15)
    assert response(effects, known, 0, 16.0, 19.0) == pytest.approx(0.0, abs=0.4)


def test_forty_columns_of_noise_are_left_alone():
    rng = np.random.default_rng(1)
    price, promotion = rng.normal(size=DAYS), (rng.random(DAYS) < 0.2).astype(float)
    noise = [memory(rng, 0.9 * (n % 2)) for n in range(40)]
    _, effects = fit(-0.5 * price + promotion + memory(rng), price, promotion, *noise)

    assert {term.name for term in effects.terms} == {"x0", "x1"}


@pytest.mark.parametrize("columns", [0, 1])
def test_where_nothing_varies_that_is_known_ahead_there_are_no_effects(columns):
    target = memory(np.random.default_rng(3))
    known, names = np.ones((DAYS, columns)), ["x0"][:columns]
    problem = EffectProblem(target, known, ONE, names, {}, [], (WEEK,), 14, 70)
    assert fit_effects(problem).terms == ()


def test_of_noise_alone_nothing_is_left():
    rng = np.random.default_rng(2)
    _, effects = fit(memory(rng, 1.0), *(memory(rng, 1.0) for _ in range(6)))

    assert not [term for term in effects.terms if term.name.startswith("x")]


def test_an_effect_may_come_later_and_an_event_before_itself():
    rng = np.random.default_rng(3)
    advertising, event = rng.random(DAYS), (rng.random(DAYS) < 0.05).astype(float)
    later = 2.0 * np.roll(advertising, 2)
    before = 1.5 * np.roll(event, -1)
    known, effects = fit(later + before + memory(rng, 0.5), advertising, event)

    found = row_effects([effects], known, ONE)[5:-5, 0]
    assert np.corrcoef(found, (later + before)[5:-5])[0, 1] > 0.97


def test_an_effect_may_differ_by_the_weekday():
    rng = np.random.default_rng(4)
    event, sunday = (rng.random(DAYS) < 0.1).astype(float), np.arange(DAYS) % WEEK == 6
    truth = np.where(sunday, 0.0, 3.0 * event)
    known, effects = fit(truth + memory(rng), event)

    found = row_effects([effects], known, ONE)[:, 0]
    with_event = event > 0
    apart = found[with_event & ~sunday].mean() - found[with_event & sunday].mean()
    assert apart > 2.0


def test_categories_have_effects_of_their_own_and_unknown_ones_none():
    rng = np.random.default_rng(5)
    kind = rng.integers(1, 4, DAYS).astype(float)
    truth = np.array([0.0, 2.0, -1.0])[kind.astype(int) - 1]
    known, effects = fit(truth + memory(rng), kind, categories={2: 3})

    assert response(effects, known, 0, 1.0, 2.0) == pytest.approx(2.0, rel=0.1)
    assert response(effects, known, 0, 1.0, 3.0) == pytest.approx(-1.0, rel=0.1)
    assert np.isfinite(response(effects, known, 0, 1.0, 0.0))


def test_missing_values_and_several_short_series_are_taken():
    rng = np.random.default_rng(6)
    price, level = rng.normal(size=DAYS), np.repeat(np.arange(15.0), DAYS // 15)
    target = level - price + memory(rng)
    target[::9], price[::11] = np.nan, np.nan
    indptr = np.arange(0, DAYS + 1, DAYS // 15)
    known, effects = fit(target, price, indptr=indptr)

    assert response(effects, known, 0, 0.0, 1.0) == pytest.approx(-1.0, rel=0.15)
    assert np.isfinite(row_effects([effects], known, indptr)).all()


def test_a_category_that_does_nothing_is_no_effect():
    rng = np.random.default_rng(7)
    category = 1.0 + (np.arange(DAYS) % 3)
    problem = EffectProblem(
        memory(rng), category[:, None], ONE, ["kind"], {0: 3}, [], (WEEK,), 14, 70
    )
    assert not fit_effects(problem).terms
