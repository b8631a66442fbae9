"""Azure LLM inference traces (CSV): https://github.com/Azure/AzurePublicDataset."""

from __future__ import annotations

from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

SOURCES = (
    Source(
        name="azure_trace",
        help="Azure LLM inference traces: time, context tokens and generated tokens",
        link="https://github.com/Azure/AzurePublicDataset",
        layout="csv",
        utc=True,
        marks=(Mark(all=("TIMESTAMP", "ContextTokens", "GeneratedTokens")),),
        calls={
            "ts": raw.time("TIMESTAMP"),
            "input_uncached": raw.count("ContextTokens"),
            "output_text": raw.count("GeneratedTokens"),
        },
        sample=lines("""
            TIMESTAMP,ContextTokens,GeneratedTokens
            2023-11-16 18:17:03.9799600,4808,10
            2023-11-16 18:17:04.0310000,3180,8
        """),
        expect=rows("""
            {"input_uncached": 4808, "output_text": 10, "model": null, "status": null}
            {"input_uncached": 3180, "output_text": 8}
        """),
    ),
)
