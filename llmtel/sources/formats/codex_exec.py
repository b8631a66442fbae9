"""What `codex exec --json` prints: https://developers.openai.com/codex/noninteractive.

A turn is as many requests as the work took, and its usage is that of the thread so far: a row is what one
turn added to it. The rollout of the same thread has the requests one by one.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import so_far
from llmtel.sources.buckets import SUMS
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.usage import leaves

_KEYS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
_USED = {key: raw.count(f"usage.{key}") for key in _KEYS}
_DONE = (raw.text("type") == "turn.completed") & _USED["output_tokens"].is_not_null()


def with_turns(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@thread`, and what each turn added to its thread: `@KEY`."""
    rows = rows.with_columns(so_far(raw.text("thread_id")).alias("@thread")).with_row_index("@at")
    # sorted, what is before a row is found in one pass; windows over many threads take ten times as long
    rows = rows.sort("@segment", "@thread", maintain_order=True)
    begins = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift()) for key in ("@segment", "@thread"))
    rows = rows.with_columns((begins | (pl.int_range(pl.len()) == 0)).alias("@begins"))
    before = {key: _before(value) for key, value in _USED.items()}
    # counters that fell began anew
    grown = pl.all_horizontal((_USED[key] >= before[key]).fill_null(value=True) for key in _KEYS)
    added = ((_USED[key] - pl.when(grown).then(before[key]).otherwise(0)).alias(f"@{key}") for key in _KEYS)
    return rows.with_columns(added).sort("@at").drop("@at", "@begins")


def _before(value: pl.Expr) -> pl.Expr:
    """The latest known value before each row of its thread, in rows sorted by threads; 0 for none."""
    known = pl.when("@begins").then(value.fill_null(0)).otherwise(value).forward_fill()
    return pl.when("@begins").then(0).otherwise(known.shift(1, fill_value=0))


SOURCES = (
    Source(
        name="codex_exec",
        help="codex exec --json: the tokens of each turn (buckets)",
        link="https://developers.openai.com/codex/noninteractive",
        evidence="documented",
        marks=(
            Mark(all=("thread_id",), values={"type": ("thread.started",)}),
            Mark(none=("payload",), values={"type": ("turn.started", "turn.completed", "turn.failed")}),
            Mark(all=("item.id",), values={"type": ("item.started", "item.updated", "item.completed")}),
        ),
        markers=('"thread.started"', '"turn.completed"'),
        whole=True,
        prepare=with_turns,
        keep=_DONE,
        reads=(raw.text("type"), raw.text("thread_id"), *_USED.values()),
        calls={
            **SUMS,
            "session": pl.col("@thread"),
            **leaves(
                input=pl.col("@input_tokens"),
                cache_read=pl.col("@cached_input_tokens"),
                output=pl.col("@output_tokens"),
                reasoning=pl.col("@reasoning_output_tokens"),
            ),
        },
        sample=lines("""
            {"type":"thread.started","thread_id":"t1"}
            {"type":"turn.started"}
            {"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"done"}}
            {"type":"turn.completed","usage":{"input_tokens":900,"cached_input_tokens":600,"output_tokens":40,
              "reasoning_output_tokens":10}}
            {"type":"turn.completed","usage":{"input_tokens":2000,"cached_input_tokens":1500,
              "output_tokens":100,"reasoning_output_tokens":30}}
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": null, "session": "t1", "input_uncached": 300,
              "cache_read": 600, "output_text": 30, "reasoning": 10}
            {"session": "t1", "input_uncached": 200, "cache_read": 900, "output_text": 40, "reasoning": 20}
        """),
    ),
)
