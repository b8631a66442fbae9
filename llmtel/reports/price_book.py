"""`llmtel pricing`: the book as tables, one model's rows, what a check found, what an update would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from llmtel.core.answers import Block, Column, Document, Line, Row, Table, Value
from llmtel.core.units import COUNT, RATE, SHARE, USD
from llmtel.findings.words import listing as listing_of
from llmtel.findings.words import several
from llmtel.reports.context import TOOL, Prices
from llmtel.reports.trust import price_line

RATES = {
    "input": "input",
    "cache_read": "cache read",
    "cache_write_5m": "write 5m",
    "cache_write_1h": "write 1h",
    "output": "output",
    "reasoning": "reasoning",
    "input_audio": "audio in",
    "output_audio": "audio out",
    "web_search_per_1k": "searches",
    "request_per_1k": "requests",
}
"""Rates, with the heads of their columns."""
WORDS = {
    "provider": ("provider", "Who sells the model"),
    "model": ("model", "Id in the book"),
    "when": ("", "Whether the row is past, effective or future"),
    "from": ("from", "First UTC day of the row; since ever where there is none"),
    "until": ("until", "First UTC day of the next row"),
    "tiers": ("long context", "Rates of whole requests with more input tokens"),
    "modes": ("modes", "Batch, flex, priority, fast: a factor, or other rates"),
    "off_peak": ("off-peak", "Hours with other rates"),
    "confidence": ("confidence", "Found in one data set only, or what of it is not confirmed"),
    "checked": ("checked", "Day on which the numbers were last compared"),
    "source": ("source", "Page that has the prices"),
    "where": ("where", "File and line of the row"),
    "level": ("", "How grave it is"),
    "kind": ("kind", "A stable word for the kind of remark"),
    "text": ("remark", "What it says"),
    "part": ("part", "Leaf of the call's tokens, or thing billed by the piece"),
    "note": ("note", "What is to be known of the rate"),
    "rate_name": ("rate", "Which rate"),
    "change": ("change", "What would be written"),
}
FOR_MACHINES = ("source", "checked", "until")
"""Columns of a table that a terminal leaves out first."""


def column(name: str) -> Column:
    """The column of a fact about prices."""
    if name in RATES:
        per = "thousand, USD" if name.endswith("_per_1k") else "million tokens, USD"
        return Column(name, RATES[name], f"Rate of {RATES[name]} per {per}", "metric", RATE)
    head, help_ = WORDS[name]
    return Column(name, head, help_, "dimension" if name in {"model", "part"} else "field", null="none")


def table(rows: Sequence[Row], names: Sequence[str], title: str) -> Table:
    """Rows with those of `names` that any row knows."""
    known = [name for name in names if any(row.get(name) is not None for row in rows)]
    return Table((), (), tuple(map(column, known)), [{n: row.get(n) for n in known} for row in rows], title)


def listing(rows: Sequence[Row], prices: Prices, day: str, provider: str | None) -> Document:
    """The models with the rates that hold on a day."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["model"]
    whole = table(rows, names, f"prices of {day}")
    counted = f"{COUNT.show(len(rows))} models" + (f" of {provider}" if provider else "")
    unsure = sum(row["confidence"] is not None for row in rows)
    brief = (
        "provider",
        "model",
        "from",
        "input",
        "cache_read",
        "cache_write_5m",
        "output",
        "tiers",
        "confidence",
    )
    short = table([{**row, **_briefly(row)} for row in rows], brief, f"$ per million tokens on {day}")
    said = [Line(f"{counted}; {unsure} rest on one data set, or in part on fewer than two (confidence)")]
    return _document(
        "pricing", "Prices", [short, *said, Line(price_line(prices))], [whole], prices, {"day": day}
    )


def _briefly(row: Row) -> dict[str, Value]:
    """Long words of a row for people: thresholds of tiers, and a word for doubts."""
    tiers = [tier.partition(":")[0] for tier in str(row["tiers"] or "").replace("above ", "> ").split(";")]
    doubts = str(row["confidence"] or "")
    brief = "single" if doubts.startswith("single") else "partly" if doubts else None
    return {"tiers": ", ".join(t.strip() for t in tiers) or None, "confidence": brief}


def shown(
    facts: Mapping[str, Value], rows: Sequence[Row], prices: Prices, day: str, example: str
) -> Document:
    """Every row of one model, with its facts and a worked example."""
    whole = table(rows, list(rows[0]), str(facts["model"]))
    words = [
        Line(str(value), name=name) for name, value in facts.items() if value is not None and name != "model"
    ]
    kept = [name for name in whole.rows[0] if name not in FOR_MACHINES]
    return _document(
        "pricing",
        "Price",
        [table(rows, kept, f"{facts['model']}, $ per million tokens"), *words, Line(example, name="example"),
         Line(price_line(prices))],
        [whole], prices, {"day": day, "model": dict(facts)},
    )  # fmt: skip


