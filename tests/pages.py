"""The pages of the documentation, their code blocks, and how these are run."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "README.ko.md", "CONTRIBUTING.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^( *)(```+)(.*)$")
COMMENT = re.compile(r"^ *<!-- (not run|run first|with networks): (.+?) -->$")
# A list item or the title of a tab or note: what is indented below it is no code.
CONTAINER = re.compile(r"^ *(?:[-*+] |\d+\. |===|!!!|\?\?\?)")


@dataclass(frozen=True)
class Block:
    """A code block: its first line, its language and its text.

    `reason` is why it is not run, if so; `alone` whether the command `forecast` is a process of its
    own, where fixtures that spare trainings do not hold.
    """

    line: int
    language: str
    text: str
    reason: str = ""
    alone: bool = False


def find_blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a page; `<!-- run first: COMMANDS -->` is one of shell commands.

    A comment `not run: REASON` or `with networks: REASON` before a block is about that block.
    """
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    reason, alone = "", False
    for number, line in lines:
        if comment := COMMENT.match(line):
            if comment[1] == "run first":
                yield Block(number, "sh", comment[2], alone=alone)
            elif comment[1] == "not run":
                reason = comment[2]
            else:
                alone = True
        elif fence := FENCE.match(line):
            inside = []
            for _, each in lines:
                if each.strip() == fence[2]:
                    break
                inside.append(each)
            text = textwrap.dedent("\n".join(inside)) + "\n"
            yield Block(number, fence[3], text, reason, alone)
            reason, alone = "", False


def find_indented(path: Path) -> list[int]:
    """The lines at which code begins that is indented instead of fenced."""
    found, before, blank, fenced = [], "", True, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and blank and line.startswith("    "):
            found += [] if before.startswith("  ") or CONTAINER.match(before) else [number]
        blank = not line.strip()
        before = before if blank else line
    return found


# The command `forecast` of a block: it hands its arguments and streams to the process of the tests.
COMMAND = """#!{python} -IS
import json, os, socket, sys
channel = socket.socket(socket.AF_UNIX)
channel.connect({address!r})
socket.send_fds(channel, [b"."], [0, 1, 2])
request = [os.getcwd(), sys.argv[1:], dict(os.environ)]
channel.sendall(json.dumps(request).encode())
channel.shutdown(socket.SHUT_WR)
sys.exit(int(channel.makefile().read() or 1))
"""


class Shell:
    """Runs shell blocks by bash, the command `forecast` within this process.

    So TensorFlow is loaded once, and fixtures that spare trainings hold in the blocks too.
    """

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder = folder
        self.listener = socket.socket(socket.AF_UNIX)
        address = str(home / "socket")
        self.listener.bind(address)
        self.listener.listen()
        self.listener.settimeout(0.02)
        for name, text in (
            ("forecast", COMMAND.format(python=sys.executable, address=address)),
            ("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'),
        ):
            (home / name).write_text(text)
            (home / name).chmod(0o755)
        self.environment = os.environ | {"PATH": f"{home}:{os.environ['PATH']}"}

    def run(self, block: Block) -> tuple[int, str]:
        """Run a block; return its exit code and what it printed."""
        environment = dict(self.environment)
        if block.alone:
            path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
            environment |= {"PATH": path, "FORECAST_EPOCHS": "2"}
        log = self.folder.parent / "printed.txt"
        with log.open("w") as printed:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", block.text],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            while process.poll() is None:
                with contextlib.suppress(TimeoutError):
                    self._serve(self.listener.accept()[0])
        return process.returncode, log.read_text()

    def _serve(self, connection: socket.socket) -> None:
        """Run one command `forecast` with the streams of its caller."""
        connection.settimeout(None)
        _, numbers, _, _ = socket.recv_fds(connection, 1, 3)
        with connection.makefile("rb") as request:
            folder, arguments, environment = json.loads(request.read())
        code = run_with(numbers, folder, arguments, environment)
        with contextlib.suppress(OSError):
            connection.sendall(str(code).encode())
        connection.close()

    def close(self) -> None:
        self.listener.close()


def run_with(
    numbers: list[int], folder: str, arguments: list[str], environment: dict[str, str]
) -> int:
    """Run `forecast` in a folder, its three streams being these file descriptors."""
    from forecast_cli.cli.app import run

    before = sys.stdin, sys.stdout, sys.stderr, Path.cwd(), dict(os.environ)
    streams = [os.fdopen(number, mode) for number, mode in zip(numbers, "rww", strict=True)]
    sys.stdin, sys.stdout, sys.stderr = streams
    os.chdir(folder)
    os.environ.update({k: v for k, v in environment.items() if k.startswith("FORECAST_")})
    try:
        return run(arguments)
    finally:
        sys.stdin, sys.stdout, sys.stderr = before[:3]
        os.chdir(before[3])
        for name in set(os.environ) - set(before[4]):
            del os.environ[name]
        for stream in streams:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
