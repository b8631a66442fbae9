"""Where a store is: a folder of this machine, or a prefix of an object store (`s3://`, `gs://`, `az://`).

What differs between the two is here and nowhere else: how files are listed, read, written and deleted, and
whether there is a lock. Their paths are relative, with `/`.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

from llmtel.core.errors import UsageError
from llmtel.store.encryption import Ring

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CALLS, LOG = "calls", "_delta_log"
LOCK = "lock"


@contextmanager
def private() -> Iterator[None]:
    """Files made inside are for their owner alone: 0600, folders 0700."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@dataclass(frozen=True)
class Folder(ABC):
    """A store's place: `name` as people call it, and the keys at hand, if it is encrypted."""

    name: str
    ring: Ring = field(default_factory=Ring, compare=False)

    def __str__(self) -> str:
        return self.name

    @property
    def alone(self) -> bool:
        """Whether nobody else can be writing, while the lock is held."""
        return True

    @property
    def options(self) -> dict[str, str] | None:
        """What deltalake is told of the place beside its address."""
        return None

    @property
    def is_local(self) -> bool:
        """Whether looking at a file costs nothing, and a lock stops all other writers."""
        return True

    @abstractmethod
    def uri(self, path: str = "") -> str:
        """The address of a file, for Polars and deltalake."""

    @abstractmethod
    def names(self, path: str = "") -> list[str]:
        """Names of the files and folders in a folder; none where there is no such folder."""

    @abstractmethod
    def size(self, path: str) -> int | None:
        """The bytes of a file; None where there is none."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises `FileNotFoundError`."""

    @abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Make a file, whole or not at all, and durable when this returns."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""

    @abstractmethod
    def append(self, path: str, text: str) -> None:
        """Add lines to a file that only grows; one that `text` reads."""

    @abstractmethod
    def replace(self, path: str, text: str) -> None:
        """Put lines in place of all that were appended to a file, whole or not at all."""

    @abstractmethod
    def text(self, path: str) -> str:
        """The lines that were appended to a file, in order; "" where there are none."""

    @abstractmethod
    def lock(self) -> AbstractContextManager[None]:
        """Wait until no other process of this machine writes. Raises `UsageError` where one may not."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the place, if it is not there. Raises `UsageError`."""


