"""`forecast predict --follow`: rows from stdin as they come, a forecast after each."""

import codecs
import os
import select
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.events import Note
from .console import Console
from .follow_output import LineWriter, choose_form, open_writer
from .inputs import MODEL
from .options import OutputOptions, Reading
from .outputs import spare
from .predict_options import PredictOptions, check_state
from .signals import caught, note, received, stop
from .values import levels

if TYPE_CHECKING:
    from ..forecasting.stream.line_parser import LineParser
    from ..forecasting.stream.stream import Stream

# Bytes that are read at once; and of a line that never ends.
CHUNK, LONGEST = 65_536, 1_000_000
# Seconds from one writing of the state to the next.
SAVED_EVERY = 60.0


def follow(reading: Reading, output_options: OutputOptions, options: PredictOptions) -> None:
    """Forecast a stream; the options are those of `predict`."""
    from ..forecasting.stream.line_parser import LineParser
    from ..forecasting.stream.live_model import StreamRequest
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
    """Refuse what does not go together with --follow.

    Raises:
        UsageError: It does not.
    """
    if options.tables not in (None, [], ["-"]):
        raise UsageError(
            "--follow reads rows from stdin, after those that the model keeps.",
            f"Pipe the table: cat {shlex.join(options.tables or [])} | "
            f"forecast predict --follow{_name_model(options.model)}.",
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


def _name_model(model: Path) -> str:
    """Return the flag that names a model, where it is not the default one."""
    return "" if model == MODEL else f" -m {shlex.quote(str(model))}"
