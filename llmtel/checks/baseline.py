"""The baseline file: a side written down, small, readable, the same for the same calls; no text, no user ids.

Totals, histograms, sums of at most some hundred groups of conversations, and sums by hashed case. The groups
and cases shrink, all alike, until the file fits.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from llmtel import __version__
from llmtel.checks import kinds
from llmtel.checks.cells import Usage
from llmtel.checks.private import stored_key, stored_split
from llmtel.checks.rules import Key, Split
from llmtel.checks.samples import KINDS, Count, Quotient, Sample, Share
from llmtel.checks.side import Segment, Segments, Side
from llmtel.core.errors import ConfigError, UsageError
from llmtel.query.metrics import METRICS

SCHEMA = "llmtel.baseline/1"
MOST_BYTES = 2_000_000
_SIZES = ((500, 5000), (250, 5000), (250, 2000), (120, 1000), (60, 500), (60, 200), (60, 0))
"""Groups of conversations and cases that a sample keeps, tried from left to right until the file fits."""
_WIDTH = 110


def text(side: Side, saved: datetime | None = None) -> str:
    """The file of a side, made at `saved`. Raises `UsageError` where no shrinking makes it fit."""
    for clusters, cases in _SIZES:
        found = "".join(_lines(_data(side, saved, clusters, cases))) + "\n"
        if len(found.encode()) <= MOST_BYTES:
            return found
    raise UsageError(
        f"the baseline would have more than {MOST_BYTES / 1e6:.0f} MB: lower max_segments, or split by less"
    )


def save(side: Side, path: Path, saved: datetime | None = None) -> None:
    """Write the file, with the folders it needs; it is there as a whole or not at all."""
    content = text(side, saved)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(path)


def load(path: Path) -> Side:
    """The side of a file. Raises `UsageError` if it cannot be read, `ConfigError` if it is no baseline."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    return read(content, str(path))


