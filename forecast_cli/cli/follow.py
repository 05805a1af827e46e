"""`forecast predict --follow`: rows from stdin as they come, a forecast after each."""

import codecs
import csv
import json
import os
import select
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..core.brief import visible
from ..core.errors import UsageError
from ..core.events import Note
from ..data.io.remote import is_address
from ..data.io.writer import COMPRESSED, guess_format, is_unknown, plain
from ..model.file_writing import unwritable
from .console import Console
from .inputs import model_flag
from .options import OutputOptions, Reading
from .outputs import spare
from .predict_options import PredictOptions, check_state
from .signals import caught, note, received, stop
from .spelling import levels

if TYPE_CHECKING:
    from ..forecasting.stream.row_reader import LineParser
    from ..forecasting.stream.stream import Stream

WRITTEN = ("csv", "tsv", "jsonl")
DIALECTS = {"csv": "excel", "tsv": "excel-tab"}
# Bytes that are read at once; and of a line that never ends.
CHUNK, LONGEST = 65_536, 1_000_000
# Seconds from one writing of the state to the next.
SAVED_EVERY = 60.0


class LineWriter:
    """Writes entries, and flushes them at once."""

    def __init__(self, file: TextIO, form: str, columns: Sequence[str], tail: bytes = b"") -> None:
        """Write to an open file; `tail` is the last byte of what it holds already."""
        self.file, self.columns, self.tail = file, columns, tail
        self.table: Any = None
        if form in DIALECTS:
            self.table = csv.writer(file, DIALECTS[form], lineterminator="\n")

    def begin(self) -> None:
        """Write the header, unless it is there; end a line that was cut off, as by a full disk."""
        if self.tail:
            self.file.write("" if self.tail == b"\n" else "\n")
        elif self.table is not None:
            self.table.writerow(self.columns)
        self.file.flush()

    def write(self, entries: list[dict[str, Any]]) -> None:
        """Write entries in lines."""
        if self.table is None:
            text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in entries)
            self.file.write(text)
        else:
            self.table.writerows([_cell(value) for value in each.values()] for each in entries)
        self.file.flush()


@contextmanager
def open_writer(output: str, form: str, columns: Sequence[str]) -> Iterator[LineWriter]:
    """Open stdout, or a file to append to.

    Raises:
        UsageError: The file cannot be written, or holds a table of other columns.
    """
    if output == "-":
        yield LineWriter(sys.stdout, form, columns)
        return
    path = Path(output)
    try:
        tail = _last_byte(path)
        if tail and form in DIALECTS:
            _check_header(path, form, columns)
        file = open(path, "a", encoding="utf-8", newline="")  # noqa: SIM115
    except OSError as error:
        raise UsageError(*unwritable(path, error)) from None
    with file:
        yield LineWriter(file, form, columns, tail)


def _last_byte(path: Path) -> bytes:
    """Return the last byte of a file; none of a pipe, a device, or what does not exist."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 1, 0))
        return file.read(1)


def _check_header(path: Path, form: str, columns: Sequence[str]) -> None:
    """Refuse to add lines to a table of other columns."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        found = next(csv.reader([file.readline(1_000_000)], DIALECTS[form]), [])
    if found != list(columns):
        raise UsageError(
            f"{path} has the columns {visible(', '.join(found))}; the lines to append have "
            f"{visible(', '.join(columns))}.",
            "Name another file with -o.",
        )