@dataclass(frozen=True)
class Local(Folder):
    """A folder of this machine."""

    def uri(self, path: str = "") -> str:
        """The path."""
        return str(self._at(path))

    def _at(self, path: str = "") -> Path:
        return Path(self.name, path)

    def names(self, path: str = "") -> list[str]:
        """As of any folder."""
        return sorted(one.name for one in self._at(path).iterdir()) if self._at(path).is_dir() else []

    def size(self, path: str) -> int | None:
        """As of any folder."""
        return self._at(path).stat().st_size if self._at(path).is_file() else None

    def read(self, path: str) -> bytes:
        """As of any folder."""
        return self._at(path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        """Write beside, sync and rename."""
        target = self._at(path)
        target.parent.mkdir(exist_ok=True)
        beside = target.with_name(f".{uuid4().hex}")
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def delete(self, path: str) -> None:
        """As of any folder."""
        self._at(path).unlink(missing_ok=True)

    def append(self, path: str, text: str) -> None:
        """As of any folder."""
        with private(), self._at(path).open("a", encoding="utf-8") as file:
            file.write(text)

    def replace(self, path: str, text: str) -> None:
        """As any file is written."""
        with private():
            self.write(path, text.encode())

    def text(self, path: str) -> str:
        """As of any folder."""
        return self._at(path).read_text(encoding="utf-8") if self._at(path).exists() else ""

    @contextmanager
    def lock(self) -> Iterator[None]:
        """`flock` on a file. It spares work; that commits are right is the swap's doing."""
        try:
            with private(), self._at(LOCK).open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except PermissionError as error:
            raise UsageError(f"--store {self}: cannot write to it: permission denied") from error

    def prepare(self) -> None:
        """As of any folder."""
        try:
            self._at(CALLS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--store {self}: cannot make it: {(error.strerror or '').lower()}") from error


@dataclass(frozen=True)
class Remote(Folder):
    """A prefix of an object store. Its keys to the cloud are those of the environment (`AWS_…` and so on).

    `alone`: whoever asks says that nobody else writes to it now.
    """

    alone: bool = False

    @property
    def options(self) -> dict[str, str] | None:
        """S3 commits by a conditional put. Where nobody answers, that is said after seconds, not minutes."""
        own = {"aws_conditional_put": "etag"} if self.name.startswith("s3") else {}
        return {**own, "max_retries": "4", "retry_timeout": "20s"}

    @property
    def is_local(self) -> bool:
        """Not so."""
        return False

    @cached_property
    def _objects(self) -> ObjectStore:
        try:
            from obstore.store import AzureStore, from_url  # noqa: PLC0415 (only a store elsewhere needs it)
        except ImportError:
            raise UsageError("a store elsewhere needs obstore: pip install 'llmtel[objects]'") from None
        retries = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
        with self._reached():
            scheme, _, rest = self.name.partition("://")
            if scheme in {"az", "azure"}:  # as deltalake and Polars read it: the container comes first
                container, _, prefix = rest.partition("/")
                return AzureStore(container, prefix=prefix or None, retry_config=retries)  # type: ignore[arg-type]
            return from_url(self.name, retry_config=retries)  # type: ignore[call-overload,no-any-return]

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Raise `UsageError` for what an object store answers, but that there is no such object."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 (as in `_objects`)

        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            raise UsageError(f"{self}: the object store cannot be used: {plain_words(error)}") from error

    def uri(self, path: str = "") -> str:
        """The address."""
        return f"{self.name}/{path}".rstrip("/")

    def names(self, path: str = "") -> list[str]:
        """As of any folder."""
        objects = self._objects
        with self._reached():
            found = objects.list_with_delimiter(path or None)
        every = [*found["common_prefixes"], *(one["path"] for one in found["objects"])]
        return sorted(PurePosixPath(one).name for one in every)

    def size(self, path: str) -> int | None:
        """As of any folder."""
        objects = self._objects
        with self._reached(), suppress(FileNotFoundError):
            return objects.head(path)["size"]
        return None

    def read(self, path: str) -> bytes:
        """As of any folder."""
        objects = self._objects
        with self._reached():
            return bytes(objects.get(path).bytes())

    def write(self, path: str, data: bytes) -> None:
        """Objects are whole or not there."""
        objects = self._objects
        with self._reached():
            objects.put(path, data)

    def delete(self, path: str) -> None:
        """As of any folder."""
        objects = self._objects
        with self._reached(), suppress(FileNotFoundError):
            objects.delete(path)

    def append(self, path: str, text: str) -> None:
        """Make one more object in a folder of that name, since none can grow."""
        self.write(f"{path}/{time.time_ns():020}-{uuid4().hex}", text.encode())

    def replace(self, path: str, text: str) -> None:
        """Make one object and delete the others; a reader between the two finds lines twice."""
        before = self.names(path)
        self.append(path, text)
        for name in before:
            self.delete(f"{path}/{name}")

    def text(self, path: str) -> str:
        """The objects of the folder of that name."""
        return b"".join(self.read(f"{path}/{name}") for name in self.names(path)).decode()

    def lock(self) -> AbstractContextManager[None]:
        """None: the swap alone makes commits right."""
        return nullcontext()

    def prepare(self) -> None:
        """Nothing: there are no folders."""


def plain_words(error: Exception) -> str:
    """What went wrong, of an error of several lines with colours, in one line."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()
    return " ".join(line.strip(" ↳") for line in lines).partition("<?xml")[0][:300]


Where = Folder | Path
"""A store's place, or the path of one on this machine that is not encrypted."""


def at(place: Where | str, ring: Ring | None = None) -> Folder:
    """The place that a path or an address names, whether there is a store or not."""
    if isinstance(place, Folder):
        return place
    if "://" in str(place):
        return Remote(str(place).rstrip("/"), ring or Ring())
    return Local(str(place), ring or Ring())


def by_one(folder: Folder) -> Folder:
    """The same place, of which it is said that nobody else writes to it."""
    return replace(folder, alone=True) if isinstance(folder, Remote) else folder


def found(path: str | Path, ring: Ring | None = None) -> Folder | None:
    """The store that a path is: its folder, or that of its table; None where it is no store.

    Any address is taken for one, which is not looked at.
    """
    if "://" in str(path):
        return at(path, ring)
    here = Path(path)
    if (here / CALLS / LOG).is_dir():
        return at(here, ring)
    return at(here.parent, ring) if here.name == CALLS and (here / LOG).is_dir() else None
