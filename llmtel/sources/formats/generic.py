"""Any application's own log: one call per record, its facts found by the names they usually have."""

from __future__ import annotations

from collections.abc import Sequence

from llmtel.sources.aliases import places
from llmtel.sources.mixed import calls_apart
from llmtel.sources.outline import Outline
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Record, Source

LINK = "docs/formats.md#generic"


def bind(records: Sequence[Record], source: Source) -> Source:
    """The mapping for a file whose first records these are."""
    outline = Outline(places(records))
    return calls_apart(outline.of(source))


SOURCES = (
    Source(
        name="generic",
        speaks=True,
        help="Any JSON log with a time and a model, tokens or a latency: "
        "facts are found by their usual names",
        link=LINK,
        bind=bind,
        sample=lines("""
            {"timestamp":"2026-09-01T10:00:00Z","request_id":"r1","model":"gpt-4o-mini","prompt_tokens":10,
              "completion_tokens":5,"latency":0.12,"user":"u1","status":"ok"}
            {"timestamp":"2026-09-01T10:00:01Z","request_id":"r2","model":"gpt-4o-mini","latency":0.5,
              "status_code":429}
        """),
        expect=rows("""
            {"call_id": "r1", "input_uncached": 10, "output_text": 5, "latency_ms": 120.0, "user": "u1",
              "status": "ok"}
            {"call_id": "r2", "input_uncached": null, "status": "error", "error": "rate_limit",
              "http_status": 429}
        """),
    ),
    Source(
        name="generic_csv",
        speaks=True,
        help="Any CSV or TSV of calls with a header line: facts are found by their usual names",
        link=LINK,
        layout="csv",
        bind=bind,
        sample=lines("""
            date,model,input_tokens,output_tokens,latency_ms,team
            2026-09-01,gpt-4o,10,5,120,a
        """),
        expect=rows("""
            {"input_uncached": 10, "output_text": 5, "latency_ms": 120.0, "model": "gpt-4o"}
        """),
    ),
)
