"""Make the pictures of the documentation: `python scripts/record_docs.py [NAME...]`.

Commands run on the sample data in a terminal of a fixed size; what they leave on its screen
becomes `docs/pictures/NAME.svg`, and so do the charts that they draw. With `--check` nothing is
written, and the exit code is 1 where a terminal shows other words than its picture: numbers may
differ between machines.
"""

import fcntl
import html
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
COLUMNS, LINES, LONGEST = 80, 24, 400
# The share of the words of a recording that a picture must have.
ALIKE = 0.9
# The frame of a terminal, without the fonts that rich would load from the network.
FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


@dataclass(frozen=True)
class Scene:
    """Commands whose screen is a picture, or that draw one.

    Args:
        name: The picture's.
        shown: The commands that the picture shows.
        before: Commands that run first, unseen.
        draws: Whether the commands draw the picture themselves.
    """

    name: str
    shown: str
    before: str = ""
    draws: bool = False


ENERGY = "forecast train sample_data/energy.csv -c demand --horizon 24 --preset fast -q"
SHOPS = "(head -1 sample_data/stores.csv; grep -E '^S0[1-4]' sample_data/stores.csv) > shops.csv"
SCENES = (
    Scene("train", "forecast train sample_data/prices.csv --column Close\nforecast predict"),
    Scene("inspect", "forecast inspect sample_data/energy.csv"),
    Scene(
        "energy",
        "forecast plot energy.forecast --last 168 --width 9 --height 4 -o energy.svg",
        f"{ENERGY} -m energy.forecast",
        draws=True,
    ),
    Scene(
        "energy-errors",
        "forecast plot energy.forecast --kind errors --width 9 --height 4 -o energy-errors.svg",
        draws=True,
    ),
    Scene(
        "energy-seasons",
        "forecast plot sample_data/energy.csv -c demand --kind seasons --width 9 --height 4 "
        "-o energy-seasons.svg",
        draws=True,
    ),
    Scene(
        "shops",
        "forecast plot shops.forecast shops.csv --future sample_data/stores-future.csv "
        "--only S01 --last 90 --width 9 --height 4 -o shops.svg",
        f"{SHOPS}\nforecast train shops.csv --series store -c sales --future-covariate price "
        "--future-covariate promo --horizon 14 --preset fast -q -m shops.forecast "
        "--future sample_data/stores-future.csv",
        draws=True,
    ),
    Scene("simulated-series", "python -m pretraining.picture simulated-series.svg", draws=True),
    Scene(
        "what-if",
        "forecast predict -m shops.forecast --only S01 --what-if 'promo=1, price*0.8'",
    ),
)


def record(scene: Scene, folder: Path) -> str:
    """Run the commands of a scene in a folder; return its picture."""
    if scene.before:
        subprocess.run(["bash", "-euc", scene.before], cwd=folder, env=environment(), check=True)
    if scene.draws:
        command = ["bash", "-euc", scene.shown]
        subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
        return (folder / f"{scene.name}.svg").read_text(encoding="utf-8")
    typed = "".join(f"printf '$ %s\\n' {quote(c)}; {c}\necho\n" for c in scene.shown.splitlines())
    return draw(run_in_terminal(typed, folder), scene.name)


def quote(text: str) -> str:
    """A text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def environment() -> dict[str, str]:
    """The environment of the commands: `forecast` on the path, a terminal with colours."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FORECAST_", "NO_COLOR"))}
    # The pretraining is no part of the installed package.
    kept |= {"PYTHONPATH": str(ROOT)}
    return kept | {"PATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def run_in_terminal(commands: str, folder: Path) -> pyte.Screen:
    """Run shell commands in a terminal; return its screen, with all that scrolled by."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        ["bash", "-c", commands],
        cwd=folder,
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    screen = pyte.Screen(COLUMNS, LONGEST)
    stream = pyte.ByteStream(screen)
    while True:
        try:
            stream.feed(os.read(ours, 65536))
        except OSError:
            # The last process has closed the terminal.
            break
    os.close(ours)
    if process.wait():
        raise SystemExit("\n".join(screen.display).rstrip())
    return screen


def draw(screen: pyte.Screen, name: str) -> str:
    """A picture of a screen, as SVG."""
    lines = "\n".join(screen.display).rstrip().count("\n") + 1
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for row in range(lines):
        text = Text(end="\n")
        cells = [screen.buffer[row][column] for column in range(COLUMNS)]
        for (ink, bold), run in groupby(cells, key=lambda cell: (cell.fg, cell.bold)):
            data = "".join(cell.data for cell in run)
            text.append(data, Style(color=colour(ink), bold=bold))
        text.rstrip()
        console.print(text, no_wrap=True, overflow="ignore")
    return console.export_svg(title="forecast", code_format=FRAME, unique_id=name)


def colour(name: str) -> str | None:
    """A colour of pyte in the words of rich."""
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    name = name.replace("bright", "bright_").replace("brown", "yellow")
    return None if name == "default" else name


def words(picture: str) -> list[str]:
    """The words of a picture of a terminal, without numbers and lines."""
    text = " ".join(re.findall(r"<text[^>]*>(.*?)</text>", picture))
    return re.findall(r"[A-Za-z][A-Za-z-]+", html.unescape(text))


def alike(picture: str, before: str) -> bool:
    """Whether two pictures of a terminal have the same words, but for a few."""
    return SequenceMatcher(None, words(picture), words(before), autojunk=False).ratio() >= ALIKE


def main(arguments: list[str]) -> int:
    """Make the pictures that are named, or all; or check them."""
    names = [each for each in arguments if not each.startswith("-")]
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "sample_data", Path(folder) / "sample_data")
        for scene in SCENES:
            if names and not any(scene.name.startswith(each) for each in names):
                continue
            picture, path = record(scene, Path(folder)), PICTURES / f"{scene.name}.svg"
            if "--check" not in arguments:
                path.write_text(picture, encoding="utf-8")
            elif not scene.draws and not alike(picture, path.read_text(encoding="utf-8")):
                stale.append(scene.name)
    if stale:
        print(f"other words than in docs/pictures: {', '.join(stale)}; run this without --check")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
