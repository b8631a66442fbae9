"""LangSmith runs as records, and their mapping: shared by payloads, runs of the API, and bulk exports.

https://docs.langchain.com/langsmith/run-data-format. A run is posted when it starts and patched when it ends:
both have its `trace_id` and `dotted_order`, not always its id. Chains repeat the tokens of the runs below
them. The top-level `session_id` is the tracing project, no conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.genai import QUALITY
from llmtel.sources.nested import object_in, objects_in
from llmtel.sources.outcome import ANSWERED, TEXT, WORD
from llmtel.sources.quality import Score, judged
from llmtel.sources.source import Record, lookup
from llmtel.sources.trees import leaves_of
from llmtel.sources.usage import leaves

_RUN = ("@trace", "dotted_order:str")
_MESSAGE = ("generations", 0, 0, "message", "kwargs")
_CHOICE = ("choices", 0, "finish_reason")
_KEPT = (
    "id", "name", "run_type", "start_time", "end_time", "first_token_time", "trace_id", "parent_run_id",
    "dotted_order", "session_name", "status", "error", "tags", "prompt_tokens", "completion_tokens",
    "total_tokens", "prompt_token_details", "completion_token_details", "total_cost",
)  # fmt: skip


def records(line: Record) -> Iterator[dict[str, Any]]:
    """The runs of an object: of a payload, posted and patched ones, or itself."""
    if "post" in line or "patch" in line:
        for key in ("post", "patch"):
            yield from (_run(run) for run in objects_in(line, key))
    else:
        yield _run(line)


def _run(run: Record) -> dict[str, Any]:
    """A run without its texts, with its usage and the time of its first token in one place each."""
    outputs, extra = object_in(run, "outputs"), object_in(run, "extra")
    metadata = object_in(extra, "metadata")
    # most runs have neither of these, and to look for what is inside takes the longest
    message = lookup(outputs, _MESSAGE) if "generations" in outputs else None
    message = message if isinstance(message, dict) else {}
    choice = lookup(outputs, _CHOICE) if "choices" in outputs else None
    places = (outputs.get("usage_metadata"), metadata.get("usage_metadata"), message.get("usage_metadata"))
    told = object_in(message, "response_metadata") if message else message
    tokens = (one for one in objects_in(run, "events") if one.get("name") == "new_token")
    return {
        **{key: run[key] for key in _KEPT if key in run},
        "usage": next((usage for usage in places if isinstance(usage, dict)), None),
        "first_event": next(tokens, {}).get("time") if "events" in run else None,
        "extra": {"metadata": metadata},
        "outputs": {
            "id": outputs.get("id") or told.get("id"),
            "model": outputs.get("model") or told.get("model_name"),
            "service_tier": outputs.get("service_tier"),
            "finish_reason": choice or told.get("finish_reason"),
        },
        "judged": judged(_scores(run)) if "feedback_stats" in run else None,
    }


def _scores(run: Record) -> Iterator[Score]:
    """What people and judges said of a run, as means."""
    for name, stats in object_in(run, "feedback_stats").items():
        if isinstance(stats, dict):
            yield Score(name, stats.get("avg"))


_META, _IN, _OUT = "extra.metadata.", "usage.input_token_details.", "usage.output_token_details."
_TYPE, _ID, _PARENT = raw.text("run_type"), raw.text("outputs.id"), raw.text("parent_run_id")
_START, _END = raw.time("start_time"), raw.time("end_time")
_FIRST = raw.time("first_token_time", "first_event")
_WRITTEN = tuple(raw.count(f"{_IN}ephemeral_{life}_input_tokens") for life in ("5m", "1h"))
# an export writes zeros where nothing was counted
_COUNTED = raw.count("total_tokens").fill_null(1) > 0


def _exported(name: str) -> pl.Expr:
    return pl.when(_COUNTED).then(raw.count(name))


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`; the first row of a run has all that its post and its patches say."""
    rows = rows.with_columns(raw.text("trace_id").alias("@trace"))
    again = pl.lit(value=False)
    if rows.select((pl.col(_RUN[1]).is_not_null() & pl.col(_RUN[1]).is_duplicated()).any()).item():
        rows, again = _put_together(rows)
    calls = leaves_of(rows, _TYPE.is_in(["llm", "embedding"]), "@trace", "id:str", "parent_run_id:str")
    return rows.with_columns((pl.lit(calls) & ~again).alias("@call"))


