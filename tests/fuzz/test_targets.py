"""Random input is accepted or refused, and never ends in another exception."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .mutations import mutate, mutate_json
from .targets import TARGETS

# Inputs of each target; `benchmarks/fuzz.py` runs many more.
EXAMPLES = {"tables": 60, "dates": 25, "config": 300, "assignments": 300, "manifest": 40,
            "model": 300}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_accepted_or_refused(name, tmp_path):
    target = TARGETS[name]
    accepted = [target.accepts(seed, tmp_path / "input") for seed in target.seeds()]
    assert any(accepted)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_changed_seeds_are_accepted_or_refused(name, tmp_path):
    target, draw = TARGETS[name], random.Random(1)
    seeds = target.seeds()
    change = mutate_json if target.kind == "json" else mutate
    inputs = [change(draw.choice(seeds), seeds, draw) for _ in range(EXAMPLES[name])]
    accepted = [target.accepts(each, tmp_path / "input") for each in inputs]
    assert not all(accepted)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_many_changed_seeds(name, tmp_path):
    target, draw = TARGETS[name], random.Random(2)
    seeds, ends = target.seeds(), time.monotonic() + 20
    change = mutate_json if target.kind == "json" else mutate
    while time.monotonic() < ends:
        made = change(draw.choice(seeds), seeds, draw)
        assert target.accepts(made, tmp_path / "input") in (True, False)


@pytest.mark.parametrize("name", ["config", "model"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_or_accepted(name, tmp_path, data):
    assert TARGETS[name].accepts(data, tmp_path / "input") in (True, False)


@pytest.mark.parametrize("name", ["tables", "dates", "assignments"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=st.text(max_size=40))
def test_any_text_is_refused_or_accepted(name, tmp_path, text):
    assert TARGETS[name].accepts(text.encode(errors="replace"), tmp_path / "input") in (True, False)
