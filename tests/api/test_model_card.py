"""The model card: what a page of Markdown tells of a model."""

import pytest

from forecast_cli.api.model_card import write_card


@pytest.fixture
def model(linear, frame):
    hostile = frame.rename(columns={"value": "<script>|*x*", "other": "other"})
    return linear(hostile, column="<script>|*x*", past_covariates="other", horizon=3, timesteps=12)


def test_it_tells_columns_splits_scores_layers_and_settings(model):
    card = write_card(model.bundle, "model.forecast")
    assert card.startswith("# model.forecast\n")
    assert "| columns | past covariates other |" in card
    assert "train from 2000-01-01, " in card and "test from 2016-01-01" in card
    for title in ("Verdict", "Scores", "Settings"):
        assert f"\n## {title}\n" in card
    assert '"timesteps": 12' in card


def test_names_are_no_marks_of_markdown(model):
    tables = write_card(model.bundle, "model.forecast").partition("## Settings")[0]
    assert "<script>" not in tables.replace(r"\<script\>", "")
    assert r"\<script\>\|\*x\*" in tables
    rows = [line for line in tables.splitlines() if line.startswith("| forecast ")]
    assert rows and not any(r"\|" in row for row in rows[:1])
