"""Spans of OTLP/JSON as raw columns, all at once: what `spans.records` says, for exports as most are.

An export in which something is unusual (scores, sampling, ids in base64, texts that should be numbers) is not
read here, so that there is one answer to what that means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from llmtel.sources.escapes import half_a_character
from llmtel.sources.quality import SAID
from llmtel.sources.raw import Kind, RawColumn, Step
from llmtel.sources.spans import CHUNK, EVALUATION, EVALUATION_NAMES, FAILED, RATES, TEXTS
from llmtel.sources.typed import ATTRIBUTES, WITHIN, Unusual, attributes_of, refuse, wide

BEGINS = (b'{"resourceSpans":[', b'{"resourceSpans": [')

_IDS = {"trace": "traceId", "span": "spanId", "parent": "parentSpanId"}
_STARTED, _ENDED, _AT = "startTimeUnixNano", "endTimeUnixNano", "timeUnixNano"
_SPAN = pl.Struct({
    **dict.fromkeys((*_IDS.values(), "traceState", "name", _STARTED, _ENDED), pl.String()),
    "status": pl.Struct({"code": pl.String}),
    WITHIN: ATTRIBUTES,
    "events": pl.List(pl.Struct({"name": pl.String, _AT: pl.String, WITHIN: ATTRIBUTES})),
})  # fmt: skip
_SCOPE = pl.Struct({"scope": pl.Struct({"name": pl.String}), "spans": pl.List(_SPAN)})
_OLDER = "instrumentationLibrarySpans"
_RESOURCE = pl.Struct({
    "resource": pl.Struct({WITHIN: ATTRIBUTES}), "scopeSpans": pl.List(_SCOPE), _OLDER: pl.String(),
})  # fmt: skip
_ELSE = ("batches", "resourceLogs", "resourceMetrics", WITHIN, "start_time")
"""Keys of an object that is more than an export of spans, or something else."""
_EXPORT = pl.Struct({"resourceSpans": pl.List(_RESOURCE), **dict.fromkeys(_ELSE, pl.String())})

_TOLD: dict[Step, Kind] = {
    "kind": "str", "trace": "str", "span": "str", "parent": "str", "scope": "str", "service": "str",
    "environment": "str", "start": "time", "took_ms": "number", "failed": "bool", "exception": "str",
    "first_ms": "number", "prompt_chars": "count", "output_chars": "count", "sample_rate": "number",
}  # fmt: skip
"""What a span tells beside its attributes, and as what."""


def spans_at_once(lines: bytes, columns: Sequence[RawColumn]) -> pl.DataFrame | None:
    """The raw columns of spans, with `row`, the place of their line; None where something is unusual.

    Columns that no span has are left out.
    """
    try:
        refuse(c.steps[0] in _TOLD and (c.kind != _TOLD[c.steps[0]] or len(c.steps) > 1) for c in columns)
        spans, owners = _spans(lines)
        attributes = attributes_of(spans, "n")
        names = attributes["name"].unique().to_list()
        refuse(name in RATES or name.startswith((*SAID, EVALUATION_NAMES)) for name in names)
        told = _told(spans).lazy().join(owners.lazy(), on="owner", how="left", maintain_order="left")
        for more in (wide(attributes, columns, "n"), *_of_events(spans), *_sizes(attributes, names)):
            told = told.join(more.lazy(), on="n", how="left", maintain_order="left")
        found = told.collect()
    except (Unusual, pl.exceptions.PolarsError):
        return None
    return found.select("row", *(column.name for column in columns if column.name in found.columns))


def _refuse_any(frame: pl.DataFrame, *odd: pl.Expr) -> None:
    """Refuse a frame where something odd is true in a row."""
    refuse(frame.select(pl.any_horizontal(odd).any()).row(0))


def _spans(lines: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Spans: their number `n`, the `row` of their line, their scope's name, and their `owner`; and owners."""
    query = pl.scan_lines(lines, row_index_name="row").select(
        pl.col("row").cast(pl.UInt32),
        pl.col("line").str.json_decode(_EXPORT).alias("record"),
        half_a_character(pl.col("line")).alias("half"),
    )
    exports = query.collect(engine="streaming").rechunk().unnest("record")
    _refuse_any(exports, pl.col(_ELSE).is_not_null(), pl.col("half"))
    owners = _each(exports.lazy().select("row", "resourceSpans"), "resourceSpans")
    resources = owners.unnest("resourceSpans").with_row_index("owner").collect()
    _refuse_any(resources, pl.col(_OLDER).is_not_null())
    scopes = _each(resources.lazy().select("row", "owner", "scopeSpans"), "scopeSpans").unnest("scopeSpans")
    name = pl.col("scope").struct.field("name").fill_null("").alias("scope:str")
    found = _each(scopes.select("row", "owner", name, "spans"), "spans")
    found = found.with_columns(pl.col("spans").is_null().alias("none")).unnest("spans").with_row_index("n")
    spans = found.collect()
    _refuse_any(
        spans,
        pl.col("none"),  # something that has no spans is to be accounted for
        pl.col(_IDS.values()).str.ends_with("="),
        pl.col("name") == EVALUATION,
        pl.col("traceState").str.contains("ot=", literal=True),
        _odd_time(_STARTED),
        _odd_time(_ENDED),
    )
    return spans, _owners(resources)


