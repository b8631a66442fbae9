"""A store in a folder of this machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from llmtel.core.errors import UnreadableInput, UsageError
from llmtel.store.location import CALLS, LOCK, Folder, on_disk, private


@contextmanager
def _permitted() -> Iterator[None]:
    """Something is read inside. Raises `UnreadableInput` where one may not."""
    try:
        yield
    except PermissionError as error:
        raise UnreadableInput(f"{error.filename}: permission denied") from error


@dataclass(frozen=True)
class Local(Folder):
    """A folder of this machine."""

    def uri(self, path: str = "") -> str:
        """The path."""
        return str(self._at(path))

    def _at(self, path: str = "") -> Path:
        return Path(self.name, path)

    def names(self, path: str = "") -> list[str]:
        """As of any folder. Raises `UnreadableInput` where one may not read it, as what reads files does."""
        with _permitted():
            return sorted(one.name for one in self._at(path).iterdir()) if self._at(path).is_dir() else []

    def size(self, path: str) -> int | None:
        """As of any folder."""
        with _permitted():
            return self._at(path).stat().st_size if self._at(path).is_file() else None

    def read(self, path: str) -> bytes:
        """As of any folder."""
        with _permitted():
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
        with private(), on_disk(self), self._at(path).open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            torn = file.read() not in (b"", b"\n")  # somebody was killed, or the disk was full
            file.write(b"\n" * torn + text.encode())

    def replace(self, path: str, text: str) -> None:
        """As any file is written."""
        with private():
            self.write(path, text.encode())

    def text(self, path: str) -> str:
        """As of any folder."""
        with _permitted():
            return self._at(path).read_text("utf-8", "replace") if self._at(path).exists() else ""

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
