"""Where a store is: a folder of this machine, or a prefix of an object store (`s3://`, `gs://`, `az://`).

What differs between the two is in their classes and nowhere else: how files are listed, read, written and
deleted, and whether there is a lock. Their paths are relative, with `/`.
"""

from __future__ import annotations

import errno
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from llmtel.core.errors import UsageError
from llmtel.store.encryption import Ring

CALLS, LOG = "calls", "_delta_log"
LOCK = "lock"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_OS_ERROR = re.compile(r"os error (\d+)")
"""How libraries that are not written in Python tell the number of an error of the system."""


@contextmanager
def private() -> Iterator[None]:
    """Files made inside are for their owner alone: 0600, folders 0700."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def on_disk(folder: Folder) -> Iterator[None]:
    """Something is written to a store inside, by deltalake or by us, and the disk may refuse it.

    Raises `OSError` with the store's name where it is full, `UsageError` where one may not write.
    """
    try:
        yield
    except Exception as error:
        told = _OS_ERROR.search(str(error))
        number = error.errno if isinstance(error, OSError) and error.errno else int(told[1]) if told else 0
        if number in _FULL:
            raise OSError(number, os.strerror(number), f"to the store {folder}") from error
        if number in _FORBIDDEN:
            why = os.strerror(number).lower()
            raise UsageError(f"--store {folder}: cannot write to it: {why}") from error
        raise


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


def plain_words(error: Exception) -> str:
    """What went wrong, of an error of several lines with colours, in one line."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()
    text = " ".join(line.strip(" ↳") for line in lines).partition("<?xml")[0]
    if "list request" in text and "404 Not Found" in text:
        return "there is no such bucket"
    return text[:300]
