"""What a job is doing right now, in one or two lines for a terminal."""

import time
from collections.abc import Callable, Iterator, Sequence

from ..core.brief import describe_seconds
from ..core.events import Done, Epoch, Event, Stage, Steps, TableRead

# Heights of a spark line, and how many of the last values it shows.
BLOCKS, MOST_VALUES = "▁▂▃▄▅▆▇█", 10
# What is going on while a table is read, where no stage says so.
READING = "reading"
# Seconds of a quick job, which is not shown at all, and of a stage that tells its time.
UNSHOWN, TOLD = 0.3, 3.0
# Seconds after which the time left for a table can be told.
SURE, MB = 1.0, 10**6
FRAMES = {True: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", False: "|/-\\"}
BAR = {True: ("━", "─"), False: ("#", "-")}
NARROWEST_BAR, WIDEST_BAR, GAP = 8, 30, "  "


class Status:
    """Follows the events of a job, and describes its state.

    Args:
        unicode: Whether the terminal takes characters beyond ASCII.
        clock: Returns seconds.
    """

    def __init__(self, unicode: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self.unicode = unicode
        self.clock = clock
        self.stage = ""
        self.first = self.began = self.tasks_began = self.table_began = clock()
        self.epoch: Epoch | None = None
        self.steps: Steps | None = None
        self.done: Done | None = None
        self.table: TableRead | None = None
        self.losses: list[float] = []
        self.seconds: list[float] = []

    def on_event(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, Stage):
            self._begin(event)
        elif isinstance(event, Done):
            self.done = event
        elif isinstance(event, TableRead):
            self.stage = self.stage or READING
            self.table, self.table_began = event, self.clock()
        elif isinstance(event, Steps):
            self.steps = event
        elif isinstance(event, Epoch):
            self.steps = None
            if self.epoch and event.network != self.epoch.network:
                self.losses = []
            monitored = event.loss if event.validation_loss is None else event.validation_loss
            self.losses.append(monitored)
            self.seconds.append(event.seconds)
            self.epoch = event

    def _begin(self, stage: Stage) -> None:
        """Begin a stage; tasks that are not all done go on, since it is a part of one."""
        self.stage, self.began, self.epoch, self.table = stage.name, self.clock(), None, None
        self.losses, self.seconds, self.steps = [], [], None
        if self.done is None or self.done.number == self.done.count:
            self.done, self.tasks_began = None, self.clock()

    def lines(self, width: int) -> list[str]:
        """Return the state in lines of at most `width` characters; none where the job just began.

        What matters most comes first: epoch, loss and the time left of the whole job.
        """
        waited = self.clock() - self.began
        if not self.stage or self.clock() - self.first < UNSHOWN:
            return []
        lines = list(self._packed([*self._parts(waited)], width))
        return self._with_bar(lines, width)

    def _parts(self, waited: float) -> Iterator[str]:
        epoch, done = self.epoch, self.done
        left = self._left()
        if epoch is None:
            frames = FRAMES[self.unicode]
            yield f"{frames[int(self.clock() * 8) % len(frames)]} {self.stage}"
            if (steps := self.steps) is not None:
                yield f"epoch {steps.number}/{steps.epochs}"
        if done is not None:
            yield f"{done.number} of {done.count} {done.what}"
        elif self.table is not None and epoch is None:
            yield from self._read(self.table)
        if epoch is not None:
            yield f"epoch {epoch.number}/{epoch.epochs}"
            yield f"loss {epoch.loss:.4g}"
        if left:
            yield left
        elif epoch is None and waited >= TOLD:
            yield describe_seconds(waited)
        if epoch is not None:
            yield from self._details(epoch)

    def _details(self, epoch: Epoch) -> Iterator[str]:
        line = f" {spark(self.losses)}" if self.unicode and len(self.losses) > 1 else ""
        if epoch.validation_loss is not None:
            yield f"validation {epoch.validation_loss:.4g}{line}"
        elif line:
            yield line.strip()
        if epoch.networks > 1:
            yield f"network {epoch.network}/{epoch.networks}"
        yield f"{epoch.windows / max(epoch.seconds, 1e-9):,.0f} windows/s"

    def _read(self, table: TableRead) -> Iterator[str]:
        """How far the reading of a table has come; its cells are understood after it."""
        so_far = table.so_far()
        if table.size is None:
            yield f"{so_far:,} rows" if table.unit == "rows" else f"{so_far / MB:,.0f} MB"
        elif so_far < table.size:
            yield f"{100 * so_far // table.size} % of {table.size / MB:,.0f} MB"
        elif table.size >= MB:
            yield f"{table.size / MB:,.0f} MB read"

    def _share_read(self) -> float | None:
        """Which share of a table was read; None where none is being read, or it is unknown."""
        if self.table is None or not self.table.size:
            return None
        so_far = self.table.so_far()
        return so_far / self.table.size if so_far < self.table.size else None

    def _share(self) -> float | None:
        """Which share of the whole job is done; None where that is unknown."""
        if self.done is not None:
            return self.done.number / self.done.count
        if (now := self.steps or self.epoch) is not None:
            return 1.0 - self._epochs_left(now) / (now.epochs * now.networks)
        return self._share_read()

    @staticmethod
    def _epochs_left(now: Epoch | Steps) -> float:
        """How many epochs of all networks are to come, with the rest of the one that runs."""
        rest = 1.0 - now.share if isinstance(now, Steps) else 0.0
        return now.epochs - now.number + rest + (now.networks - now.network) * now.epochs

    def _left(self) -> str:
        """The time left of the whole job; of epochs the longest, since they may end early."""
        if self.done is not None:
            if not 0 < self.done.number < self.done.count:
                return ""
            spent = self.clock() - self.tasks_began
            left = spent / self.done.number * (self.done.count - self.done.number)
            return f"{describe_seconds(left)} left"
        if (now := self.steps or self.epoch) is None:
            share, spent = self._share_read(), self.clock() - self.table_began
            known = share and spent >= SURE
            return f"{describe_seconds(spent * (1 / share - 1))} left" if known and share else ""
        # The first epoch compiles.
        usual = self.seconds[1:] or [now.seconds]
        left = sum(usual) / len(usual) * self._epochs_left(now)
        return f"up to {describe_seconds(left)} left" if left else ""

    def _packed(self, parts: Sequence[str], width: int) -> Iterator[str]:
        """The parts in lines, none of them broken."""
        line = ""
        for part in parts:
            if line and len(line) + len(GAP) + len(part) > width:
                yield line
                line = ""
            line += (GAP if line else "") + part
        yield line[:width]

    def _with_bar(self, lines: list[str], width: int) -> list[str]:
        """The lines, the last with a bar of the whole job where there is room."""
        share = self._share()
        room = min(width - len(lines[-1]) - len(GAP), WIDEST_BAR)
        if share is None or room < NARROWEST_BAR:
            return lines
        full, empty = BAR[self.unicode]
        filled = round(share * room)
        return [*lines[:-1], f"{lines[-1]}{GAP}{full * filled}{empty * (room - filled)}"]


def spark(values: Sequence[float]) -> str:
    """Return the last of some values as a line of bars.

    >>> spark([4.0, 3.0, 1.0]), spark([1.0, 1.0])
    ('█▆▁', '▁▁')
    """
    shown = [each for each in values[-MOST_VALUES:] if each == each and abs(each) != float("inf")]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if high == low:
        return BLOCKS[0] * len(shown)
    return "".join(BLOCKS[round((each - low) / (high - low) * 7)] for each in shown)
