"""Run programs in turn and say what each cost: wall time, CPU time, the largest resident memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

MAXRSS_IN_MB = 1 / 2**20 if sys.platform == "darwin" else 1 / 2**10
"""`ru_maxrss` counts bytes on macOS and kilobytes elsewhere."""


def _as_installed(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, in which Python keeps compiled modules, as it does for an installed program."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Run:
    """One run of a program: seconds, seconds, MB, and what it printed."""

    wall_s: float
    cpu_s: float
    rss_mb: float
    output: str


@dataclass
class Program:
    """A program that takes part: what it does, how it is called, and its runs so far."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def run(self) -> Run:
        """Run it once to its end and keep the figures. Raises `RuntimeError` when it fails."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.perf_counter()
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**_as_installed(os.environ), **self.environment},
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            if process.returncode:
                said = err.read().decode(errors="replace").strip().splitlines()
                raise RuntimeError(f"{self.name} failed: {said[-1] if said else process.returncode}")
            printed = out.read().decode(errors="replace")
        run = Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_IN_MB, printed)
        self.runs.append(run)
        return run

    @property
    def wall_s(self) -> float:
        """The median of its wall times."""
        return median(run.wall_s for run in self.runs)

    @property
    def best_s(self) -> float:
        """The best of its wall times."""
        return min(run.wall_s for run in self.runs)

    @property
    def cpu_s(self) -> float:
        """The median of its CPU times, user and system."""
        return median(run.cpu_s for run in self.runs)

    @property
    def rss_mb(self) -> float:
        """The largest memory of any run."""
        return max(run.rss_mb for run in self.runs)


def in_turn(programs: Sequence[Program], rounds: int) -> None:
    """Run all of them, `rounds` times over, so that a busy minute meets each alike."""
    for _ in range(rounds):
        for program in programs:
            program.run()
