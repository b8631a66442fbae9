"""FIELDS: the canonical call, and the only list of its columns.

One row is one **call**: one request to a model and what came of it (`grain = call`), or, in a provider's
usage export, a **bucket** that stands for `request_count` requests. From this list come the Polars schema,
the empty frame, the Parquet metadata, `llmtel list fields`, the README table, the privacy class of every
column and what null means.

Token fields are disjoint leaves: each token is counted in exactly one of them, each leaf has one price, so a
cost is a dot product. The providers' overlapping counts are untangled in the format's file, never here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import polars as pl
from msgspec import Struct

from llmtel.core.catalog import Catalog
from llmtel.core.units import COUNT, MS, NUMBER, RATING, SHARE, TOKENS, USD, Unit

SCHEMA_VERSION = 1
"""Version of the canonical call, written into canonical JSONL (`llmtel_call`) and Parquet."""
PARQUET_KEY = "llmtel_schema"
"""Key of a Parquet file's metadata: the version of FIELDS it was written with."""

type_ = pl.DataType | type[pl.DataType]
Privacy = Literal["open", "internal", "personal"]
Null = Literal["unknown", "none"]


class Field(Struct, frozen=True):
    """A column of a call.

    `null` says what a missing value means: it is not known, or there was none (no error). `privacy` is
    `personal` for what points at people, `internal` for what points at the company, `open` for the rest.
    `unit` reads and shows it; `words` are all the values it may have, where these are few.
    """

    name: str
    dtype: type_
    help: str
    null: Null = "unknown"
    privacy: Privacy = "open"
    unit: Unit | None = None
    words: tuple[str, ...] = ()


TIME = pl.Datetime("us", "UTC")
ERROR_KINDS = (
    "rate_limit", "timeout", "http_4xx", "http_5xx", "parse", "content_filter", "refusal", "cancelled",
    "other",
)  # fmt: skip
"""What can have gone wrong with a call (`error`), whatever words the log has for it."""

FIELDS: Catalog[Field] = Catalog(
    "field",
    (
        Field(
            "call_id", pl.String, "Request id of the provider, or what the format gives", privacy="internal"
        ),
        Field("response_id", pl.String, "Id of the provider's response object", privacy="internal"),
        Field(
            "grain",
            pl.String,
            "`call`: one request; `bucket`: a provider's sum over many",
            words=("call", "bucket"),
        ),
        Field(
            "request_count",
            pl.Int64,
            "Requests the row stands for: 1, N of a bucket, 0 for an extra pass",
            unit=COUNT,
        ),
        Field("format", pl.String, "Format the row was read from"),
        Field("file", pl.String, "File the row was read from", privacy="internal"),
        Field("line", pl.Int64, "Line of the file, or ordinal of the record in a document", unit=NUMBER),
        Field(
            "token_source",
            pl.String,
            "How the tokens are known: logged, tokenizer or estimated",
            words=("logged", "tokenizer", "estimated"),
        ),
        Field("ts", TIME, "Start of the call, UTC"),
        Field("latency_ms", pl.Float64, "From the request to the last byte of the answer", unit=MS),
        Field("ttft_ms", pl.Float64, "From the request to the first token of the answer", unit=MS),
        Field("provider", pl.String, "Provider that was called, as logged"),
        Field("model", pl.String, "Model that answered, as logged"),
        Field("model_requested", pl.String, "Model that was asked for, as logged"),
        Field("operation", pl.String, "Kind of request: chat, embeddings, …"),
        Field("user", pl.String, "User on whose behalf the call was made", privacy="personal"),
        Field("feature", pl.String, "Feature, route or use case of the product", privacy="internal"),
        Field("project", pl.String, "Project or working directory (its last part)", privacy="internal"),
        Field(
            "api_key", pl.String, "API key: its id, hash or name, never the key itself", privacy="internal"
        ),
        Field("branch", pl.String, "Git branch", privacy="internal"),
        Field("agent", pl.String, "Agent or sub-agent that made the call", privacy="internal"),
        Field("environment", pl.String, "Deployment environment: prod, staging, …", privacy="internal"),
        Field("session", pl.String, "Conversation or session", privacy="personal"),
        Field("trace", pl.String, "Trace that the call belongs to", privacy="personal"),
        Field("prompt", pl.String, "Name or id of the prompt", privacy="internal"),
        Field("prompt_version", pl.String, "Version of the prompt", privacy="internal"),
        Field("variant", pl.String, "Arm of an experiment", privacy="internal"),
        Field("case", pl.String, "Case of an evaluation", privacy="internal"),
        Field("region", pl.String, "Region that served the call"),
        Field(
            "tags",
            pl.String,
            "Extra keys that were asked for, as a JSON object",
            null="none",
            privacy="internal",
        ),
        Field("input_uncached", pl.Int64, "Input tokens at the full rate", unit=TOKENS),
        Field("cache_read", pl.Int64, "Input tokens read from a cache", unit=TOKENS),
        Field("cache_write_5m", pl.Int64, "Input tokens written to a cache of short life", unit=TOKENS),
        Field("cache_write_1h", pl.Int64, "Input tokens written to a cache of long life", unit=TOKENS),
        Field("input_audio", pl.Int64, "Audio tokens of the input", unit=TOKENS),
        Field("output_text", pl.Int64, "Output tokens other than reasoning and audio", unit=TOKENS),
        Field("reasoning", pl.Int64, "Output tokens of hidden reasoning", unit=TOKENS),
        Field("output_audio", pl.Int64, "Audio tokens of the output", unit=TOKENS),
        Field(
            "status",
            pl.String,
            "`ok` or `error`; unknown unless an outcome or an answer was logged",
            words=("ok", "error"),
        ),
        Field("http_status", pl.Int64, "HTTP status of the answer", unit=NUMBER),
        Field(
            "error",
            pl.String,
            f"{', '.join(ERROR_KINDS[:-1])} or {ERROR_KINDS[-1]}",
            null="none",
            words=ERROR_KINDS,
        ),
        Field("finish_reason", pl.String, "Why the model stopped, as logged"),
        Field("retries", pl.Int64, "Attempts before this one", unit=COUNT),
        Field("prompt_chars", pl.Int64, "Characters of the prompt (measured, never kept)", unit=COUNT),
        Field("output_chars", pl.Int64, "Characters of the answer (measured, never kept)", unit=COUNT),
        Field("context_limit", pl.Int64, "Context window of the model", unit=TOKENS),
        Field(
            "service_tier",
            pl.String,
            "Service tier that the provider reports: flex, priority, fast, …",
            null="none",
        ),
        Field("batch", pl.Boolean, "Whether the call ran in a batch", null="none"),
        Field("web_searches", pl.Int64, "Web searches billed by the piece", null="none", unit=COUNT),
        Field("cost_logged", pl.Float64, "Cost that the log states", unit=USD),
        Field("thumb", pl.Boolean, "Thumbs up (true) or down (false)"),
        Field("rating", pl.Float64, "Rating given to the answer", unit=RATING),
        Field("regenerated", pl.Boolean, "Whether the user asked for another answer"),
        Field("corrected", pl.Boolean, "Whether the answer was corrected or edited"),
        Field("escalated", pl.Boolean, "Whether a person took over"),
        Field("hallucination", pl.Boolean, "Whether the answer was found to be made up"),
        Field("resolved", pl.Boolean, "Whether the answer settled the matter"),
        Field(
            "sample_rate",
            pl.Float64,
            "Share of calls that the log kept: a row stands for 1 ÷ rate calls",
            unit=SHARE,
        ),
        Field(
            "cost_usd", pl.Float64, "Cost that counts: the book's, the log's, or that of a what-if", unit=USD
        ),
        Field("cost_computed", pl.Float64, "Cost at the price book's rates", unit=USD),
        Field("cost_actual", pl.Float64, "Cost as it was, beside a what-if", unit=USD),
        Field("saved_by_cache", pl.Float64, "What the call would have cost more without a cache", unit=USD),
        Field(
            "savable_by_cache",
            pl.Float64,
            "What the call would have cost less, had its conversation so far been cached",
            unit=USD,
        ),
        Field(
            "savable_by_batch", pl.Float64, "What a deferrable call would have cost less in a batch", unit=USD
        ),
        Field("price_id", pl.String, "Row of the price book: provider/model@from", null="none"),
        Field("price_reason", pl.String, "Why there is no cost; null when there is one", null="none"),
        Field(
            "price_flags", pl.String, "Remarks on the price: tier, batch, assumed_cache_rate, …", null="none"
        ),
    ),
)

