"""llmtel's own JSONL and CSV: a line has `llmtel_call`, the schema's version, and the names of FIELDS."""

from __future__ import annotations

import polars as pl

from llmtel.core.schema import FIELDS, IMAGINED, PRICED, SCHEMA_VERSION, TIME
from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_MADE_HERE = frozenset({"format", "file", "line", "tags", *PRICED, *IMAGINED} - {"price_reason"})
"""Fields that the reader or the price book gives, whatever a line says."""

_VERSION = raw.count("llmtel_call")


def _column(name: str) -> pl.Expr:
    dtype = FIELDS[name].dtype
    if dtype == TIME:
        return raw.time(name)
    kinds = {pl.String: raw.text, pl.Int64: raw.count, pl.Float64: raw.number, pl.Boolean: raw.flag}
    return next(read for known, read in kinds.items() if dtype == known)(name)


_MAPPING = {
    **{name: _column(name) for name in FIELDS if name not in _MADE_HERE},
    "grain": raw.text("grain").fill_null("call"),
    "request_count": pl.when(raw.text("grain") == "bucket")
    .then(raw.count("request_count"))
    .otherwise(raw.count("request_count").fill_null(1)),
}
_NEWER = pl.when(_VERSION > SCHEMA_VERSION).then(
    pl.format("written by a newer llmtel (schema {}, this one reads {})", _VERSION, pl.lit(SCHEMA_VERSION))
)

SOURCES = (
    Source(
        name="canonical",
        help="llmtel's own JSONL: `llmtel_call` and the names of `llmtel list fields`",
        link="docs/formats.md#canonical",
        marks=(Mark(all=("llmtel_call", "ts")),),
        calls=_MAPPING,
        refuse=_NEWER,
        sample=lines("""
            {"llmtel_call":1,"ts":"2026-09-01T10:00:00Z","model":"gpt-4o-mini","input_uncached":10,
              "output_text":5,"user":"u1","status":"ok","sample_rate":0.5,"unknown_key":1}
            {"llmtel_call":1,"ts":null,"model":"gpt-4o-mini","input_uncached":null,"call_id":"c2"}
        """),
        expect=rows("""
            {"input_uncached": 10, "output_text": 5, "user": "u1", "status": "ok", "sample_rate": 0.5,
              "request_count": 1}
            {"call_id": "c2", "input_uncached": null, "ts": null}
        """),
    ),
    Source(
        name="canonical_csv",
        help="The same as CSV, as `llmtel store export` writes it",
        link="docs/formats.md#canonical",
        layout="csv",
        marks=(Mark(all=("llmtel_call", "ts")),),
        calls=_MAPPING,
        refuse=_NEWER,
        sample=lines("""
            llmtel_call,ts,model,input_uncached,output_text,user,status
            1,2026-09-01T10:00:00Z,gpt-4o-mini,10,5,u1,ok
            1,,gpt-4o-mini,,,,
        """),
        expect=rows("""
            {"input_uncached": 10, "output_text": 5, "user": "u1", "status": "ok", "request_count": 1}
            {"model": "gpt-4o-mini", "input_uncached": null, "output_text": null, "ts": null}
        """),
    ),
)
