"""A cache of logs: their calls as they were read, so that a second reading of unchanged files reads none.

Files are read in groups. Of each group a *part* is kept: its calls with their copies, as a Parquet file
like those of a store, and what else a reading gives (account, rejects, notes). A part holds as long as each
of its files is unchanged, told by device, inode, size and times; of a file that only grew the rest is read
and becomes a part of its own. Duplicates are found over all parts, as they are over logs.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel import __version__
from llmtel.cache.parts import Grown, Part, grown, part_of, status_of, still_good
from llmtel.cache.whole import numbered, whole
from llmtel.core.schema import SCHEMA_VERSION, empty_calls
from llmtel.pipeline import Gathered
from llmtel.sources.files import Inputs
from llmtel.sources.identity import once_a_file
from llmtel.sources.maps import Rule
from llmtel.sources.plugins import packages
from llmtel.store.location import private

INDEX = "index.json"
_GROUP = 64 << 20
"""Bytes of files that are read together: they are read again together when one of them changes."""
_MOST_PARTS = 256
_KEPT_S = 30 * 86400
"""Caches that nobody asked for so long are deleted."""

Reader = Callable[[Inputs], Gathered]


def home() -> Path:
    """The folder of all caches, as the XDG base directory specification has it."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "llmtel" / "calls"


def clear() -> tuple[int, int]:
    """Delete all caches; how many there were, and their bytes."""
    found = size()
    shutil.rmtree(home(), ignore_errors=True)
    return found


def size() -> tuple[int, int]:
    """How many caches there are, and their bytes."""
    n = size_ = 0
    for here, _, names in os.walk(home()):
        n += INDEX in names
        with suppress(OSError):
            size_ += sum((Path(here) / name).stat().st_size for name in names)
    return n, size_


class Cache(Struct, frozen=True):
    """The cache at `folder`, of one way to read some paths; `rules` are the mapped fields of that way."""

    folder: Path
    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[str], rules: Sequence[Rule], *facts: object) -> Cache:
        """The cache of paths as they are given here, and of everything that changes how they are read."""
        key = [
            __version__,
            SCHEMA_VERSION,
            packages(),
            str(Path.cwd()),
            list(paths),
            repr(rules),
            *map(repr, facts),
        ]
        name = blake2b(json.dumps(key).encode(), digest_size=12).hexdigest()
        return cls(home() / name, tuple(rules))

    def gathered(self, inputs: Inputs, read: Reader) -> Gathered:
        """What `read` would give of some inputs; it is asked for what is new."""
        before = self._parts()
        status = {path: told for path in inputs.files if (told := status_of(path)) is not None}
        frames = self._frames(still_good(before, status))
        kept = [part for part, _ in frames]
        more = grown(kept, status)
        covered = {file.path for part in kept for file in part.files}
        fresh = [path for path in inputs.files if path not in covered]
        unkept: list[Gathered] = []
        for group in (*_groups(fresh, inputs), *([_asked(list(more), inputs, more)] if more else [])):
            found = _once(read(group))
            part = part_of(found, group, status, more)
            inputs.ended |= group.ended
            if found.unclaimed or len(status.keys() & set(group.files)) < len(group.files):
                unkept.append(replace(found, calls=numbered(found.calls, group.files, inputs)))
                inputs.skipped += part.skipped
                continue
            frames.append((part, found.calls))
        self._save(frames, before)
        return whole(frames, unkept, inputs, self.rules)

    def _parts(self) -> list[Part]:
        """The parts that the index names; none where it cannot be read."""
        try:
            told = json.loads((self.folder / INDEX).read_bytes())
            found = [Part.of(one) for one in told]
        except (OSError, ValueError, TypeError, KeyError):
            return []
        there = all(part.name is None or (self.folder / part.name).is_file() for part in found)
        return found if there and len(found) <= _MOST_PARTS else []

    def _frames(self, parts: list[Part]) -> list[tuple[Part, pl.DataFrame]]:
        """Parts with their calls; none where the calls of one cannot be read."""
        try:
            lazy = [pl.scan_parquet(self.folder / part.name) for part in parts if part.name is not None]
            calls = iter(pl.collect_all(lazy))
            return [(part, empty_calls() if part.name is None else next(calls)) for part in parts]
        except (OSError, pl.exceptions.PolarsError):
            return []

    def _save(self, frames: list[tuple[Part, pl.DataFrame]], before: list[Part]) -> None:
        """Keep the parts; files of parts that hold no longer go. Where nothing can be written, nothing is."""
        with private(), suppress(OSError, pl.exceptions.PolarsError):
            if [part for part, _ in frames] == before:
                os.utime(self.folder / INDEX)
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            for part, calls in frames:
                if part.name is None and calls.height:
                    name = f"{uuid4().hex}.parquet"
                    self._put(name, lambda at, calls=calls: calls.write_parquet(at, compression="lz4"))  # type: ignore[misc]  # its default
                    part.name = name
            index = json.dumps([part.told() for part, _ in frames]).encode()
            self._put(INDEX, lambda at: at.write_bytes(index))
            live = {INDEX, *(part.name for part, _ in frames)}
            for path in self.folder.iterdir():
                if path.name not in live:
                    path.unlink(missing_ok=True)
            _forget_old()

    def _put(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file beside its place and move it there."""
        beside = self.folder / f".{uuid4().hex}"
        try:
            write(beside)
            beside.replace(self.folder / name)
        finally:
            beside.unlink(missing_ok=True)


def _once(found: Gathered) -> Gathered:
    """A reading with each call once a file: most of what some formats write are copies."""
    calls, dropped = once_a_file(found.calls)
    found.account.calls -= dropped
    found.account.duplicates += dropped
    return replace(found, calls=calls)


def _forget_old() -> None:
    for index in home().glob(f"*/{INDEX}"):
        if time.time() - index.stat().st_mtime > _KEPT_S:
            shutil.rmtree(index.parent, ignore_errors=True)


def _groups(files: list[str], inputs: Inputs) -> Iterator[Inputs]:
    """The inputs that some files are, in parts of about so many bytes; the first tells what was left out."""
    group: list[str] = []
    held = 0
    for path in files:
        if group and held + inputs.sizes[path] > _GROUP:
            yield _asked(group, inputs, {})
            group, held = [], 0
        group.append(path)
        held += inputs.sizes[path]
    if group or inputs.unreadable:
        asked = _asked(group, inputs, {})
        asked.unreadable = inputs.unreadable
        yield asked


def _asked(files: list[str], inputs: Inputs, files_grown: Grown) -> Inputs:
    sizes = {path: inputs.sizes[path] for path in files}
    begun = {path: at.mark for path, (_, at) in files_grown.items() if at.mark is not None}
    return Inputs(list(files), inputs.named, sizes, begun=begun)