INPUT_LEAVES = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio")
OUTPUT_LEAVES = ("output_text", "reasoning", "output_audio")
LEAVES = (*INPUT_LEAVES, *OUTPUT_LEAVES)
CATEGORIES = (
    "grain", "format", "token_source", "provider", "model", "model_requested", "operation", "user", "feature",
    "project", "api_key", "branch", "agent", "environment", "prompt", "prompt_version", "variant", "region",
    "status", "error", "finish_reason", "service_tier", "price_reason",
)  # fmt: skip
"""Fields of few values: as categories they take little memory and group fast."""
VAGUE = "@vague"
"""Column beside the fields with the names of a row's ids that are no keys, separated by blanks."""
PRICED = ("cost_usd", "cost_computed", "price_id", "price_reason", "price_flags")
"""What pricing adds; `price_reason` alone may come from a format (`invalid_usage`)."""
FROZEN = "frozen"
"""The flag (`price_flags`) of a cost that was stored with its call, by the book of that day."""
IMAGINED = ("cost_actual", "saved_by_cache", "savable_by_cache", "savable_by_batch")
"""What pricing adds when it is asked what would be, or would have been."""


def polars_schema(names: Iterable[str] = FIELDS) -> pl.Schema:
    """The dtypes of some fields, all of them by default, in the order of FIELDS."""
    wanted = set(names)
    return pl.Schema({f.name: f.dtype for f in FIELDS.values() if f.name in wanted})


def empty_calls(names: Iterable[str] = FIELDS) -> pl.DataFrame:
    """A frame of no calls: (0, fields)."""
    return pl.DataFrame(schema=polars_schema(names))


def complete(calls: pl.DataFrame, names: Iterable[str] = FIELDS) -> pl.DataFrame:
    """`calls` with every field of `names`, in the order of FIELDS; missing ones are null of their dtype."""
    schema = polars_schema(names)
    return calls.select(
        pl.col(name) if name in calls.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )


def nameless(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls without users, for who looks for what stands out and shall find no person."""
    return calls.with_columns(pl.lit(None, dtype=calls.schema["user"]).alias("user"))
