"""A table that is written some rows at a time."""

from typing import IO, TYPE_CHECKING, Any

from .writer import TEXT, Format, render

if TYPE_CHECKING:
    import pandas as pd

# The formats to whose end rows can be added; a list of JSON has an end of its own.
ADDED: tuple[Format, ...] = ("csv", "tsv", "jsonl", "parquet")


class PartWriter:
    """Writes the rows of a table to a file as they come.

    Args:
        file: What they are written to, as bytes.
        format: One of `ADDED`.
        excel_safe: As in `render`.
    """

    def __init__(self, file: IO[bytes], format: Format, *, excel_safe: bool = False) -> None:
        self.file = file
        self.format = format
        self.excel_safe = excel_safe
        self.parquet: Any = None
        self.begun = False

    def write(self, frame: "pd.DataFrame") -> None:
        """Write some rows, with the same columns each time."""
        if self.format not in TEXT:
            self._write_group(frame)
            return
        data = render(frame, self.format, excel_safe=self.excel_safe)
        # The header is that of the first rows.
        head = render(frame.iloc[:0], self.format, excel_safe=self.excel_safe)
        self.file.write(data.removeprefix(head) if self.begun else data)
        self.begun = True

    def _write_group(self, frame: "pd.DataFrame") -> None:
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.Table.from_pandas(frame, preserve_index=False)
        if self.parquet is None:
            self.parquet = parquet.ParquetWriter(self.file, table.schema)
        self.parquet.write_table(table.cast(self.parquet.schema))

    def close(self) -> None:
        """Write what ends the table; the file stays open."""
        if self.parquet is not None:
            self.parquet.close()
