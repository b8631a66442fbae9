"""METRICS: every number llmtel can say. One declaration each, and nothing else to touch.

From the declaration come the column of a table, `llmtel list metrics`, JSON keys, sort keys and the fields
that must be read. Latencies are in ms, money in USD; "known" means not null.
"""

from __future__ import annotations

import polars as pl

from llmtel.core.catalog import Catalog
from llmtel.core.schema import INPUT_LEAVES, LEAVES, OUTPUT_LEAVES
from llmtel.core.units import COUNT, MS, RATING, SHARE, SPEED, TOKENS, USD
from llmtel.query.measures import (
    Ratio,
    count,
    distinct,
    maximum,
    mean,
    per_call,
    quantile,
    rate,
    share,
    total,
)
from llmtel.query.metric import Metric


def _leaves(*names: str) -> pl.Expr:
    """The sum of a row's token leaves, unknown when none is known (a plain sum of nulls would be 0)."""
    known_any = pl.any_horizontal(pl.col(name).is_not_null() for name in names)
    return pl.when(known_any).then(pl.sum_horizontal(*names))


c = pl.col
FIRST_FAILURE, _HALF = 400, 50
INPUT = _leaves(*INPUT_LEAVES)
OUTPUT = _leaves(*OUTPUT_LEAVES)
TOTAL = _leaves(*LEAVES)
SUCCESS = c.status == "ok"
STATUS_KNOWN = c.status.is_not_null()
STREAMED = c.ttft_ms.is_not_null() & (c.ttft_ms < c.latency_ms)
GENERATION_S = pl.when(STREAMED).then(c.latency_ms - c.ttft_ms).otherwise(c.latency_ms) / 1000
SPEED_KNOWN = OUTPUT.is_not_null() & c.latency_ms.is_not_null()
TRUNCATED = (
    (c.finish_reason == "length") | (c.finish_reason == "max_tokens") | (c.finish_reason == "MAX_TOKENS")
)
# Null, not false, without feedback: where no call has any, nobody knows whether it was asked for.
FEEDBACK = pl.when(c.thumb.is_not_null() | c.rating.is_not_null()).then(pl.lit(value=True))
COST_KNOWN = c.cost_usd.is_not_null()
# No provider bills a refused call, whatever the model: its $0 says nothing of calls without a price. One that
# failed before it stated a usage is no such call: nothing says that its model has no price.
SILENT = (c.price_reason == "no_usage") & (c.status == "error")


def _billed(cost: pl.Expr) -> pl.Expr:
    """Whether a cost is evidence of prices; null where it is missing."""
    refused = (cost == 0) & (c.http_status >= FIRST_FAILURE).fill_null(value=False)
    return pl.when(cost.is_not_null()).then(~refused).when(SILENT).then(pl.lit(value=False))


BILLED = _billed(c.cost_usd)


def _of_kind(kind: str) -> Ratio:
    """Share of calls whose `error` is of a kind; beside a known status, null means that there was none."""
    return rate(c.error.eq_missing(pl.lit(kind)), STATUS_KNOWN)


def _among(value: pl.Expr, condition: pl.Expr) -> pl.Expr:
    """`value` where `condition` holds, else null."""
    return pl.when(condition).then(value)


def _spread(name: str, of: pl.Expr, beaten: str, slowest: str) -> tuple[Metric, ...]:
    """How a duration in ms is spread over the calls that did not fail: mean, percentiles, largest."""
    suffix = "" if name == "latency" else f" {name}"
    thing = "latency" if name == "latency" else "time to the first token"
    percentiles = (
        Metric(
            f"p{percent}_{name}", quantile(of, percent / 100, "timed"), MS,
            f"{'Half' if percent == _HALF else f'{percent} %'} of {beaten}", f"p{percent}{suffix}", "lower",
        )
        for percent in (_HALF, 90, 95, 99)
    )  # fmt: skip
    return (
        Metric(
            f"mean_{name}", mean(of, "timed"), MS, f"Σ {thing} ÷ calls with known {thing}", f"mean{suffix}",
            "lower",
        ),
        *percentiles,
        Metric(f"max_{name}", maximum(of, "timed"), MS, slowest, f"max{suffix}", "lower"),
    )  # fmt: skip


