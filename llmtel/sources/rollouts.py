"""What a Codex rollout tells of its calls, which are a matter of counters and not of lines.

Usage is written three ways. `token_usage_record` (mid-2026 on) stands for one request. `token_count` events
carry cumulative totals and the last call, and are written again and again unchanged: a call is where the
totals move. `turn.completed` with a usage is one call. The model is announced earlier in the file.

Forks and sub-agents begin with the events of their parent, stamped anew within a second: those are dropped.
Where writing them took longer, the rest has the parent's ids, so that it meets the parent's calls.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import of_file, so_far

_KEYS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)
_TYPE, _EVENT = raw.text("type"), raw.text("payload.type")
_INFO = "payload.info."
_TOTAL = {key: raw.count(f"{_INFO}total_token_usage.{key}") for key in _KEYS}
_LAST = {key: raw.count(f"{_INFO}last_token_usage.{key}") for key in _KEYS}
_RECORD = {key: raw.count(f"payload.usage.{key}") for key in _KEYS}
_PROMPT, _COMPLETION = raw.count(f"{_INFO}prompt"), raw.count(f"{_INFO}completion")
_META_MODEL, _META_ID = (
    raw.text("payload.model"),
    raw.text("payload.id", "payload.session_id"),
)
STAMP, _SOURCE = raw.time("timestamp"), "payload.source:str"
_PARENTS = tuple(
    raw.text(f"payload.{path}")
    for path in ("forked_from_id", "parent_thread_id", "source.subagent.thread_spawn.parent_thread_id")
)
_AT_ONCE = pl.duration(seconds=1)


def _vector(counts: dict[str, pl.Expr]) -> pl.Expr:
    """Counts as one text, null when none is known."""
    known = pl.any_horizontal(value.is_not_null() for value in counts.values())
    return pl.when(known).then(
        pl.concat_str(*(value.cast(pl.String).fill_null("") for value in counts.values()), separator="-")
    )


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`, `@failed`, `@session`, `@model`, `@cwd`, `@total`, and the usage: `@use KEY`."""
    meta, context = _TYPE == "session_meta", _TYPE == "turn_context"
    announced = pl.when(context).then(_META_MODEL)
    rows = rows.with_columns(
        of_file(pl.when(meta).then(_META_ID)).alias("@session"),
        pl.coalesce(
            so_far(announced),
            raw.text(f"{_INFO}model"),
            of_file(pl.when(meta).then(_META_MODEL)),
        ).alias("@model"),
        so_far(pl.when(meta | context).then(raw.text("payload.cwd"))).alias("@cwd"),
        (_TYPE == "token_usage_record").any().over("@segment").alias("@recorded"),
        _replays(rows).alias("@fork"),
        of_file(pl.when(meta).then(pl.coalesce(*_PARENTS))).alias("@parent"),
        of_file(STAMP).alias("@begun"),
        _vector(_TOTAL).alias("@total"),
        _vector(_LAST).alias("@last"),
    ).with_columns(
        (pl.col("@fork") & (STAMP - pl.col("@begun") <= _AT_ONCE).fill_null(value=False)).alias("@replayed")
    )
    counted = _counted(rows.filter((_EVENT == "token_count") & (_TYPE == "event_msg") & ~pl.col("@recorded")))
    rows = rows.join(counted, on="row", how="left", maintain_order="left")
    single = ((_TYPE == "token_usage_record") | (_EVENT == "turn.completed")) & (
        _vector(_RECORD).is_not_null()
    )
    failed = (_TYPE == "event_msg") & (_EVENT == "error")
    uses = [
        pl.when(single).then(_RECORD[key]).otherwise(pl.col(f"@use {key}")).alias(f"@use {key}")
        for key in _KEYS
    ]
    return rows.with_columns(
        *uses,
        failed.alias("@failed"),
        ((pl.col("@counted").fill_null(value=False) | single | failed) & ~pl.col("@replayed")).alias("@call"),
    )


def _replays(rows: pl.DataFrame) -> pl.Expr:
    """Whether a file is a fork or a sub-agent's, which begin with their parent's events, stamped anew."""
    marks = pl.coalesce(*_PARENTS).is_not_null()
    if "unreadable" in rows.columns:  # a source that is an object, {"subagent": …}, is no text
        marks = marks | pl.col("unreadable").list.contains(_SOURCE).fill_null(value=False)
    return of_file(pl.when(_TYPE == "session_meta").then(marks)).fill_null(value=False)


def _counted(events: pl.DataFrame) -> pl.DataFrame:
    """Each `token_count` event: `row`, `@counted` (totals moved), `@use KEY` (last call, or the change).

    `@owner` is the parent of a fork, for the events at its beginning that follow each other at once.
    """
    old = _PROMPT.is_not_null() | _COMPLETION.is_not_null()
    events = events.filter(pl.col("@total").is_not_null() | pl.col("@last").is_not_null() | old)
    before = {key: value.shift(1).over("@segment") for key, value in _TOTAL.items()}
    moved = (
        pl.col("@total").ne_missing(pl.col("@total").shift(1).over("@segment"))
        & pl.col("@total").is_not_null()
    )
    repeated = (
        pl.col("@last").eq_missing(pl.col("@last").shift(1).over("@segment")) & pl.col("@last").is_not_null()
    )
    first = pl.int_range(pl.len()).over("@segment") == 0
    alone = pl.col("@total").is_null() & (old | first | ~repeated)
    since = STAMP - STAMP.shift(1).over("@segment").fill_null(pl.col("@begun"))
    at_once = (since <= _AT_ONCE).fill_null(value=False).cast(pl.Int8).cum_min().over("@segment") == 1
    owner = pl.when(pl.col("@fork") & at_once).then("@parent").alias("@owner")
    change = _TOTAL["total_tokens"] - before["total_tokens"]
    differs = (_LAST["total_tokens"] != change).fill_null(value=False) & (change >= 0).fill_null(value=False)
    use_change = pl.col("@last").is_null() | differs
    uses = []
    for key in _KEYS:
        delta = pl.coalesce(_TOTAL[key] - before[key], _TOTAL[key])
        uses.append(pl.when(use_change).then(delta).otherwise(_LAST[key]).alias(f"@use {key}"))
    uses[0] = pl.coalesce(_PROMPT, uses[0]).alias("@use input_tokens")
    uses[3] = pl.coalesce(_COMPLETION, uses[3]).alias("@use output_tokens")
    return events.select("row", (moved | alone).alias("@counted"), owner, *uses)


USE = {key: pl.col(f"@use {key}") for key in _KEYS}
"""What a call used."""
ID = pl.concat_str(
    pl.coalesce("@owner", "@session"),
    # an event without totals has nothing of its own but its time
    pl.coalesce("@total", STAMP.dt.epoch("us").cast(pl.String)),
    separator="/",
)
"""What tells a call from all others: a request has no id of its own in most versions."""
READS = (
    _TYPE,
    _EVENT,
    _META_MODEL,
    _META_ID,
    _PROMPT,
    _COMPLETION,
    raw.text(f"{_INFO}model"),
    raw.text("payload.cwd"),
    pl.col(_SOURCE),
    *_PARENTS,
    *_TOTAL.values(),
    *_LAST.values(),
    *_RECORD.values(),
)
"""What `with_calls` reads besides the mapping."""
