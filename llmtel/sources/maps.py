r"""Fields that a person says where to find: `--map user=metadata.uid`, and `map:` of the configuration.

A rule names paths for fields: `latency_ms=took:s` reads `took` as seconds. Over a log of no known format it
is the name of a fact, as if the log had called it so; in a known format it takes the place of one field. Keys
are written as they stand in the log: a dot in a key needs no backslash where no other path is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import PurePath

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.catalog import unknown
from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import FIELDS, INPUT_LEAVES, OUTPUT_LEAVES, PRICED, TIME
from llmtel.sources import raw
from llmtel.sources.aliases import Place, is_call, places
from llmtel.sources.mixed import calls_apart
from llmtel.sources.outcome import TEXT, WORD
from llmtel.sources.outline import Outline, between
from llmtel.sources.source import Record, Source, lookup
from llmtel.sources.steps import is_step
from llmtel.sources.usage import MISMATCH, RECONCILED, UNKNOWN, leaves

_MADE_HERE = frozenset({*PRICED, "grain", "request_count", "format", "file", "line", "token_source", "tags"})
FACTS = {
    "input_tokens": ("input", "All input tokens, those of the cache too"),
    "output_tokens": ("output", "All output tokens, reasoning too"),
    "total_tokens": ("total", "Input and output tokens together"),
    "end": ("end", "End of the call: the latency is from `ts` to it"),
    "first_token": ("first_token", "When the first token came: `ttft_ms` is from `ts` to it"),
}
"""What can be mapped besides fields, because logs have it and fields are made of it."""
TARGETS = {name: field.help for name, field in FIELDS.items() if name not in _MADE_HERE} | {
    name: help_ for name, (_, help_) in FACTS.items()
}
"""Everything that can be mapped, with what it is."""
_DURATIONS = {"ms": 1.0, "s": 1e3, "us": 1e-3, "ns": 1e-6, "min": 6e4}
UNITS: Mapping[str, Mapping[str, float]] = {
    "latency_ms": _DURATIONS,
    "ttft_ms": _DURATIONS,
    "cost_logged": {"usd": 1.0, "cents": 0.01},
    "sample_rate": {"share": 1.0, "percent": 0.01},
}
"""The units that can be said after a path, each with what it is multiplied by; the first is the default."""
_SOLVED = frozenset({*FACTS, "ts", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning"})
"""What other fields are made of, so that a log of no known format is read anew with it."""
_STEP = r"(?:\\.|[^.\[\]\\])+"
_PATH = re.compile(rf"(?:{_STEP}|\[\d+\])(?:\.{_STEP}|\[\d+\])*")
_UNIT = re.compile(r"(?<!\\):([^:.\[\]]*)$")
_DEEPEST = 5
TYPED = "--map"
"""Keys inside each other that a suggestion looks into."""


class Mapped(Struct, frozen=True):
    """A field (or fact) and where a person says it stands, in which unit; `origin` is where that is said."""

    field: str
    path: str
    unit: str | None = None
    origin: str = TYPED

    @property
    def fact(self) -> str:
        """The name of the field among the facts of a log of no known format."""
        return FACTS[self.field][0] if self.field in FACTS else self.field.removesuffix("_5m")

    def words(self) -> str:
        """For people: "latency_ms from took in s"."""
        return f"{self.field} from {self.path}" + (f" in {self.unit}" if self.unit else "")


class Rule(Struct, frozen=True):
    """Fields mapped together, for the files whose path or name is like `files`, read as `format`."""

    fields: tuple[Mapped, ...]
    files: str | None = None
    format: str | None = None

    def fits(self, path: str, name: str) -> bool:
        """Whether the rule is for this file, read as the format of this name."""
        named = (path, PurePath(path).name)
        return (self.format in (None, name)) and (
            self.files is None or any(fnmatchcase(one, self.files) for one in named)
        )


_Own = dict[str, list[tuple[Mapped, Place]]]
"""The places of each mapped field."""


def parse(text: str) -> Mapped:
    """The mapping that `FIELD=PATH` or `FIELD=PATH:UNIT` is. Raises `UsageError` with what would work."""
    field, equals, path = text.partition("=")
    if not equals:
        raise UsageError(f"--map {text}: write FIELD=PATH, e.g. user=metadata.uid or latency_ms=took:s")
    try:
        return mapped(field.strip(), path.strip())
    except UsageError as error:
        raise type(error)(f"--map {text}: {error}") from None


def mapped(field: str, path: str, origin: str = TYPED) -> Mapped:
    """A field and its path, with a unit after a colon. Raises `UsageError` for what is neither."""
    if field not in TARGETS:
        if field in FIELDS:
            raise UsageError(f"{field} is made by llmtel; it is not read from a log")
        raise UnknownName(unknown("field", field, TARGETS))
    unit = None
    if said := _UNIT.search(path):
        unit = said[1]
        known = UNITS.get(field, {})
        if unit not in known:
            has = f"{field} can be in {', '.join(known)}" if known else f"{field} has no units"
            raise UsageError(rf"there is no unit {unit!r}: {has}. A colon inside a key is written \:")
        path = path[: said.start()]
    if not _PATH.fullmatch(path):
        raise UsageError(
            rf"{path!r} is no path; keys are parted by dots, [0] is the first of a list, and \. is a dot "
            "inside a key"
        )
    return Mapped(field, path.replace("\\:", ":"), unit, origin)


def wanted_for(rules: Sequence[Rule], path: str, name: str) -> tuple[Mapped, ...]:
    """What the rules say for a file: of each field the paths of the last rule that has it, in their order."""
    found: dict[str, tuple[Mapped, ...]] = {}
    for rule in rules:
        if rule.fits(path, name):
            for field in dict.fromkeys(one.field for one in rule.fields):
                found[field] = tuple(one for one in rule.fields if one.field == field)
    return tuple(one for several in found.values() for one in several)


def claims(wanted: Sequence[Mapped], records: Sequence[Record]) -> int:
    """How many records are calls once their facts are known: they have a time and a model, tokens or so."""
    return sum(
        is_call(record, frozenset(one.fact for one in wanted if located(one.path, (record,)) is not None))
        for record in records
    )


def absent(wanted: Sequence[Mapped], records: Sequence[Record]) -> tuple[Mapped, ...]:
    """Those whose path no record has."""
    return tuple(one for one in wanted if located(one.path, records) is None)


def applied(source: Source, records: Sequence[Record], wanted: Sequence[Mapped]) -> Source:
    """The source with some fields read from where a person says; `records` are the file's first ones."""
    own: _Own = {}
    for one in wanted:
        own.setdefault(one.field, []).append((one, _place(one, records)))
    if not source.marks:
        source = _read_anew(source, records, own)
    fields = {name: pl.coalesce([_read(*one) for one in found]) for name, found in own.items()}
    calls = dict(source.calls)
    if source.marks:
        calls |= _from_totals(source, fields) | _from_times(calls, fields)
    direct = set(fields) - set(FACTS) - (_SOLVED if not source.marks else set())
    calls |= {_column(name): fields[name] for name in direct}
    source = replace(source, calls=calls)
    return source if source.marks else calls_apart(source)


