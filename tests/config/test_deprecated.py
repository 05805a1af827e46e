"""Names of the version before are still read, with a warning."""

import pytest

from forecast_cli.config.resolution import configure

OLD = ["last", "seasonal", "structure", "corrected", "linear-short", "linear", "linear-whole"]
NEW = (
    "naive",
    "seasonal-naive",
    "structural",
    "smoothing-ridge",
    "ridge-short",
    "ridge",
    "ridge-full",
)


@pytest.mark.parametrize(
    ("settings", "base", "assignments"),
    [
        ({"simple": OLD}, {}, ()),
        ({"baselines": OLD}, {}, ()),
        ({}, {"ensemble": {"simple": OLD}}, ()),
        ({}, {"ensemble": {"baselines": OLD}}, ()),
    ],
)
def test_baselines_of_an_ensemble_by_their_old_names(settings, base, assignments):
    with pytest.warns(FutureWarning) as warned:
        config = configure(settings, base, assignments)
    assert config.ensemble.baselines == NEW
    texts = [str(each.message) for each in warned]
    assert "the baseline last is now called naive" in texts
    renamed = "`simple` is deprecated: use `baselines`" in texts
    assert renamed == ("simple" in {**settings, **base.get("ensemble", {})})


def test_the_old_path_of_the_setting():
    with pytest.warns(FutureWarning, match=r"`ensemble.simple` is deprecated"):
        config = configure({}, {}, ['ensemble.simple=["naive"]'])
    assert config.ensemble.baselines == ("naive",)


def test_current_names_warn_of_nothing():
    assert configure({"baselines": NEW}).ensemble.baselines == NEW
