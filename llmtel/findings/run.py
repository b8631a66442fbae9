"""What a run has read, in plain facts, and the words to ask about it again.

Findings and reports know nothing of reading and pricing: the command hands them the calls and these facts.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from llmtel.core.account import Account, Note, Reject
from llmtel.core.schema import FIELDS

_FLOOR = ("--since", "--until", "--by", "--metrics")
"""Options that a finding's own command replaces, rather than adds to."""


@dataclass(frozen=True)
class Suggestion:
    """What may be meant by a model without a price.

    `near` are names of the price book, the best first; `price` is the rate of the first as `--price` takes it
    (USD per million tokens, "1.25/10"); `alias` is a stanza of YAML for a price file.
    """

    near: tuple[str, ...] = ()
    price: str | None = None
    alias: str | None = None


@dataclass(frozen=True)
class Prices:
    """Where the costs of a run come from: the book's date (YYYY-MM-DD), its SHA-256 in hex, and the cost source."""

    as_of: str
    sha256: str
    cost_source: str = "auto"
    suggestions: Mapping[str, Suggestion] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """The calls of a run (priced, columns of FIELDS), the fate of its records, and how it was asked for.

    `paths` and `options` (flag and value, e.g. `("--where", "env=prod")`) are as given, for commands to paste.
    `untimed` is the number of calls without a time that `--since` or `--until` left out. `include_failed` says
    whether latency statistics take failed calls. `tz` is a name of the IANA database.
    """

    calls: pl.DataFrame
    account: Account
    paths: tuple[str, ...]
    rejects: Sequence[Reject] = ()
    notes: Sequence[Note] = ()
    prices: Prices | None = None
    tz: str = "UTC"
    options: tuple[tuple[str, str], ...] = ()
    include_failed: bool = False
    untimed: int = 0

    def command(self, *words: str, verb: str = "analyze") -> str:
        """A command that works when pasted: the same input, the same options, and `words`, all quoted for a shell."""
        replaced = {w for w in words if w in _FLOOR}
        kept = [part for flag, value in self.options if flag not in replaced for part in (flag, value) if part]
        return shlex.join(["llmtel", verb, *map(_as_path, self.paths), *kept, *words])


def _as_path(path: str) -> str:
    """A path that no command takes for an option."""
    return f"./{path}" if path.startswith("-") and path != "-" else path


def known(calls: pl.DataFrame, name: str) -> bool:
    """Whether any call knows this field. Free of cost: nulls are counted by the frame."""
    return name in calls.columns and calls.get_column(name).null_count() < calls.height


def personal(name: str) -> bool:
    """Whether a field points at people."""
    return name in FIELDS and FIELDS[name].privacy == "personal"
