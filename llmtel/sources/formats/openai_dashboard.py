"""CSV exports of OpenAI's dashboard: usage and costs by bucket, and no single call.

https://platform.openai.com/usage. Columns are found by name, since their order differs. An export of a time
without usage has its four time columns and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from msgspec.structs import replace

from llmtel.sources import raw
from llmtel.sources.buckets import OPENAI, dollars, in_dollars_only
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source

_TIMES = frozenset({"start_time", "end_time", "start_time_iso", "end_time_iso"})


def bind(records: Sequence[Record], source: Source) -> Source:
    """The source as it is, with a word about an export that has no column but those of time."""
    if any(set(record) - _TIMES for record in records):
        return source
    return replace(source, decisions=("no usage: it has the columns of time and no others",))


_CURRENCY, _COST = raw.text("amount_currency"), raw.number("amount_value")
_SAYS = (OPENAI["request_count"], raw.count("input_tokens"), _COST)

SOURCES = (
    Source(
        name="openai_dashboard",
        help="CSV of OpenAI's dashboard: usage or costs by bucket (cost columns are unverified)",
        link="https://platform.openai.com/usage",
        evidence="documented",
        layout="csv",
        marks=(Mark(all=("start_time", "end_time", "start_time_iso")),),
        bind=bind,
        keep=pl.any_horizontal(column.is_not_null() for column in _SAYS),
        calls={**OPENAI, "cost_logged": dollars(_COST, _CURRENCY)},
        remarks=in_dollars_only(_CURRENCY),
        sample=lines("""
            start_time,end_time,start_time_iso,end_time_iso,model,num_model_requests,input_tokens,
              output_tokens,input_cached_tokens,batch
            1788220800,1788307200,2026-09-01T00:00:00+00:00,2026-09-02T00:00:00+00:00,gpt-5-mini,3.0,1200.0,
              80.0,200.0,False
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 3, "model": "gpt-5-mini", "input_uncached": 1000,
              "cache_read": 200, "output_text": 80, "batch": false, "latency_ms": null}
        """),
    ),
)
