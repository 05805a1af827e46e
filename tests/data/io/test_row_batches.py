"""Folders of Parquet files, read some rows at a time."""

import pandas as pd
import pytest

from forecast_cli.core.errors import DataError
from forecast_cli.data.io.row_batches import RowBatches

ROWS = pd.DataFrame({"id": ["a", "b"], "value": [1.0, 2.0]})


def test_a_folder_of_files_is_read_as_one_table_of_all_of_them(tmp_path):
    (tmp_path / "later").mkdir()
    ROWS.to_parquet(tmp_path / "1.parquet")
    ROWS.to_parquet(tmp_path / "later" / "2.parquet")
    assert RowBatches(str(tmp_path)).count == 4


def test_a_folder_without_a_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no file \*\.parquet"):
        RowBatches(str(tmp_path))


def test_files_whose_columns_differ_are_refused_and_the_rest_is_read(tmp_path):
    ROWS.to_parquet(tmp_path / "1.parquet")
    other = tmp_path / "2.parquet"
    ROWS.astype({"value": str}).to_parquet(other)
    with pytest.raises(DataError, match=r'2\.parquet: column "value" is .*, and double in'):
        RowBatches(str(tmp_path))
    other.rename(tmp_path / "2.other")
    assert RowBatches(str(tmp_path)).count == 2
