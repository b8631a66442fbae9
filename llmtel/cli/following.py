"""`llmtel ingest --follow`: live logs into a store, as their lines are complete, until it is stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmtel.cli.narration import narrate, stand, wipe
from llmtel.cli.storing import Stopped, Storing
from llmtel.core.account import together
from llmtel.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from llmtel.sources.files import Inputs

EVERY_S = 2.0
"""Time between two looks: fresh enough for people, and few enough commits."""
_SLICE_S = 0.1
_CROWDED = 100
"""Commits after which the store is compacted: each leaves a small file."""
_KEPT_REJECTS = 1000

Identity = tuple[int, int]
"""Device and inode."""
State = tuple[int, int, int, int]
"""Device, inode, bytes and time of the last change, ns: a file of which these are the same is not opened."""


class Following(Struct):
    """Files that are looked at again and again; what was new goes to the store.

    `states` are those of the files when they were taken, `rotated` the files that once stood at a path that
    was given and stand elsewhere now.
    """

    storing: Storing
    paths: Sequence[str]
    states: dict[str, State] = field(default_factory=dict)
    rotated: dict[str, Identity] = field(default_factory=dict)
    stopped: bool = False
    calls: int = 0
    commits: int = 0

    def run(self, *, all_rejects: bool) -> int:
        """Follow until SIGINT or SIGTERM, then say what was taken; the exit code."""
        from llmtel.sources.files import expand

        with self._until_asked():
            self._take(expand(self.paths))
            narrate(f"following {' '.join(self.paths)} → {self.storing.folder}; Ctrl-C ends it")
            while not self._waited():
                self._take(self._look())
        wipe()
        self.storing.account.files = len(self.states)
        self.storing.count(self.calls)
        self.storing.retire()
        self.storing.say(all_rejects=all_rejects)
        return Exit.OK

    @contextmanager
    def _until_asked(self) -> Iterator[None]:
        """The first signal asks to stop after the commit that is under way; a second one stops at once."""

        def ask(_signal: int, _frame: FrameType | None) -> None:
            if self.stopped:
                raise KeyboardInterrupt
            self.stopped = True

        before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _waited(self) -> bool:
        """Wait until it is time to look again; whether to stop instead."""
        until = time.monotonic() + EVERY_S
        while not self.stopped and time.monotonic() < until:
            time.sleep(_SLICE_S)
        return self.stopped

    def _look(self) -> Inputs:
        """The files there are now: new ones too, and those that were rotated away since the last look."""
        from llmtel.sources.files import Inputs, expand

        here = [path for path in self.paths if _leads_somewhere(path)]
        inputs = expand(here) if here else Inputs()
        for path, identity in self._moved():
            if identity not in {_identity(one) for one in inputs.files}:
                inputs.files.append(path)
                inputs.sizes[path] = os.stat(path).st_size  # noqa: PTH116 (paths are texts here)
        return inputs

    def _moved(self) -> list[tuple[str, Identity]]:
        """Where files are now that stood at a path that another one has, or none."""
        known = {path: state[:2] for path, state in self.states.items()} | self.rotated
        found = {}
        for path, identity in known.items():
            if _identity(path) == identity:
                if path in self.rotated:
                    found[path] = identity
            elif (now := _beside(path, identity)) is not None:
                found[now] = identity
        self.rotated = found
        return list(found.items())

    def _take(self, inputs: Inputs) -> None:
        """Take what is new of the files that changed since they were taken."""
        states = {path: state for path in inputs.files if (state := _state(path)) is not None}
        changed = [path for path in inputs.files if states.get(path) != self.states.get(path)]
        if changed or inputs.unreadable:
            inputs.files[:] = changed
            self._put(inputs)
        self.states = states
        stand(
            f"following {len(states):,} files · {self.calls:,} calls · "
            f"{self.storing.account.rejected:,} rejected · {time.strftime('%H:%M:%S')}"
        )

    def _put(self, inputs: Inputs) -> None:
        from llmtel.store.rewrite import compact

        account, told = self.storing.account, set(self.storing.notes)
        try:
            done = self.storing.take(inputs, stopped=lambda: self.stopped)
        except Stopped:
            return
        finally:
            del self.storing.rejects[_KEPT_REJECTS:]
            # A line that is written just now is complete at one of the next looks.
            for name in ("records", "lines"):
                setattr(account, name, getattr(account, name) - account.unfinished)
            account.unfinished = 0
        self.calls += done.calls
        self.commits += done.commits
        for note in self.storing.notes:
            if note.kind == "file_rejected" and note not in told:
                wipe()
                narrate(note.text)
        self.storing.notes[:] = together(self.storing.notes)  # it may go on for months
        if self.commits >= _CROWDED:
            self.commits = 0
            compact(self.storing.folder)
            self.storing.retire()


def refuse(paths: Sequence[str]) -> None:
    """Raise `UsageError` for what cannot be followed."""
    if "-" in paths:
        raise UsageError("--follow: standard input ends by itself; give files or folders")


def _leads_somewhere(path: str) -> bool:
    from glob import glob

    return os.path.lexists(path) or bool(glob(os.path.expanduser(path), recursive=True))  # noqa: PTH111, PTH207 (as given)


def _state(path: str) -> State | None:
    """What tells whether a file has changed; a database has its newest changes in a file beside it."""
    try:
        status = os.stat(path)  # noqa: PTH116 (paths are texts here)
    except OSError:
        return None
    beside = Path(path + "-wal")
    changed = max(status.st_mtime_ns, beside.stat().st_mtime_ns if beside.exists() else 0)
    return status.st_dev, status.st_ino, status.st_size, changed


def _identity(path: str) -> Identity | None:
    state = _state(path)
    return None if state is None else state[:2]


def _beside(path: str, identity: Identity) -> str | None:
    """The file of an identity in the folder of a path."""
    folder = os.path.dirname(path)  # noqa: PTH120 (paths are texts here)
    try:
        with os.scandir(folder or ".") as entries:
            names = [
                one.name for one in entries if one.inode() == identity[1] and not one.name.startswith(".")
            ]
    except OSError:
        return None
    found = (os.path.join(folder, name) for name in names)  # noqa: PTH118 (paths are texts here)
    return next((one for one in found if _identity(one) == identity), None)