def _cell(value: Any) -> Any:
    """Return a value as a cell of CSV, numbers without exponents."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return value
    text = repr(value)
    return plain(value) if "e" in text else text.removesuffix(".0")


def choose_form(options: PredictOptions) -> str:
    """Return the format of the output.

    Raises:
        UsageError: It cannot be written line by line.
    """
    output = options.output
    if is_address(output):
        raise UsageError("--follow writes to files and standard output.", "Name a file with -o.")
    if options.format is None and output != "-" and is_unknown(output):
        raise UsageError(
            f"{output}: unsupported output format {''.join(Path(output).suffixes[-2:])}.",
            f"Name a file that ends with .{', .'.join(WRITTEN)}; or pass --format.",
        )
    form = options.format or guess_format(output) or "csv"
    packed = output.lower().endswith(COMPRESSED)
    if form not in WRITTEN or packed:
        raise UsageError(
            f"--follow writes line by line, and {'compressed' if packed else form} output is not.",
            f"Choose a --format of {', '.join(WRITTEN)}.",
        )
    return form


def follow(reading: Reading, output_options: OutputOptions, options: PredictOptions) -> None:
    """Forecast a stream; the options are those of `predict`."""
    from ..forecasting.stream.live_model import StreamRequest
    from ..forecasting.stream.row_reader import LineParser
    from ..forecasting.stream.saved_stream import load_stream
    from ..forecasting.stream.stream import Stream
    from ..model.loading import load_bundle

    _refuse_others(output_options, options)
    console, form = Console(output_options), choose_form(options)
    check_state(options.output, options.state)
    spare(options.output, [options.model, options.state, *options.futures])
    bundle = load_bundle(options.model)
    level = levels(",".join(options.level)) if options.level else ()
    request = StreamRequest(
        options.horizon, level, options.intervals, options.anomalies,
        options.false_alarm_rate or StreamRequest.false_alarm_rate, dict(reading),
    )  # fmt: skip
    stream = Stream(
        bundle,
        request,
        every=options.every,
        only=tuple(options.only or ()),
        future=options.futures[0] if options.futures else None,
        on_event=console.on_event,
    )
    if options.state is not None and load_stream(stream, options.state):
        console.say(f"continues from {options.state}")
    parser = LineParser(stream.reader.needed, stream.model.data.delimiter)
    with open_writer(options.output, form, stream.records.columns) as writer:
        run = _Run(stream, parser, writer, options.state)
        try:
            run.over(_Lines(sys.stdin.fileno(), stream.model.data.encoding or "utf-8"))
        finally:
            run.end(console)


class _Run:
    """A stream between its lines and its output."""

    def __init__(
        self, stream: "Stream", parser: "LineParser", writer: LineWriter, state: Path | None
    ) -> None:
        self.stream, self.parser, self.writer, self.state = stream, parser, writer, state
        self.saved, self.changed, self.stopped = time.monotonic(), True, ""
        # What cannot be written is refused before the first row comes.
        self._save()

    def over(self, lines: "_Lines") -> None:
        """Forecast after each line, until their end or a signal."""
        self.writer.begin()
        for line in lines:
            if line is not None:
                self._take(line)
            if self.state is not None and time.monotonic() - self.saved >= SAVED_EVERY:
                self._save_now_and_then()
        self.stopped = f"stopped by {received()}" if lines.stopped else "end of input"

    def _take(self, line: str) -> None:
        """Forecast after a line."""
        try:
            record = self.parser.parse(line)
        except ValueError as error:
            self.stream.where = f"line {self.parser.number:,}"
            self.stream.tally.read += 1
            self.stream.reject(str(error))
            return
        if record is None:
            return
        self.stream.where = f"line {self.parser.number:,}"
        self.changed = True
        if made := self.stream.push(record):
            self.writer.write(made)

    def _save(self) -> None:
        """Write the state where rows came since the last time."""
        from ..forecasting.stream.saved_stream import save_stream

        self.saved = time.monotonic()
        if self.state is not None and self.changed:
            save_stream(self.stream, self.state)
            self.changed = False

    def _save_now_and_then(self) -> None:
        """Write the state; the stream goes on where that fails, as on a full disk."""
        try:
            self._save()
        except UsageError as error:
            self.stream.on_event(Note(f"the state is not saved: {error.message}", warning=True))

    def end(self, console: Console) -> None:
        """Write the state, and say what became of the rows."""
        self._save()
        summary = self.stream.end()
        if not self.stopped and not self.stream.tally.read:
            return
        console.say(f"{self.stopped or 'ended'}: {summary[0]}")
        for line in summary[1:]:
            console.say(f"  {line}")


class _Lines:
    """The lines of a file descriptor as they come, until its end or a signal.

    A signal lets whole lines that were read already come; a second one ends the command at once.
    """

    def __init__(self, descriptor: int, encoding: str) -> None:
        self.descriptor = descriptor
        self.decode = codecs.lookup(encoding).decode
        self.stopped = False
        self.rest, self.skips = b"", False

    def __iter__(self) -> Iterator[str | None]:
        """Yield the lines, and None where none came for a while."""
        woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        handlers = {each: signal.signal(each, self._stop) for each in caught()}
        before = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        watched = select.poll()
        for each in (self.descriptor, woken):
            watched.register(each, select.POLLIN)
        try:
            while not self.stopped:
                ready = {number for number, _ in watched.poll(int(SAVED_EVERY * 1000))}
                if self.descriptor not in ready or self.stopped:
                    yield None
                    continue
                chunk = os.read(self.descriptor, CHUNK)
                yield from self._split(chunk)
                if not chunk:
                    return
        finally:
            signal.set_wakeup_fd(before)
            for each, handler in handlers.items():
                signal.signal(each, handler)
            os.close(woken)
            os.close(waker)

    def _split(self, chunk: bytes) -> Iterator[str]:
        """Yield the lines that are whole with this chunk; at the end, an empty one, the rest."""
        *lines, rest = (self.rest + chunk).split(b"\n")
        if not chunk and rest:
            lines, rest = [rest], b""
        self.rest = rest
        for line in lines:
            if not self.skips:
                yield self.decode(line, "replace")[0]
            self.skips = False
        if len(self.rest) > LONGEST:
            if not self.skips:
                yield self.decode(self.rest[:LONGEST], "replace")[0]
            self.rest, self.skips = b"", True

    def _stop(self, number: int, frame: Any) -> None:
        """Note a signal."""
        if self.stopped:
            stop(number, frame)
        note(number)
        self.stopped = True


def _refuse_others(output_options: OutputOptions, options: PredictOptions) -> None:
    """Refuse what does not go together with --follow."""
    if options.tables not in (None, [], ["-"]):
        raise UsageError(
            "--follow reads rows from stdin, after those that the model keeps.",
            f"Pipe the table: cat {shlex.join(options.tables or [])} | "
            f"forecast predict --follow{model_flag(options.model)}.",
        )
    others = {
        "--json": output_options.json, "--start": options.start, "--what-if": options.what_if,
        "several --future": len(options.futures) > 1, "--samples": options.samples,
        "--seed": options.seed, "--in-sample": options.in_sample, "--strict": options.strict,
        "--excel-safe": options.excel_safe,
    }  # fmt: skip
    if given := [name for name, value in others.items() if value]:
        more = " Pass --format jsonl for a JSON object a line." if "--json" in given else ""
        raise UsageError(f"{given[0]} has no effect on a stream of rows.", f"Leave it out.{more}")
    if options.false_alarm_rate is not None and not options.anomalies:
        raise UsageError(
            "--false-alarm-rate is that of --anomalies.", "Pass --anomalies, or leave it out."
        )