METRICS: Catalog[Metric] = Catalog(
    "metric",
    (
        Metric(
            "calls", count(pl.lit(value=True), "calls"), COUNT,
            "Calls: rows with grain = call and request_count > 0",
        ),
        Metric(
            "requests", total(c.request_count), COUNT,
            "Requests: Σ request_count, of calls and of buckets",
        ),
        Metric("sessions", distinct(c.session), COUNT, "Distinct known sessions"),
        Metric("users", distinct(c.user), COUNT, "Distinct known users"),
        Metric(
            "input_tokens", total(INPUT), TOKENS,
            "Σ input tokens: uncached, read from a cache, written to a cache, audio", "in",
        ),
        Metric("output_tokens", total(OUTPUT), TOKENS, "Σ output tokens: text, reasoning, audio", "out"),
        Metric("total_tokens", total(TOTAL), TOKENS, "Σ input and output tokens", "tokens"),
        Metric(
            "cache_read_tokens", total(c.cache_read), TOKENS,
            "Σ input tokens read from a cache", "cache read",
        ),
        Metric(
            "cache_write_tokens", total(_leaves("cache_write_5m", "cache_write_1h")), TOKENS,
            "Σ input tokens written to a cache, of short and long life", "cache write",
        ),
        Metric(
            "reasoning_tokens", total(c.reasoning), TOKENS,
            "Σ output tokens of hidden reasoning", "reasoning",
        ),
        Metric(
            "tokens_per_call", per_call(TOTAL), TOKENS,
            "Input and output tokens ÷ calls with known tokens", "tok/call",
        ),
        Metric(
            "input_tokens_per_call", per_call(INPUT), TOKENS,
            "Input tokens ÷ calls with known input tokens", "in/call",
        ),
        Metric(
            "output_tokens_per_call", per_call(OUTPUT), TOKENS,
            "Output tokens ÷ calls with known output tokens", "out/call",
        ),
        Metric(
            "p95_input_tokens", quantile(INPUT, 0.95, "calls"), TOKENS,
            "95 % of calls have fewer input tokens", "p95 in",
        ),
        Metric(
            "p95_output_tokens", quantile(OUTPUT, 0.95, "calls"), TOKENS,
            "95 % of calls have fewer output tokens", "p95 out",
        ),
        Metric(
            "cache_hit_rate", total(c.cache_read) / total(_among(INPUT, c.cache_read.is_not_null())), SHARE,
            "Tokens read from a cache ÷ input tokens, both over calls with known cache_read", "cache",
            "higher",
        ),
        Metric(
            "cost", total(c.cost_usd, evident=BILLED), USD,
            "Σ cost at the price book's rates; calls without a price are left out, and where all others were "
            "refused and not billed, it is unknown", "", "lower",
        ),
        Metric(
            "cost_per_call", per_call(c.cost_usd, BILLED), USD,
            "Cost ÷ calls with known cost", "cost/call", "lower",
        ),
        Metric(
            "cost_per_user",
            total(_among(c.cost_usd, c.user.is_not_null()), evident=BILLED)
            / distinct(_among(c.user, COST_KNOWN)), USD,
            "Cost of calls with a known user ÷ distinct users with a known cost", "cost/user", "lower",
        ),
        Metric(
            "cost_per_session",
            total(_among(c.cost_usd, c.session.is_not_null()), evident=BILLED)
            / distinct(_among(c.session, COST_KNOWN)), USD,
            "Cost of calls with a known session ÷ distinct sessions with a known cost", "cost/session",
            "lower",
        ),
        Metric(
            "cost_per_1k_calls", per_call(c.cost_usd, BILLED) * 1000, USD,
            "1,000 × cost ÷ calls with known cost", "cost/1k", "lower",
        ),
        Metric(
            "cost_per_success",
            total(_among(c.cost_usd, STATUS_KNOWN), "calls", BILLED) / count(SUCCESS & COST_KNOWN, "calls"),
            USD,
            "Cost of calls with known status, failed ones too ÷ calls with status = ok and known cost",
            "cost/ok", "lower",
        ),
        Metric("logged_cost", total(c.cost_logged), USD, "Σ cost that the logs state", "logged", "lower"),
        Metric(
            "computed_cost", total(c.cost_computed, evident=_billed(c.cost_computed)), USD,
            "Σ cost at the price book's rates, whichever cost counts", "computed", "lower",
        ),
        Metric(
            "actual_cost", total(c.cost_actual, evident=_billed(c.cost_actual)), USD,
            "Σ cost as it was, beside the `cost` of a what-if (--price-as, --as-of)", "actual", "lower",
        ),
        Metric(
            "cache_savings", total(c.saved_by_cache), USD,
            "What caching saved: Σ cost had all cached tokens been plain input − cost; below zero where "
            "writing to the cache cost more than reading from it saved", "cache saved", "higher",
        ),
        Metric(
            "cache_savings_missed", total(c.savable_by_cache), USD,
            "What caching would have saved: Σ cost − cost had the part of the input that the call before it "
            "in its session had too been read from a cache (within 5 minutes, 1,024 tokens or more), writing "
            "included; an estimate by sizes, texts are not compared", "cache missed", "lower",
        ),
        Metric(
            "batch_savings", total(c.savable_by_batch), USD,
            "What a batch would save: Σ cost − cost at batch rates, over the calls of --deferrable",
            "batch saves", "lower",
        ),
        Metric(
            "unpriced_calls", count(c.cost_usd.is_null(), "calls"), COUNT,
            "Calls with unknown cost", "unpriced", "lower",
        ),
        Metric("priced_share", count(COST_KNOWN, "calls") / count(pl.lit(value=True), "calls"), SHARE,
               "Calls with known cost ÷ calls", "priced", "higher"),
        *_spread("latency", c.latency_ms, "the calls are faster", "The slowest call"),
        *_spread("ttft", c.ttft_ms, "the calls begin to answer sooner", "The slowest first token"),
        Metric(
            "output_tokens_per_second",
            total(_among(OUTPUT, SPEED_KNOWN), "timed") / total(_among(GENERATION_S, SPEED_KNOWN), "timed"),
            SPEED, "Σ output tokens ÷ Σ (latency − time to first token, or latency where that is unknown or "
            "no smaller), over calls with known output and latency", "tok/s", "higher",
        ),
        Metric("errors", count(c.status == "error"), COUNT, "Calls with status = error", "", "lower"),
        Metric(
            "error_rate", share(c.status == "error"), SHARE,
            "Calls with status = error ÷ calls with known status", "err", "lower",
        ),
        Metric(
            "rate_limit_rate", _of_kind("rate_limit"), SHARE,
            "Calls that hit a rate limit ÷ calls with known status", "429", "lower",
        ),
        Metric(
            "timeout_rate", _of_kind("timeout"), SHARE,
            "Calls that timed out ÷ calls with known status", "timeout", "lower",
        ),
        Metric(
            "parse_error_rate", _of_kind("parse"), SHARE,
            "Calls whose answer did not parse ÷ calls with known status", "parse", "lower",
        ),
        Metric(
            "http_error_rate", share(c.http_status >= FIRST_FAILURE), SHARE,
            "Calls with an HTTP status of 400 or more ÷ calls with known HTTP status", "http err", "lower",
        ),
        Metric(
            "http_4xx_rate", _of_kind("http_4xx"), SHARE,
            "Calls with error http_4xx (other than rate limits and timeouts) ÷ calls with known status",
            "4xx", "lower",
        ),
        Metric(
            "http_5xx_rate", _of_kind("http_5xx"), SHARE,
            "Calls with error http_5xx ÷ calls with known status", "5xx", "lower",
        ),
        Metric(
            "refusal_rate", _of_kind("refusal"), SHARE,
            "Calls that the model refused ÷ calls with known status", "refused", "lower",
        ),
        Metric(
            "truncation_rate", share(TRUNCATED), SHARE,
            "Calls that ended at the token limit ÷ calls with known finish_reason", "cut", "lower",
        ),
        Metric(
            "retry_rate", share(c.retries > 0), SHARE,
            "Calls that were retried ÷ calls with known retries", "retried", "lower",
        ),
        Metric(
            "feedback_rate", count(FEEDBACK, "calls") / count(pl.lit(value=True), "calls"), SHARE,
            "Calls with a thumb or a rating ÷ calls; unknown where no call has any", "feedback",
        ),
        Metric("thumbs_up_rate", share(c.thumb), SHARE, "Thumbs up ÷ calls with a thumb", "liked", "higher"),
        Metric("mean_rating", mean(c.rating), RATING, "Σ rating ÷ calls with a rating", "rating", "higher"),
        Metric(
            "regeneration_rate", share(c.regenerated), SHARE,
            "Calls regenerated ÷ calls where that is known", "redone", "lower",
        ),
        Metric(
            "correction_rate", share(c.corrected), SHARE,
            "Calls corrected ÷ calls where that is known", "corrected", "lower",
        ),
        Metric(
            "escalation_rate", share(c.escalated), SHARE,
            "Calls escalated ÷ calls where that is known", "escalated", "lower",
        ),
        Metric(
            "hallucination_rate", share(c.hallucination), SHARE,
            "Calls found to be made up ÷ calls where that is known", "made up", "lower",
        ),
    ),
)  # fmt: skip
