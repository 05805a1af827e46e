"""The lines of the progress on a terminal: what they hold, and how wide they are."""

import pytest

from forecast_cli.cli.status import Status, spark
from forecast_cli.core.events import Done, Epoch, Stage, Steps, TableRead


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def epoch(number: int, network: int = 1, networks: int = 1, **more) -> Epoch:
    given = {"loss": 1 / number, "validation_loss": 2 / number, "best": True, "seconds": 2.0}
    facts = {"windows": 5000, "learning_rate": 0.001} | given | more
    return Epoch(number, 30, network=network, networks=networks, **facts)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("unicode", [True, False])
def test_every_line_fits_and_epoch_loss_and_time_left_come_first(clock, width, unicode):
    status = Status(unicode, clock)
    status.on_event(Stage("training", unit="epoch"))
    for number in range(1, 24):
        status.on_event(epoch(number, network=2, networks=5))
    clock.now = 46.0
    lines = status.lines(width)
    assert max(map(len, lines)) <= width
    text = "  ".join(lines)
    places = [text.index(part) for part in ("epoch 23/30", "loss 0.04348", "up to 3 min left")]
    assert places == sorted(places) and places[0] == 0
    assert "validation 0.08696" in text and "network 2/5" in text and "2,500 windows/s" in text
    assert text.isascii() != unicode
    if width >= 60:
        assert len(lines) <= 2


def test_a_long_epoch_shows_the_time_left_before_it_has_ended(clock):
    status = Status(clock=clock)
    status.on_event(Stage("training", unit="epoch"))
    clock.now = 8.0
    # The first of 30 epochs of 2 networks, 100 seconds each.
    status.on_event(Steps(1, 30, 0.5, 100.0, 1, 2))
    text = "  ".join(status.lines(60))
    assert "epoch 1/30" in text and "up to 1.7 h left" in text
    status.on_event(epoch(1, networks=2))
    status.on_event(Steps(2, 30, 0.5, 2.0, 1, 2))
    text = "  ".join(status.lines(60))
    assert "epoch 1/30" in text and "up to 2 min left" in text


def test_the_time_left_is_that_of_all_tasks(clock):
    status = Status(clock=clock)
    status.on_event(Stage("40 windows"))
    clock.now = 60.0
    status.on_event(Done("windows", 10, 40))
    # A stage of the eleventh window.
    status.on_event(Stage("lstm: training"))
    assert "10 of 40 windows" in status.lines(60)[0] and "3 min left" in status.lines(60)[0]


def test_a_quick_job_is_not_shown_and_a_long_stage_tells_its_time(clock):
    status = Status(clock=clock)
    status.on_event(Stage("reading"))
    assert status.lines(60) == []
    clock.now = 1.0
    assert status.lines(60)[0].endswith(" reading")
    clock.now = 12.0
    assert status.lines(60)[0].endswith(" reading  12 s")


def test_a_spark_line_falls_with_the_loss():
    assert spark([8, 4, 2, 1]) == "█▄▂▁"
    assert spark([float("nan"), float("inf"), 1.0]) == "▁"
    assert len(spark(list(range(100)))) == 10


def test_the_reading_of_a_large_table_shows_its_share_and_the_time_left(clock):
    status, read = Status(clock=clock), [0]
    # Commands that have no stages read tables too.
    status.on_event(TableRead("sales.csv", lambda: read[0], 80_000_000))
    clock.now, read[0] = 6.0, 60_000_000
    (line,) = status.lines(60)
    assert "reading  75 % of 80 MB  2 s left" in line and "━━━" in line
    read[0] = 80_000_000
    assert "80 MB read" in status.lines(60)[0] and "%" not in status.lines(60)[0]


def test_the_reading_of_a_pipe_shows_its_rows(clock):
    status = Status(clock=clock)
    status.on_event(Stage("reading"))
    status.on_event(TableRead("standard input", lambda: 1_234_567, unit="rows"))
    clock.now = 1.0
    assert "reading  1,234,567 rows" in status.lines(60)[0]
