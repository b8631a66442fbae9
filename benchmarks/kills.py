"""kill -9 of a process that ingests, compacts and forgets, over and over: nothing is lost, nothing is twice.

    python benchmarks/kills.py --kills 120

A killed process proves nothing unless commits happen between the kills: how many did is counted, and half of
them must. After each kill the store is read; at the end it must have exactly the calls that were written,
told apart by file and line and by id, without those of users who were forgotten.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llmtel import pipeline
from llmtel.sources.files import expand
from llmtel.store.ingest import ingest
from llmtel.store.read import stored
from llmtel.store.rewrite import forget, swept
from llmtel.store.table import opened
from llmtel.store.verify import faults, orphans

LOGS, LINES = 4, 25
ROOT = Path(__file__).parents[1]
WORK = """
import sys
from pathlib import Path
from llmtel import pipeline
from llmtel.sources.files import expand
from llmtel.store.ingest import ingest
from llmtel.store.rewrite import compact, forget
folder, *paths = sys.argv[1:]
print("ready", flush=True)
gone = sys.stdin.readline().split()
while True:
    print("ingest", flush=True)
    ingest(Path(folder), expand(paths), pipeline.gather, at_once=1)
    print("compact", flush=True)
    compact(Path(folder))
    for user in gone:
        print("forget", flush=True)
        forget(Path(folder), {user})
"""

Place = tuple[str, int]


@dataclass
class Outcome:
    """What the kills did: `between` of them came after commits of the killed process; `phases` they hit.

    `lost` and `twice` are calls, `unreadable` stores after a kill, `orphans` data files that kills left.
    """

    kills: int = 0
    between: int = 0
    rows: int = 0
    lost: int = 0
    twice: int = 0
    unreadable: int = 0
    orphans: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the kills were many enough to prove something, and nothing went wrong."""
        wrong = self.lost + self.twice + self.unreadable + len(self.faults)
        return not wrong and self.between * 2 >= self.kills


class Trial:
    """A store, its logs, and all that was ever written to them: places with the users of their calls."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.store = folder / "store"
        self.logs = [folder / f"{i}.jsonl" for i in range(LOGS)]
        self.chance = random.Random(seed)
        self.written: dict[Place, tuple[str, str | None]] = {}
        self.gone: set[str] = set()
        self.safe: set[Place] = set()
        self.outcome = Outcome()
        self._write()
        ingest(self.store, expand([str(log) for log in self.logs]), pipeline.gather)

    def _write(self) -> None:
        """Lines of all users, a third without ids; one user is to be forgotten."""
        user = f"gone{len(self.gone)}"
        self.gone.add(user)
        for log in self.logs:
            before = sum(place[0] == log.name for place in self.written)
            lines = [self._line(log.name, before + i + 1, user) for i in range(LINES)]
            with log.open("a") as file:
                file.write("".join(lines))

    def _line(self, log: str, number: int, gone: str) -> str:
        user = gone if number % 5 == 0 else f"u{number % 7}"
        name = f"{log}-{number}" if number % 3 else None
        self.written[log, number] = (user, name)
        record = {
            "timestamp": f"2026-09-{1 + number % 3:02}T10:{number // 60 % 60:02}:{number % 60:02}Z",
            **({"request_id": name} if name else {}),
            "model": "m", "prompt_tokens": number, "completion_tokens": 1, "user": user,
        }  # fmt: skip
        return json.dumps(record) + "\n"

    def run(self, kills: int) -> Outcome:
        """So many kills, then a last look at every call."""
        with self._workers() as workers:
            while self.outcome.kills < kills:
                self._kill(next(workers))
        self._end()
        return self.outcome

    @contextmanager
    def _workers(self) -> Iterator[Iterator[subprocess.Popen[str]]]:
        """Processes that are ready to work; the next one gets ready while one works."""
        waiting = [self._start(), self._start()]

        def each() -> Iterator[subprocess.Popen[str]]:
            while True:
                waiting.append(self._start())
                yield waiting.pop(0)

        try:
            yield each()
        finally:
            for process in waiting:
                process.kill()
                process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORK, str(self.store), *map(str, self.logs)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def _kill(self, process: subprocess.Popen[str]) -> None:
        self._write()
        before = opened(self.store).version
        if process.stdin is None or process.stdout is None or process.stdout.readline() != "ready\n":
            msg = "the process did not begin"
            raise RuntimeError(msg)
        process.stdin.write(" ".join(sorted(self.gone)[-2:]) + "\n")
        process.stdin.flush()
        self._wait(before + self.chance.randint(0, LOGS + 4))
        process.kill()
        phases = process.communicate()[0].split()
        self.outcome.kills += 1
        self.outcome.phases[phases[-1] if phases else "start"] += 1
        self.outcome.between += opened(self.store).version > before
        self._look()

    def _wait(self, version: int) -> None:
        """Wait for a commit, and a little: some kills come while files are written, some while committing."""
        log = self.store / "calls" / "_delta_log" / f"{version:020}.json"
        until = time.monotonic() + 5
        while not log.exists() and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(self.chance.random() * 0.06)

    def _look(self) -> None:
        """Read the store: what was there is there, unless its user is forgotten, and nothing is twice."""
        try:
            there = self._places()
        except Exception as error:  # noqa: BLE001 (whatever it is, the store cannot be read)
            self.outcome.unreadable += 1
            self.outcome.faults.append(str(error))
            return
        self.outcome.twice += len(there) - len(set(there))
        self.outcome.lost += len({one for one in self.safe - set(there) if self._stays(one)})
        self.safe = set(there)

    def _places(self) -> list[Place]:
        calls = stored(self.store).calls
        return [(Path(str(file)).name, line) for file, line in calls.select("file", "line").iter_rows()]

    def _stays(self, place: Place) -> bool:
        return self.written[place][0] not in self.gone

    def _end(self) -> None:
        ingest(self.store, expand([str(log) for log in self.logs]), pipeline.gather)
        forget(self.store, self.gone)
        there = self._places()
        wanted = {place for place in self.written if self._stays(place)}
        ids = Counter(stored(self.store).calls["call_id"].drop_nulls())
        names = Counter(name for place in wanted if (name := self.written[place][1]) is not None)
        self.outcome.rows = len(there)
        self.outcome.twice += len(there) - len(set(there)) + (ids - names).total()
        self.outcome.lost += len(wanted - set(there)) + (names - ids).total()
        self.outcome.faults += faults(self.store)
        self.outcome.orphans = len(orphans(self.store))
        swept(self.store, 0)
        self.outcome.faults += [f"{path}: an orphan that stays" for path in orphans(self.store)]


def main() -> int:
    """Kill, and print what came of it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = Trial(Path(folder), options.seed).run(options.kills)
    seconds = time.monotonic() - start
    phases = ", ".join(f"{n} in {phase}" for phase, n in outcome.phases.most_common())
    print(
        f"{outcome.kills} kills ({phases}), {outcome.between} with commits between, {seconds:.0f} s\n"
        f"{outcome.rows} calls, {outcome.lost} lost, {outcome.twice} twice, {outcome.unreadable} times "
        f"unreadable, {outcome.orphans} orphans, faults: {outcome.faults or 'none'}"
    )
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
