"""The words of errors and notes."""

import pytest

from forecast_cli.cli.spelling import as_flags
from forecast_cli.core.errors import DataError
from forecast_cli.core.events import Note


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 rows", "1 row"),
        ("t.csv: 1 rows, 1 missing weeks", "t.csv: 1 row, 1 missing week"),
        ("1 series are constant", "1 series is constant"),
        ("1 columns have gaps", "1 column has gaps"),
        ("(1 steps)", "(1 step)"),
        ("11 rows, 0.1 steps, 1,001 rows, 2024-01-1 days", None),
        ("line 1 columns", None),
        ("1 rows_total", None),
    ],
)
def test_one_of_something_has_no_plural(text, said):
    said = said or text
    assert Note(text).text == said
    assert DataError(text, text).message == said
    assert DataError(text, text).hint == said
    assert as_flags(text) == said
