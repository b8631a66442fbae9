"""DeepSeek's usage export (`amount-*.csv`), a row a kind of amount: https://platform.deepseek.com/usage.

Its `price` has no currency (`cost-*.csv` is often in yuan), so there is no logged cost.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.buckets import SUMS
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_BUCKET = ("user_id:str", "start_time_iso:time", "model:str", "api_key_name:str", "@file")
_KINDS = ("request_count", "input_cache_hit_tokens", "input_cache_miss_tokens", "output_tokens")


def pivot(rows: pl.DataFrame) -> pl.DataFrame:
    """The amounts of a bucket beside each other (`@kind`), on the first of its rows (`@first`)."""
    keys = [name for name in _BUCKET if name in rows.columns]
    amount = pl.col("amount:count")
    return rows.with_columns(
        *(amount.filter(pl.col("type:str") == kind).sum().over(keys).alias(f"@{kind}") for kind in _KINDS),
        *((pl.col("type:str") == kind).any().over(keys).alias(f"@has {kind}") for kind in _KINDS),
        pl.struct(keys).is_first_distinct().alias("@first"),
    )


def _amount(kind: str) -> pl.Expr:
    return pl.when(pl.col(f"@has {kind}")).then(pl.col(f"@{kind}"))


SOURCES = (
    Source(
        name="deepseek_amount",
        help="Usage CSV (amount-*.csv) of DeepSeek's platform: sums of many requests",
        link="https://platform.deepseek.com/usage",
        layout="csv",
        marks=(Mark(all=("start_time_iso", "type", "price", "amount")),),
        whole=True,
        prepare=pivot,
        keep=pl.col("@first"),
        reads=(raw.text("type"), raw.count("amount"), raw.text("api_key_name")),
        calls={
            "ts": raw.time("start_time_iso"),
            **SUMS,
            "request_count": _amount("request_count"),
            "provider": pl.lit("deepseek"),
            "model": raw.text("model"),
            "user": raw.text("user_id"),
            "api_key": raw.text("api_key_name"),
            "input_uncached": _amount("input_cache_miss_tokens"),
            "cache_read": _amount("input_cache_hit_tokens"),
            "output_text": _amount("output_tokens"),
        },
        sample=lines("""
            user_id,start_time_iso,end_time_iso,model,api_key_name,api_key,type,price,amount
            u7,2026-09-01T08:00:00+08:00,2026-09-02T08:00:00+08:00,deepseek-chat,shop,sk-*,request_count,,4
            u7,2026-09-01T08:00:00+08:00,2026-09-02T08:00:00+08:00,deepseek-chat,shop,sk-*,output_tokens,
              0.000002,60
            u8,2026-09-01T08:00:00+08:00,2026-09-02T08:00:00+08:00,deepseek-chat,shop,sk-*,output_tokens,
              0.000002,9
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 4, "user": "u7", "api_key": "shop", "input_uncached": null,
              "output_text": 60, "cost_logged": null}
            {"request_count": null, "user": "u8", "output_text": 9}
        """),
    ),
)
