"""DeepSeek's cost export (`cost-*.csv`), often in yuan: https://platform.deepseek.com/usage.

What is billed in another currency than the dollar is a bucket of unknown cost: no log has the day's rate.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.buckets import SUMS, dollars, in_dollars_only
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_CURRENCY = raw.text("currency")

SOURCES = (
    Source(
        name="deepseek_cost",
        help="DeepSeek's cost CSV (cost-*.csv); costs in yuan are unknown, its time is unverified",
        link="https://platform.deepseek.com/usage",
        evidence="documented",
        layout="csv",
        utc=True,
        marks=(Mark(all=("wallet_type", "cost", "currency")),),
        calls={
            **SUMS,
            "ts": raw.time("start_time_iso", "utc_date", "date"),
            "provider": pl.lit("deepseek"),
            "model": raw.text("model"),
            "user": raw.text("user_id"),
            "api_key": raw.text("api_key_name"),
            "cost_logged": dollars(raw.number("cost"), _CURRENCY),
        },
        remarks=in_dollars_only(_CURRENCY),
        sample=lines("""
            user_id,utc_date,model,wallet_type,cost,currency
            u7,2026-09-01,deepseek-chat,NORMAL,0.84,CNY
            u7,2026-09-02,deepseek-chat,NORMAL,0.12,USD
        """),
        expect=rows("""
            {"ts": "2026-09-01T00:00:00+00:00", "grain": "bucket", "model": "deepseek-chat", "user": "u7",
              "request_count": null, "input_uncached": null, "cost_logged": null}
            {"cost_logged": 0.12}
        """),
    ),
)
