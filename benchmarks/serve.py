"""Requests a second of `forecast serve`, on one machine with the clients that ask it.

The tutorial model (closing prices, windows of 10, LSTM(50)) is trained and served. Requests leave
at a fixed rate, whether earlier ones were answered or not, and are timed from the moment at which
they were due: a server that falls behind shows it. Each has 20 rows from another place of the
table. Then more forecasts than the server can make are asked for at once: it must refuse some.

    python benchmarks/serve.py
    python benchmarks/serve.py --rate 500 --seconds 60
"""

import asyncio
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from common import Row, add_table, at_most, bounded, finish, flags, forecast, options, run

ROWS, TIME = 20, "Date"
CONNECTIONS = 32
# Of CSV tables, which are read as files are: at once so many, and their rows.
FLOOD, FLOOD_ROWS = 200, 2000
# The longest wait, the growth of memory, and answers that differ from those of `predict` by more.
SLOWEST, GROWTH, APART = 0.05, 1.05, 1e-6
CHECKED = 25
MEGABYTE = 1e6
PREDICT = "/v1/models/model/predict"


@dataclass
class Asked:
    """What became of requests: `seconds` of each, how many answers had each status, some bodies."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: list[tuple[int, bytes]] = field(default_factory=list)

    def at(self, share: float) -> float:
        """Return how many seconds a share of the requests took at most."""
        ordered = sorted(self.seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Server:
    """A server that runs, and where."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    @property
    def memory(self) -> int:
        """Resident bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def busy(self) -> float:
        """Seconds of processors that it used."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure, and print the table."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = list(csv.DictReader(arguments.csv.open()))
        cells = [{TIME: row[TIME], arguments.column: float(row[arguments.column])} for row in rows]
        train(arguments, folder)
        with serving(folder) as server:
            table = [*steady(arguments, server, cells, folder), *flooded(server, cells)]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return finish(f"forecast serve; load of the machine {load}", table)


def parse() -> Namespace:
    """Return the options."""
    parser = options(__doc__, repeat=1)
    add_table(parser)
    parser.add_argument("--rate", type=int, default=500, help="requests a second [500]")
    parser.add_argument("--seconds", type=int, default=60, help="for so many seconds [60]")
    return parser.parse_args()


