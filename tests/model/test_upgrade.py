"""Manifests of older formats by the names that they have now."""

from forecast_cli.model.upgrade import upgrade, upgrade_scores

SCORES = {"network": {}, "last value": {}, "seasonal naive": {}, "drift": {}}


def manifest(**ensemble):
    """A part of a manifest of format 5."""
    evaluation = {"scores": SCORES, "best_baseline": "seasonal naive", "skill": 3.0}
    config = {"data": {"column": ["y"]}, "ensemble": ensemble}
    return {"format": 5, "config": config, "evaluation": evaluation, "rows": 60}


def test_baselines_have_one_name_each():
    new = upgrade(manifest(size=2, simple=["last", "linear-whole"]))
    assert new["format"] == 8
    assert new["rows"] == 60
    assert new["config"]["ensemble"] == {"size": 2, "baselines": ["naive", "ridge-full"]}
    assert list(new["evaluation"]["scores"]) == ["ensemble", "naive", "seasonal-naive", "drift"]
    assert new["evaluation"]["best_baseline"] == "seasonal-naive"
    assert new["evaluation"]["skill"] == 3.0


def test_members_that_are_no_longer_fitted_stand_by_another_name_each_once():
    old = ["smoothing", "theta", "linear-far", "drift"]
    new = upgrade(manifest(simple=old))["config"]["ensemble"]["baselines"]
    assert len({*new}) == len(old)
    assert (new[0], new[2:]) == ("smoothing", ["ridge-long", "structural"])


def test_what_is_of_the_format_already_or_has_no_scores_stays():
    new = upgrade(manifest(baselines=["naive"]))
    assert upgrade(new) == new
    old = {"format": 1, "config": {}, "evaluation": None}
    told = {"name": "lstm", "description": "LSTM(50), lookback 1"}
    assert upgrade(old) == {"format": 8, "config": {}, "evaluation": None, **told}


def test_the_row_of_the_model_has_its_name():
    for ensemble, name in (
        ({}, "lstm"),
        ({"size": 2}, "ensemble"),
        ({"simple": ["last"]}, "ensemble"),
    ):
        new = upgrade(manifest(**ensemble))
        assert new["name"] == new["evaluation"]["model"] == next(iter(new["evaluation"]["scores"]))
        assert new["name"] == name
    assert new["description"] == "1 LSTM network, naive; mean of all"


def test_columns_of_scores_by_series():
    rows = [{"shop": "A", "mase": 1.0, "mase of last value": 2.0}]
    assert upgrade_scores(rows) == [{"shop": "A", "mase": 1.0, "mase of naive": 2.0}]
