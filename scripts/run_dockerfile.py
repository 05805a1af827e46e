"""Run the steps of the Dockerfile in a folder, where there is no Docker, and print sizes.

    python scripts/run_dockerfile.py FOLDER

The base image is the Python that runs this; absolute paths are paths in FOLDER. What needs a
container (another user, ports, the health check) is named and left out. Sizes are of /opt, in
megabytes as `du` counts them; the base image comes on top.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_HERE = {
    "FROM": "the base image is this Python",
    "USER": "needs a container",
    "EXPOSE": "needs a container",
    "HEALTHCHECK": "needs `forecast serve` in a container",
}
# The folders of the image.
INSIDE = re.compile(r"(?<![\w.$/])/(src|opt|models|tmp)\b")
MEGABYTE = 2**20


@dataclass(frozen=True)
class Step:
    """An instruction of a Dockerfile.

    Args:
        name: In capitals, such as RUN.
        text: What follows it, on one line.
    """

    name: str
    text: str


def read_steps(text: str) -> list[Step]:
    """Return the instructions of a Dockerfile, without comments, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    parted = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [Step(name.upper(), text) for name, text in parted]


class Image:
    """A folder in the place of an image.

    Args:
        folder: Where the image's root is.
        context: Where files are copied from.
    """

    def __init__(self, folder: Path, context: Path = ROOT) -> None:
        self.folder, self.context = folder.absolute(), context
        self.here = self.folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = os.environ | {"PATH": path}
        self.environment.pop("PYTHONPATH", None)
        self.command: list[str] = []

    def run(self, step: Step) -> str:
        """Run a step; return why it is left out, empty where it was run.

        Raises:
            subprocess.CalledProcessError: Its command fails.
        """
        if step.name in NOT_HERE:
            return NOT_HERE[step.name]
        {
            "RUN": self._run, "COPY": self._copy, "ENV": self._set, "WORKDIR": self._go,
            "ENTRYPOINT": self._add, "CMD": self._add,
        }[step.name](step.text)  # fmt: skip
        return ""

    def call(self) -> None:
        """Run the entry point with the command of the image."""
        subprocess.run(self.command, cwd=self.here, env=self.environment, check=True)

    def _inside(self, text: str) -> str:
        """Return text with the folders of the image as folders here."""
        return INSIDE.sub(lambda found: f"{self.folder}{found[0]}", text)

    def _run(self, text: str) -> None:
        command = ["bash", "-euc", self._inside(text)]
        subprocess.run(command, cwd=self.here, env=self.environment, check=True)

    def _copy(self, text: str) -> None:
        *sources, target = shlex.split(text)
        if sources[0].startswith("--from="):
            # Stages share the folder.
            if not Path(self._inside(target)).exists():
                raise FileNotFoundError(target)
            return
        for source in sources:
            path, goal = self.context / source, self.here / target
            if path.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, goal, dirs_exist_ok=True, ignore=ignore)
            else:
                shutil.copy(path, goal)

    def _set(self, text: str) -> None:
        for name, value in (each.split("=", 1) for each in shlex.split(self._inside(text))):
            self.environment[name] = value.replace("$PATH", self.environment["PATH"])

    def _go(self, text: str) -> None:
        self.here = Path(self._inside(text))
        self.here.mkdir(parents=True, exist_ok=True)

    def _add(self, text: str) -> None:
        self.command += json.loads(text)


def size_of(folder: Path) -> int:
    """Return the bytes that the files of a folder take on disk; a hard link counts once."""
    found = {}
    for path in folder.rglob("*"):
        about = path.lstat()
        found[about.st_ino] = about.st_blocks * 512
    return sum(found.values())


def main(folder: str) -> None:
    """Run all steps, then the command of the image."""
    image = Image(Path(folder))
    for step in read_steps((ROOT / "Dockerfile").read_text()):
        print(f"+ {step.name} {step.text}", flush=True)
        if left_out := image.run(step):
            print(f"  left out: {left_out}", flush=True)
        elif step.name == "RUN":
            print(f"  {size_of(image.folder / 'opt') / MEGABYTE:.0f} MB", flush=True)
    print(f"+ {' '.join(image.command)}", flush=True)
    image.call()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