def _put_together(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Expr]:
    """Rows with all that is said of their runs, and whether each repeats a row before it."""
    run = ["@segment", *_RUN]
    split = pl.struct(run).is_duplicated() & pl.all_horizontal(pl.col(name).is_not_null() for name in _RUN)
    rows = rows.with_columns((split & ~pl.struct(run).is_first_distinct()).alias("@again"))
    known = [name for name in rows.columns if ":" in name and name not in _RUN]
    said = rows.filter(split).group_by(run).agg(pl.col(known).drop_nulls().first())
    both = rows.join(said, on=run, how="left", suffix=" said", maintain_order="left")
    told = [
        pl.coalesce(f"{name} said", name).alias(name) if name in known else pl.col(name)
        for name in rows.columns
    ]
    return both.select(told), pl.col("@again")


_ERROR = raw.text("error")
_FAILED = _ERROR.str.len_bytes().fill_null(0) > 0
CALLS: dict[str, pl.Expr] = {
    "ts": _START,
    "latency_ms": (_END - _START).dt.total_microseconds() / 1000,
    "ttft_ms": (_FIRST - _START).dt.total_microseconds() / 1000,
    "call_id": pl.coalesce(_ID, raw.text("id")),
    "response_id": _ID,
    "trace": raw.text("trace_id"),
    "operation": pl.when(_TYPE == "embedding").then(pl.lit("embeddings")),
    "provider": raw.text(f"{_META}ls_provider"),
    "model": raw.text("outputs.model", f"{_META}ls_model_name"),
    "model_requested": raw.text(f"{_META}ls_model_name"),
    "user": raw.text(f"{_META}user_id"),
    "session": raw.text(*(f"{_META}{name}" for name in ("session_id", "thread_id", "conversation_id"))),
    "project": raw.text("session_name"),
    "feature": raw.text("tags[0]"),
    "prompt_version": raw.text(f"{_META}revision_id"),
    **leaves(
        input=pl.coalesce(raw.count("usage.input_tokens"), _exported("prompt_tokens")),
        output=pl.coalesce(raw.count("usage.output_tokens"), _exported("completion_tokens")),
        cache_read=raw.count(f"{_IN}cache_read", "prompt_token_details.cache_read"),
        # what is written is told by its life, in all, or what of it has no known life
        cache_write=pl.coalesce(
            _WRITTEN[0]
            + (raw.count(f"{_IN}cache_creation") - _WRITTEN[0] - _WRITTEN[1].fill_null(0))
            .clip(0)
            .fill_null(0),
            raw.count(f"{_IN}cache_creation"),
            raw.count("prompt_token_details.cache_creation"),
        ),
        cache_write_1h=_WRITTEN[1],
        reasoning=raw.count(f"{_OUT}reasoning", "completion_token_details.reasoning"),
        input_audio=raw.count(f"{_IN}audio"),
        output_audio=raw.count(f"{_OUT}audio"),
        total=pl.coalesce(raw.count("usage.total_tokens"), _exported("total_tokens")),
    ),
    "cost_logged": raw.number("total_cost"),
    "finish_reason": raw.text("outputs.finish_reason"),
    "service_tier": raw.text("outputs.service_tier"),
    **QUALITY,
    WORD: raw.text("status"),
    TEXT: pl.when(_FAILED).then(_ERROR),
    ANSWERED: _END.is_not_null() & ~_FAILED,
}
READS = (_TYPE, _PARENT, raw.text("id"), raw.text("dotted_order"))
"""What `with_calls` reads beside the mapping."""
