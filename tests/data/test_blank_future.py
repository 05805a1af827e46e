"""Tables of future covariates that nobody filled in."""

import numpy as np
import pytest

import forecast_cli as fc


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("date,promo\n", "a header and no rows"),
        ("date,promo\n2020-03-01,\n2020-03-02,\n", "is blank: it has no value of promo"),
        ("date,promo\n2020-03-01,NaN\n2020-03-02,NaN\n", "is blank"),
    ],
)
def test_a_blank_table_is_called_blank(linear, frame, write, text, words):
    table = frame.assign(promo=np.arange(len(frame)) % 2)
    model = linear(table, column="value", future_covariates="promo", horizon=2, timesteps=6)
    with pytest.raises(fc.DataError, match=words):
        model.predict(future=write(text, "future.csv"))
