"""Mooncake traces: https://github.com/kvcache-ai/Mooncake/tree/main/FAST25-release.

The time of a request is counted from the start of the trace, in milliseconds: it has no day, and is not read.
"""

from __future__ import annotations

from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

SOURCES = (
    Source(
        name="mooncake",
        help="Mooncake request traces: lengths of prompt and answer; times are relative and not read",
        link="https://github.com/kvcache-ai/Mooncake/tree/main/FAST25-release",
        marks=(Mark(all=("hash_ids", "input_length", "output_length")),),
        calls={
            "input_uncached": raw.count("input_length"),
            "output_text": raw.count("output_length"),
        },
        sample=lines("""
            {"timestamp":0,"input_length":6755,"output_length":500,"hash_ids":[0,1,2]}
            {"timestamp":3000,"input_length":7319,"output_length":490,"hash_ids":[0,3]}
        """),
        expect=rows("""
            {"ts": null, "model": null, "input_uncached": 6755, "output_text": 500, "status": null}
            {"ts": null, "input_uncached": 7319, "output_text": 490}
        """),
    ),
)