def read(content: bytes, name: str) -> Side:
    """The side in the bytes of a file. Raises `ConfigError`."""
    try:
        data = json.loads(content)
        schema = data["schema"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ConfigError(f"{name}: no baseline of llmtel") from None
    if schema != SCHEMA:
        raise ConfigError(f"{name}: a baseline of another version ({str(schema)[:40]!r}, not {SCHEMA})")
    try:
        return _side(data, name)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ConfigError(f"{name}: a damaged baseline ({type(error).__name__}); save it again") from None


class Difference(Struct, frozen=True):
    """A number of two baselines that is not the same; None where a side does not have it."""

    split: Split
    key: Key
    metric: str
    before: float | None
    after: float | None


def diff(before: Side, after: Side) -> list[Difference]:
    """What differs between the numbers of two sides, in order of splits, segments and metrics."""
    a, b = dict(_points(before)), dict(_points(after))
    found = [Difference(*place, a.get(place), b.get(place)) for place in {**a, **b}]
    return [one for one in found if one.before != one.after]


def _points(side: Side) -> Iterator[tuple[tuple[Split, Key, str], float | None]]:
    for split, segments in side.splits.items():
        for key, segment in segments.items():
            for metric, sample in segment.samples.items():
                yield (stored_split(split), stored_key(split, key), metric), sample.point


def _data(side: Side, saved: datetime | None, clusters: int, cases: int) -> dict[str, Any]:
    splits = sorted(side.splits.items(), key=lambda pair: (pair[0].where, pair[0].by, pair[0].window or ""))
    return {
        "schema": SCHEMA,
        "llmtel": __version__,
        "saved": _time(saved or side.saved),
        "commit": side.commit,
        "accepted": side.accepted,
        "where": list(side.where),
        "prices": dict(side.prices),
        "rates": {model: dict(of) for model, of in side.rates.items()},
        "calls": _whole(side.calls),
        **({} if side.noun == "call" else {"noun": side.noun}),
        "first": _time(side.first),
        "last": _time(side.last),
        "cells": [_cell_data(key, usage) for key, usage in side.cells.items()],
        "seen": {name: list(values) for name, values in side.seen.items()},
        "splits": [
            {
                "where": list(stored_split(split).where),
                "by": list(split.by),
                "window": split.window,
                "segments": [
                    {
                        "key": list(key),
                        "calls": _whole(segment.calls),
                        "metrics": {
                            name: _sample_data(sample, clusters, cases)
                            for name, sample in sorted(segment.samples.items())
                        },
                    }
                    for key, segment in _in_order(split, segments)
                ],
            }
            for split, segments in splits
        ],
    }


def _in_order(split: Split, segments: Segments) -> list[tuple[Key, Segment]]:
    named = [(stored_key(split, key), segment) for key, segment in segments.items()]
    return sorted(named, key=lambda pair: [(value is None, value or "") for value in pair[0]])


def _sample_data(sample: Sample, clusters: int, cases: int) -> dict[str, Any]:
    kept = sample.shrunk(clusters, cases) if isinstance(sample, Quotient | Share | Count) else sample
    return kept.as_json()


def _cell_data(key: Key, usage: Usage) -> dict[str, Any]:
    tokens = {kind: _whole(n) for kind, n in usage.tokens.items()}
    return {"key": list(key), "calls": _whole(usage.calls), "tokens": tokens, "costs": dict(usage.costs)}


def _side(data: Mapping[str, Any], name: str) -> Side:
    splits = {
        Split(tuple(one["where"]), tuple(one["by"]), one["window"]): {
            tuple(segment["key"]): Segment(
                segment["calls"], {m: _sample(m, s) for m, s in segment["metrics"].items() if m in METRICS}
            )
            for segment in one["segments"]
        }
        for one in data["splits"]
    }
    return Side(
        splits,
        data["calls"],
        _read_time(data["first"]),
        _read_time(data["last"]),
        name,
        _read_time(data["saved"]),
        {tuple(one["key"]): Usage(one["calls"], one["tokens"], one["costs"]) for one in data["cells"]},
        dict(data.get("seen", {})),
        dict(data["prices"]),
        data["commit"],
        data["accepted"],
        tuple(data.get("where", ())),
        rates=dict(data.get("rates", {})),
        noun=data.get("noun", "call"),
    )


def _sample(metric: str, data: Mapping[str, Any]) -> Sample:
    return KINDS[kinds.kind(METRICS[metric])].from_json(data)


def _short(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    """A whole number without ".0"; the rest as it is."""
    return _whole(value) if isinstance(value, float) else value


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_time(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def _lines(value: Any, indent: str = "") -> Iterator[str]:  # noqa: ANN401 (any JSON)
    """JSON with a line for each entry, and numbers in paragraphs."""
    deeper = indent + " "
    if isinstance(value, dict) and value:
        yield "{\n"
        for i, (key, inner) in enumerate(value.items()):
            yield f"{deeper}{json.dumps(key, ensure_ascii=False)}: "
            yield from _lines(inner, deeper)
            yield ",\n" if i < len(value) - 1 else "\n"
        yield f"{indent}}}"
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        yield "[\n"
        for i, inner in enumerate(value):
            yield deeper
            yield from _lines(inner, deeper)
            yield ",\n" if i < len(value) - 1 else "\n"
        yield f"{indent}]"
    else:
        yield _flat(value, deeper)


def _flat(value: Any, indent: str) -> str:  # noqa: ANN401 (any JSON)
    """A value without others in it; a long list of numbers is folded."""
    numbers = [_short(x) for x in value] if isinstance(value, list) else _short(value)
    flat = json.dumps(numbers, ensure_ascii=False, allow_nan=False)
    if len(flat) <= _WIDTH or not isinstance(value, list) or any(isinstance(x, str) for x in value):
        return flat
    folded = textwrap.wrap(flat, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return f"\n{indent}".join(folded)