def checked(remarks: Sequence[Row], files: Sequence[str], prices: Prices | None) -> Document:
    """What a check of price files found; without `prices`, because a file could not be read as one."""
    counts = {level: sum(r["level"] == level for r in remarks) for level in ("error", "warning", "info")}
    said = ", ".join(f"{n} {level}{'s' * (n != 1 and level != 'info')}" for level, n in counts.items())
    names = ("where", "level", "kind", "text")
    told = [r for r in remarks if r["level"] != "info"]
    lines = [Line(f"{r['where']}: {r['level']}: {r['text']}", grave=r["level"] == "error") for r in told]
    notes = [Line(f"{counts['info']} rows rest on one data set, or in part on fewer than two; "
                  "they are in --format json")] if counts["info"] else []  # fmt: skip
    blocks: list[Block] = [Line(f"{', '.join(files)}: {said}"), *lines, *notes]
    whole = Table((), (), tuple(map(column, names)), remarks, "remarks")
    return _document("pricing", "Check", blocks, [whole], prices, {"files": list(files), "counts": counts})


def updated(
    rows: Sequence[Row],
    compared: int,
    new: Sequence[str],
    prices: Prices,
    source: str,
    written: str | None,
    *,
    shown: bool,
) -> Document:
    """Rates that differ from another data set; `new` are models that only it has, told where `shown`."""
    columns = (
        column("model"),
        column("rate_name"),
        Column("mine", "book", "Rate in the book", "metric", RATE),
        Column("theirs", source, f"Rate in {source}", "metric", RATE),
        Column("change", "change", "How much more that is", "metric", SHARE),
    )
    whole = Table((), (), columns, rows, "differences")
    said = (
        f"{COUNT.show(compared)} {several(compared, 'model')} of the book found in {source}, {_counted(rows)}"
    )
    more = f"{COUNT.show(len(new))} {several(len(new), 'model')} of the book's providers only in {source}"
    names = f": {listing_of(new)}" if shown else "; --only PATTERN takes them in"
    end = f"written: {written}" if written else "nothing is written without --write"
    blocks: list[Block] = [Line(said), *([whole] if rows else []), *([Line(more + names)] if new else [])]
    blocks += [Line(end), Line(price_line(prices))]
    meta = {"source": source, "compared": compared, "new": list(new), "written": written}
    return _document("pricing", "Update", blocks, [whole], prices, meta)


def _counted(rows: Sequence[Row]) -> str:
    models = {row["model"] for row in rows}
    if not rows:
        return "and all rates are the same"
    return f"{len(rows)} {several(len(rows), 'rate')} of {len(models)} other than here"


def added(path: str, stanza: str) -> Document:
    """What was written into a price file."""
    blocks = [Line(f"written to {path}"), *(Line(line) for line in stanza.splitlines())]
    return _document("pricing", "Added", blocks, [], None, {"file": path, "entry": stanza})


def _document(
    what: str,
    title: str,
    blocks: Sequence[Block],
    tables: Sequence[Table],
    prices: Prices | None,
    meta: Mapping[str, Any],
) -> Document:
    book = {"pricing": prices.meta()} if prices else {}
    return Document(
        schema=f"llmtel.{what}/1",
        title=title,
        blocks=tuple(blocks),
        tables=tuple(tables),
        meta={"tool": TOOL, **book, **meta},
    )


def explained(
    call: Mapping[str, Value],
    story: Sequence[tuple[str, str]],
    leaves: Sequence[Row],
    costs: Mapping[str, Any],
    prices: Prices,
    words: str,
    least: int | None = None,
) -> Document:
    """Why one call costs what it does: `words` say the cost, or why there is none.

    `least` is of how many people it may be, where it is for others.
    """
    columns = (
        column("part"),
        Column("count", "count", "How many", "metric", COUNT),
        Column("rate", "rate $", "Rate in USD", "metric", RATE),
        Column("per", "per", "The rate is for so many", "metric", COUNT),
        Column("cost", "cost", "Count × rate ÷ per", "metric", USD),
        column("note"),
    )
    noted = any(row["note"] for row in leaves)
    sums = Table((), (), columns if noted else columns[:-1], leaves, "cost", least=least)
    known = [f"{name} {value}" for name, value in call.items() if value is not None]
    blocks: list[Block] = [Line(" · ".join(known)), *(Line(text, name=name) for name, text in story)]
    blocks += [sums] if leaves else []
    arithmetic = [f"{_term(row)} = {exact_usd(row['cost'])}" for row in leaves]
    blocks += [*(Line(text) for text in arithmetic), Line(words, name="cost"), Line(price_line(prices))]
    return _document(
        "pricing", "Explanation", blocks, [sums], prices,
        {"call": dict(call), "story": [{"name": n, "text": t} for n, t in story], "cost": dict(costs)},
    )  # fmt: skip


def _term(row: Row) -> str:
    rate = "no rate" if row["rate"] is None else exact_usd(row["rate"])
    return f"{row['part']}: {row['count']:,} × {rate} ÷ {row['per']:,}"


def exact_usd(value: Value) -> str:
    """An amount in USD to its last digit, or to twelve that count: "$0.000008"."""
    if not isinstance(value, int | float):
        return "unknown"
    digits = f"{Decimal(f'{abs(value):.12g}'):f}"
    return f"{'-' * (value < 0)}${digits}"
