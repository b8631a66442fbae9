"""A store in an object store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

from llmtel.core.errors import UsageError
from llmtel.store.location import Folder, plain_words

if TYPE_CHECKING:
    from obstore.store import ObjectStore


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
                return AzureStore(container, prefix=prefix or None, retry_config=retries)  # type: ignore[arg-type]  # a dict will do
            return from_url(self.name, retry_config=retries)  # type: ignore[call-overload,no-any-return]  # so too

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
        return b"".join(self.read(f"{path}/{name}") for name in self.names(path)).decode(errors="replace")

    def lock(self) -> AbstractContextManager[None]:
        """None: the swap alone makes commits right."""
        return nullcontext()

    def prepare(self) -> None:
        """Nothing: there are no folders."""