def _read_anew(source: Source, records: Sequence[Record], own: _Own) -> Source:
    """A log of no known format, read as if it had called the facts by their names."""
    facts = places(records)
    if "latency_ms" in own:
        facts = {fact: found for fact, found in facts.items() if not fact.startswith("latency")}
    solved = [found for name, found in own.items() if name in _SOLVED]
    facts |= {found[0][0].fact: [place for _, place in found] for found in solved}
    return Outline(facts).of(source)


def _from_times(calls: Mapping[str, pl.Expr], fields: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """The durations of a known format whose end or first token stands elsewhere."""
    start = fields.get("ts", calls.get("ts"))
    if start is None:
        return {}
    ends = {"latency_ms": fields.get("end"), "ttft_ms": fields.get("first_token")}
    return {name: between(start, end) for name, end in ends.items() if end is not None}


def _from_totals(source: Source, fields: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """The leaves of a known format whose totals stand elsewhere; the rest of its counts are its own."""
    sides = {"input_tokens": INPUT_LEAVES, "output_tokens": OUTPUT_LEAVES}
    made = {leaf for name, side in sides.items() if name in fields for leaf in side}
    if not made:
        if "total_tokens" in fields:
            raise UsageError(f"total_tokens of {source.name}: map input_tokens or output_tokens with it")
        return {}
    known = {**source.calls, **{name: value for name, value in fields.items() if name not in FACTS}}
    solved = leaves(
        input=fields.get("input_tokens", UNKNOWN),
        output=fields.get("output_tokens", UNKNOWN),
        cache_read=known.get("cache_read"),
        cache_write=known.get("cache_write_5m"),
        cache_write_1h=known.get("cache_write_1h"),
        reasoning=known.get("reasoning"),
        total=fields.get("total_tokens"),
    )
    both = {"price_reason", RECONCILED, MISMATCH} if len(made) > len(INPUT_LEAVES) else set()
    return {name: value for name, value in solved.items() if name in made | both or is_step(name)}


def _place(one: Mapped, records: Sequence[Record]) -> Place:
    """Where a mapped field stands in some records; a path that none of them has is taken as it is written."""
    path = located(one.path, records) or one.path
    values = [lookup(record, raw.steps_of(path)) for record in records]
    return Place(path, 0, 0, [value for value in values if value is not None])


def _read(one: Mapped, place: Place) -> pl.Expr:
    """The expression for a field (or fact) at its place."""
    dtype = FIELDS[one.field].dtype if one.field in FIELDS else pl.Int64()
    if dtype == TIME or one.field in ("end", "first_token"):
        return raw.time(place.path)
    if dtype == pl.Boolean:
        flag = Outline({one.field: [place]}).flag(one.field)
        return flag if flag is not None else raw.flag(place.path)
    if dtype == pl.Float64:
        factor = UNITS.get(one.field, {}).get(one.unit or "", 1.0)
        return raw.number(place.path) * factor if factor != 1 else raw.number(place.path)
    if one.field == "http_status":
        return raw.code(place.path)
    return raw.count(place.path) if dtype == pl.Int64 else raw.text(place.path)


def _column(name: str) -> str:
    """The column of a mapping for a field: what came of a call is judged from words."""
    return {"status": WORD, "error": TEXT}.get(name, name)


def located(path: str, records: Sequence[Record]) -> str | None:
    """The path as the reader takes it: the keys may have dots. None where no record has a value there."""
    steps = raw.steps_of(path)
    for record in records:
        if lookup(record, steps) is not None:
            return path
    for record in records:
        if (found := _with_dots(record, path)) is not None:
            return found
    return None


def _with_dots(value: object, path: str) -> str | None:
    """The escaped path to a value below keys that have dots themselves: `gen_ai.request.model` is one key."""
    if not isinstance(value, dict):
        return None
    for key, inner in value.items():
        name = str(key)
        if name == path and inner is not None:
            return raw.escaped(name)
        if path.startswith(f"{name}.") and (rest := _with_dots(inner, path[len(name) + 1 :])) is not None:
            return f"{raw.escaped(name)}.{rest}"
    return None


def missing_words(one: Mapped, records: Sequence[Record]) -> str:
    """The sentence for a path that no record has, with those that it may have meant."""
    known = list(dict.fromkeys(path for record in records for path in paths_of(record)))
    last = one.path.rpartition(".")[2].lower()
    near = [path for path in known if path.rpartition(".")[2].lower() == last]
    near = near or get_close_matches(one.path, known, n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near[:3])}?" if near else f"There are {', '.join(known[:8])}"
    return f"{one.origin} {one.field}={one.path}: no record looked at has {one.path}. {hint}"


def paths_of(record: Record, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of the values of a record that are no objects, as a person would write them."""
    for key, value in record.items():
        path = f"{prefix}{raw.escaped(str(key))}"
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from paths_of(value, f"{path}.", depth + 1)
        else:
            yield path