def train(arguments: Namespace, folder: Path) -> None:
    """Train the tutorial model."""
    table = ["train", str(arguments.csv.resolve()), "--column", arguments.column]
    how = flags(preset="classic", timesteps=10, units=50, epochs=20, horizon=5)
    run(forecast(*table, *how), folder)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Run the server."""
    words = forecast("serve", "model.forecast", "--port", "0", "--json")
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            words, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        text = ""
        for line in process.stdout or ():
            text += line
            if line == "}\n":
                break
        yield Server(process, int(json.loads(text)["url"].rpartition(":")[2]))
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def steady(
    arguments: Namespace, server: Server, cells: list[dict[str, object]], folder: Path
) -> list[Row]:
    """Return the rows of a steady load."""
    draw = random.Random(0)
    begins = [draw.randrange(len(cells) - ROWS) for _ in range(arguments.rate * arguments.seconds)]
    bodies = {at: json.dumps({"rows": cells[at : at + ROWS]}).encode() for at in {*begins}}
    asyncio.run(ask(server.port, [(at, bodies[at]) for at in begins[: 4 * arguments.rate]],
                    arguments.rate, "application/json"))  # fmt: skip
    memory, busy = server.memory, server.busy
    work = [(at, bodies[at]) for at in begins]
    asked = asyncio.run(ask(server.port, work, arguments.rate, "application/json"))
    busy = (server.busy - busy) / len(begins)
    failed = len(begins) - asked.statuses[200]
    apart = compare(arguments, asked, cells, folder)
    return [
        Row("rate, duration", f"{arguments.rate}/s, {arguments.seconds} s"),
        Row("processor time of a request", f"{1000 * busy:.2f} ms"),
        Row("half of the requests within", f"{1000 * asked.at(0.5):.1f} ms"),
        at_most("99 % of the requests within", 1000 * asked.at(0.99), 1000 * SLOWEST, "{:.1f} ms"),
        Row("the slowest", f"{1000 * max(asked.seconds):.1f} ms"),
        bounded("requests without a forecast", f"{failed}", "0", failed == 0),
        at_most("memory after / before", server.memory / memory, GROWTH, "{:.3f} x"),
        Row("memory", f"{server.memory / MEGABYTE:.0f} MB"),
        at_most(f"{CHECKED} answers from predict, relative", apart, APART, "{:.1e}"),
    ]


def flooded(server: Server, cells: list[dict[str, object]]) -> list[Row]:
    """Return the rows of many large requests at once."""
    names = list(cells[0])
    lines = [names, *([str(cell) for cell in row.values()] for row in cells[:FLOOD_ROWS])]
    body = "\n".join(map(",".join, lines)).encode()
    memory = server.memory
    work = [(number, body) for number in range(FLOOD)]
    asked = asyncio.run(ask(server.port, work, FLOOD * 1000, "text/csv", connections=FLOOD))
    known = asked.statuses[200] + asked.statuses[503]
    again = asyncio.run(ask(server.port, work[:1], 1, "text/csv"))
    answered = f"{asked.statuses[200]}, {asked.statuses[503]}"
    well = known == FLOOD and again.statuses[200] == 1
    return [
        Row(f"{FLOOD} tables at once: forecast, refused", answered),
        bounded("other answers", f"{FLOOD - known}", "0", well),
        Row("memory after / before", f"{server.memory / memory:.3f} x"),
    ]


async def ask(
    port: int,
    work: list[tuple[int, bytes]],
    rate: int,
    kind: str,
    connections: int = CONNECTIONS,
) -> Asked:
    """Send requests at a rate.

    Args:
        port: Of the server.
        work: Numbers and bodies.
        rate: Requests a second.
        kind: The content type.
        connections: That are kept open.
    """
    asked = Asked()
    due: asyncio.Queue[tuple[float, int, bytes] | None] = asyncio.Queue()
    senders = [asyncio.create_task(send(port, due, asked, kind)) for _ in range(connections)]
    begin = time.perf_counter() + 0.2
    for number, (at, body) in enumerate(work):
        moment = begin + number / rate
        if (wait := moment - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((moment, at, body))
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    return asked


async def send(
    port: int, due: "asyncio.Queue[tuple[float, int, bytes] | None]", asked: Asked, kind: str
) -> None:
    """Send what is due over one connection, which is opened again where the server closes it."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (item := await due.get()) is not None:
        moment, at, body = item
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        top = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(top.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = await reader.readexactly(length)
        asked.seconds.append(time.perf_counter() - moment)
        status = int(top.split(b" ", 2)[1])
        # Without a time to wait a refusal is none.
        asked.statuses[0 if status == 503 and b"retry-after" not in top else status] += 1
        if status == 200 and len(asked.bodies) < CHECKED:
            asked.bodies.append((at, answer))
        if b"connection: close" in top:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


def compare(
    arguments: Namespace, asked: Asked, cells: list[dict[str, object]], folder: Path
) -> float:
    """Return the largest relative difference of answers from those of `forecast predict`."""
    apart = 0.0
    for at, answer in asked.bodies:
        path = folder / "rows.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(cells[0]))
            writer.writeheader()
            writer.writerows(cells[at : at + ROWS])
        found = json.loads(run(forecast("predict", str(path), "--json"), folder).output)["forecast"]
        for own, other in zip(json.loads(answer)["forecast"], found, strict=True):
            if own[TIME] != other[TIME]:
                return float("inf")
            one, two = own[arguments.column], other[arguments.column]
            apart = max(apart, abs(one - two) / abs(two))
    return apart


if __name__ == "__main__":
    sys.exit(main())
