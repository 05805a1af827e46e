"""Days that resemble another day of the week, by hours and by days."""

import numpy as np
import pytest
from scipy.signal import lfilter

from forecast_cli.baselines.effect_fitting import EffectProblem, fit_effects
from forecast_cli.baselines.effects import Cycle, row_effects
from forecast_cli.baselines.special_days import find_special_days

HOURS, DAYS = 24, 300
WEEK = Cycle(name="dayofweek", sin=2, cos=3, harmonics=3)
CYCLES = [Cycle(name="hour", sin=0, cos=1, harmonics=6), WEEK]


def calendar(steps, hours):
    """Sines and cosines of hour and weekday, shape `(steps, 4)`."""
    number = np.arange(steps)
    phases = (2 * np.pi * (number % hours) / hours, 2 * np.pi * (number // hours % 7) / 7)
    return np.column_stack([f(phase) for phase in phases for f in (np.sin, np.cos)])


def simulate(rng, hours=HOURS, days=DAYS):
    """Load by hour whose holidays have the profile of a weekend, and which days are holidays."""
    holiday = np.zeros(days, bool)
    holiday[rng.choice(np.arange(days), 14, replace=False)] = True
    clock, day = np.tile(np.arange(hours), days), np.repeat(np.arange(days), hours)
    work = 3.0 * np.sin(np.pi * clock / max(hours, 2)) + 1.0
    free = (day % 7 >= 5) | holiday[day]
    noise = lfilter([1.0], [1.0, -0.8], 0.2 * rng.standard_normal(len(day)))
    return np.where(free, 0.5, work) + noise, holiday[day].astype(float), free


@pytest.mark.parametrize("hours", [HOURS, 1], ids=["hours", "days"])
def test_a_holiday_is_found_to_be_a_day_of_the_weekend(hours):
    rng = np.random.default_rng(3)
    target, holiday, _ = simulate(rng, hours)
    known = np.column_stack([calendar(len(target), hours), holiday])
    cycles = CYCLES if hours > 1 else [WEEK]

    (found,) = find_special_days(target, known, np.array([0, len(target)]), cycles, [(4, "off")])

    day = round(np.arctan2(found.instead.sin, found.instead.cos) % (2 * np.pi) / (2 * np.pi) * 7)
    assert found.name == "dayofweek x off"
    assert day in (5, 6)


def test_effects_have_the_profile_of_a_holiday_whatever_its_weekday():
    rng = np.random.default_rng(4)
    target, holiday, free = simulate(rng)
    indptr = np.array([0, len(target)])
    names = ["hour_sin", "hour_cos", "dayofweek_sin", "dayofweek_cos", "off"]
    known = np.column_stack([calendar(len(target), HOURS), holiday])
    effects = fit_effects(EffectProblem(target, known, indptr, names, {}, CYCLES, (24,), 24, 48))

    made = row_effects([effects], known, indptr)[:, 0]
    noon = np.arange(len(target)) % HOURS == HOURS // 2
    special = (holiday > 0) & noon
    ordinary = made[noon & ~free].mean()
    assert made[special].std() < 0.2
    assert ordinary - made[special].mean() == pytest.approx(3.5, abs=0.4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "kind", ["noise", "frequent", "many values", "constant", "missing", "sunday"]
)
def test_other_covariates_mark_no_special_days(kind):
    rng = np.random.default_rng(5)
    target, _, _ = simulate(rng)
    covariate = {
        "noise": np.repeat(rng.random(DAYS) < 0.05, HOURS).astype(float),
        "frequent": np.repeat(rng.random(DAYS) < 0.5, HOURS).astype(float),
        "many values": rng.normal(size=len(target)),
        "constant": np.ones(len(target)),
        "missing": np.full(len(target), np.nan),
        # All days of a kind are special: there is no profile of their own to compare with.
        "sunday": (np.arange(len(target)) // HOURS % 7 == 6).astype(float),
    }[kind]
    # Holidays that the covariate does not know are no special days of its own.
    known = np.column_stack([calendar(len(target), HOURS), covariate])
    assert not find_special_days(target, known, np.array([0, len(target)]), CYCLES, [(4, "x")])


def test_without_days_of_the_week_there_are_no_special_ones():
    target = np.zeros(50)
    assert not find_special_days(target, np.ones((50, 5)), np.array([0, 50]), [], [(4, "x")])
