"""What `llmtel baseline` says: what was saved, what a file holds, how two differ."""

from __future__ import annotations

import math

from msgspec.structs import replace

from llmtel.checks.baseline import Difference, diff
from llmtel.checks.rules import Key, Rule, Split
from llmtel.checks.side import Side
from llmtel.core.answers import Column, Document, Line, Row, Table
from llmtel.core.units import COUNT, Unit
from llmtel.query.metrics import METRICS
from llmtel.reports.checking import SHORT_COMMIT, side_meta
from llmtel.reports.context import Context
from llmtel.reports.judging import percent, signed
from llmtel.reports.sealing import sealed
from llmtel.reports.sharing import Sharing
from llmtel.reports.trust import in_calls, remarks, size


def saved(side: Side, path: str, written: int, context: Context) -> Document:
    """That a file was written, and what is in it."""
    segments = sum(len(found) for found in side.splits.values())
    metrics = {name for found in side.splits.values() for one in found.values() for name in one.samples}
    at = f" at {side.commit[:SHORT_COMMIT]}" if side.commit else ""
    calls = in_calls(side.calls, side.noun)
    words = f"{in_calls(len(metrics), 'metric')} of {in_calls(segments, 'segment')}, {calls}{at}"
    lines = [Line(f"{path}: {words}, {size(written)}", name="saved")]
    if side.accepted:
        lines.append(Line(side.accepted, name="accepted"))
    lines.append(Line("commit it, and llmtel check compares with it", name="next"))
    rejected = context.account.rejected
    return Document(
        "llmtel.baseline/1", "Baseline", (*lines, *(remarks(context.notes, ()) if rejected else ()))
    )


def shown(side: Side, sharing: Sharing | None = None) -> Document:
    """The numbers of a file by split and segment. Raises `UsageError` where they are not to be shared."""
    side = _fit(side, sharing, "the baseline")
    rows = [
        (_name(split, key, metric), metric, sample.point, sample.n)
        for split, segments in side.splits.items()
        for key, segment in segments.items()
        for metric, sample in sorted(segment.samples.items())
    ]
    people: list[Row] = [
        {"metric": name, "value": METRICS[metric].unit.show(point), "n": n} for name, metric, point, n in rows
    ]
    raw: list[Row] = [{"metric": name, "value": point, "n": n} for name, _, point, n in rows]
    least = None if sharing is None else sharing.k
    document = Document(
        "llmtel.baseline/1",
        "Baseline",
        (Line(_about(side), name=side.label), Table((), (), (_METRIC, _VALUE, _N), people, least=least)),
        tables=(Table((), (), (_METRIC, _VALUE, _N), raw, least=least),),
        meta={"baseline": side_meta(side)},
    )
    return sealed(document, sharing, ("baseline",))


def _fit(side: Side, sharing: Sharing | None, label: str) -> Side:
    """A side without what must not be shared. Raises `UsageError` where nobody knows of how many it is."""
    if sharing is None:
        return side
    sharing.refuse_baseline()
    splits = {
        split: {tuple(sharing.safe(key)): one for key, one in segments.items()}
        for split, segments in side.splits.items()
        if sharing.allows(split)
    }
    return replace(side, splits=splits, label=label, accepted=None, commit=None)


def _about(side: Side) -> str:
    parts = [
        f"saved {side.saved:%Y-%m-%d %H:%M}" if side.saved else "",
        f"at {side.commit[:SHORT_COMMIT]}" if side.commit else "",
        in_calls(side.calls, side.noun),
        f"of {side.first:%Y-%m-%d} – {side.last:%Y-%m-%d}" if side.first and side.last else "",
        f"prices of {side.prices['as_of']}" if side.prices.get("as_of") else "",
        f"accepted: {side.accepted}" if side.accepted else "",
    ]
    return " · ".join(part for part in parts if part)


def differences(before: Side, after: Side, sharing: Sharing | None = None) -> Document:
    """What is not the same in two baselines. Raises `UsageError` as `shown`."""
    before, after = _fit(before, sharing, "the baseline"), _fit(after, sharing, "the other")
    least = None if sharing is None else sharing.k
    found = diff(before, after)
    rows = [_row(one) for one in found]
    raw: list[Row] = [
        {"metric": _name(d.split, d.key, d.metric), "before": d.before, "after": d.after} for d in found
    ]
    said = f"{in_calls(len(found), 'difference')}: {_about(before)} → {after.label or _about(after)}"
    document = Document(
        "llmtel.baseline_diff/1",
        "Differences",
        (Line(said), *([Table((), (), (_METRIC, *_BOTH, _CHANGE), rows, least=least)] if rows else [])),
        tables=(Table((), (), (_METRIC, *_BOTH), raw, least=least),),
        meta={"before": side_meta(before), "after": side_meta(after)},
    )
    return sealed(document, sharing, ("before", "after"))


def _row(one: Difference) -> Row:
    unit = METRICS[one.metric].unit
    absent = "–"
    return {
        "metric": _name(one.split, one.key, one.metric),
        "before": absent if one.before is None else unit.show(one.before),
        "after": absent if one.after is None else unit.show(one.after),
        "change": _moved(one.before, one.after, unit),
    }


def _moved(before: float | None, after: float | None, unit: Unit) -> str:
    if before is None or after is None:
        return ""
    relative = after / before - 1 if before > 0 else math.inf
    return percent(relative) if math.isfinite(relative) else signed(after - before, unit)


def _name(split: Split, key: Key, metric: str) -> str:
    """The metric with the filters that pick the segment."""
    return Rule("", metric, (), split).segment(key)


def _text(name: str, help_: str) -> Column:
    return Column(name, name, help_, "field")


_METRIC = _text("metric", "The metric, with the filters that pick the segment")
_VALUE = _text("value", "Its value")
_N = Column("n", "n", "Calls it rests on", "field", COUNT)
_BOTH = (_text("before", "In the one"), _text("after", "In the other"))
_CHANGE = _text("change", "How much it moved")