def _each(frame: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """A row for every element of the lists at a key; one without any where there is none."""
    return frame.explode(key, empty_as_null=True, keep_nulls=True)


def _owners(resources: pl.DataFrame) -> pl.DataFrame:
    """The service and the environment of each resource."""
    names = ("service_name", "deployment_environment_name", "deployment_environment")
    attributes = attributes_of(resources.select("owner", pl.col("resource").struct.field(WITHIN)), "owner")
    table = wide(attributes, [RawColumn(name, (WITHIN, name), "str") for name in names], "owner")
    service, newer, older = (
        pl.col(name) if name in table.columns else pl.lit(None, dtype=pl.String) for name in names
    )
    environment = pl.coalesce(pl.when(newer != "").then(newer), older)
    return table.select("owner", service.alias("service:str"), environment.alias("environment:str"))


def _odd_time(name: str) -> pl.Expr:
    """Whether a time is no whole number, or written as nobody does."""
    time = pl.col(name)
    return (time != "") & (time.cast(pl.Int64, strict=False).cast(pl.String) != time).fill_null(value=True)


def _nanoseconds(name: str) -> pl.Expr:
    """A time in whole nanoseconds; null for 0, which the protocol writes for a time that is not set."""
    number = pl.col(name).cast(pl.Int64, strict=False)
    return pl.when(number != 0).then(number)


def _told(spans: pl.DataFrame) -> pl.DataFrame:
    """What spans tell beside their attributes and events."""
    start, end = _nanoseconds(_STARTED), _nanoseconds(_ENDED)
    code = pl.col("status").struct.field("code")
    return spans.select(
        "n", "row", "owner", "scope:str",
        pl.lit("span").alias("kind:str"),
        *(pl.when(pl.col(key) != "").then(pl.col(key)).alias(f"{name}:str") for name, key in _IDS.items()),
        (start // 1000).cast(pl.String).alias("start:time"),
        ((end - start) / 1e6).alias("took_ms:number"),
        code.is_in([f"{failed}" for failed in FAILED]).fill_null(value=False).alias("failed:bool"),
    )  # fmt: skip


def _of_events(spans: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The exception of a span's last event of one, and when its first chunk came."""
    if not spans.select(pl.col("events").list.len().sum()).item():
        return
    events = spans.select("n", _nanoseconds(_STARTED).alias("start"), "events")
    events = events.explode("events", empty_as_null=False, keep_nulls=False).unnest("events")
    _refuse_any(events, pl.col("name") == EVALUATION)
    last = events.filter(pl.col("name") == "exception").unique("n", keep="last")
    if last.height:
        kind = RawColumn("exception:str", (WITHIN, "exception_type"), "str")
        yield wide(attributes_of(last, "n"), [kind], "n")
    first = events.filter(pl.col("name") == CHUNK).unique("n", keep="first")
    if first.height:
        _refuse_any(first, _odd_time(_AT))
        yield first.select("n", ((_nanoseconds(_AT) - pl.col("start")) / 1e6).alias("first_ms:number"))


def _sizes(attributes: pl.DataFrame, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Characters of prompts and answers: of all messages, or of the single ones, or of the whole span."""
    for size, (whole, beginnings, other) in TEXTS.items():
        parts = [name for name in names if name.startswith(beginnings) and name.endswith("_content")]
        known = {whole, other, *parts}.intersection(names)
        if not known:
            continue
        length = pl.col("text").str.len_chars().cast(pl.Int64)
        of_parts = length.filter(pl.col("name").is_in(parts))
        chars = pl.coalesce(
            length.filter(pl.col("name") == whole).last(),
            pl.when(of_parts.count() > 0).then(of_parts.sum()),
            length.filter(pl.col("name") == other).last(),
        )
        found = attributes.filter(pl.col("name").is_in(known))
        refuse([found.select("n", "name").is_duplicated().any()])
        _refuse_any(found, pl.col("whole", "fraction").is_not_null())  # a number that is none is a text
        yield found.group_by("n").agg(chars.alias(f"{size}:count"))
