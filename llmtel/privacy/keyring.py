"""The keys of pseudonyms that are at hand: the one in use, and those that were.

Where no configuration says where the key is, it is made at first use, in the user's folder of configuration
and never beside the data, whose pseudonyms it would give away.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from llmtel.core.errors import UsageError
from llmtel.privacy.keys import KeySource, make_file
from llmtel.privacy.pseudonyms import Pseudonyms

_FILE = "pseudonyms.key"
_OLD = "pseudonyms-{}.key"


class Keyring(Struct, frozen=True):
    """Where keys are: what the configuration names (`source`, `old`), and the user's folder of them."""

    source: KeySource | None
    old: tuple[KeySource, ...]
    folder: Path

    @property
    def file(self) -> Path:
        """The key of those who name none."""
        return self.folder / _FILE

    def current(self) -> Pseudonyms:
        """Pseudonyms of the key in use; where none is named and none was made, one is made."""
        if self.source is None:
            make_file(self.file)
        return Pseudonyms((self.source or _named(self.file)).key())

    def renewed(self) -> Pseudonyms:
        """Pseudonyms of the key that is to come: the one that is named, else a new one; the old one stays."""
        if self.source is None and self.file.exists():
            old = self.folder / _OLD.format(self.current().key_id)
            try:
                self.file.rename(old)
            except OSError as error:
                raise UsageError(f"{self.file}: {(error.strerror or str(error)).lower()}") from error
        return self.current()

    def all(self) -> tuple[Pseudonyms, ...]:
        """Pseudonyms of every key at hand, each once. Raises `UsageError` for one that cannot be read."""
        found = {one.key_id: one for one in (Pseudonyms(source.key()) for source in self._sources())}
        return tuple(found.values())

    def of(self, key_id: str) -> Pseudonyms | None:
        """Pseudonyms of the key of an id, if it is at hand."""
        return next((one for one in self.all() if one.key_id == key_id), None)

    def _sources(self) -> Iterator[KeySource]:
        if self.source is not None:
            yield self.source
        yield from self.old
        for path in sorted(self.folder.glob(_OLD.format("*"))) + [self.file] * self.file.exists():
            yield _named(path)


def _named(path: Path) -> KeySource:
    return KeySource("key_file", str(path), "the key of pseudonyms")
