"""FOCUS 1.x, the common form of cloud bills (CSV or Parquet): https://focus.finops.org/focus-specification/."""

from __future__ import annotations

import polars as pl

from llmtel.sources import bills, raw
from llmtel.sources.buckets import SUMS, dollars, in_dollars_only
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_CURRENCY = bills.text("BillingCurrency")

SOURCES = (
    Source(
        name="focus",
        help="FOCUS 1.x bills (CSV, Parquet): the rows about models; the model's name is taken from the SKU",
        link="https://focus.finops.org/focus-specification/",
        layout="csv",
        marks=(Mark(all=("BilledCost", "ChargePeriodStart")),),
        keep=bills.ABOUT_MODELS,
        refuse=pl.when(bills.BAD_TIME).then(pl.lit("a time in no accepted form")),
        calls={
            **bills.STEPS,
            "ts": bills.TIME.dt.replace_time_zone("UTC"),
            **SUMS,
            "provider": pl.coalesce(bills.text("ServiceProviderName"), bills.text("ProviderName")),
            "model": bills.MODEL,
            "region": bills.text("RegionId"),
            "project": pl.coalesce(bills.text("SubAccountName"), bills.text("SubAccountId")),
            "input_uncached": pl.when(~bills.OUTPUT & ~bills.CACHE & bills.SAID.str.contains(r"\binp")).then(
                bills.TOKENS
            ),
            "cache_read": pl.when(~bills.OUTPUT & bills.CACHE & ~bills.WRITE).then(bills.TOKENS),
            "cache_write_5m": pl.when(~bills.OUTPUT & bills.CACHE & bills.WRITE).then(bills.TOKENS),
            "output_text": pl.when(bills.OUTPUT).then(bills.TOKENS),
            "cost_logged": dollars(raw.number("EffectiveCost", "BilledCost"), _CURRENCY),
        },
        remarks=in_dollars_only(_CURRENCY),
        sample=lines("""
            BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeDescription,ConsumedQuantity,
              ConsumedUnit,ProviderName,RegionId,ServiceCategory,ServiceName,SkuMeter,SubAccountName
            1.5,1.25,USD,2026-09-01 00:00:00,NULL,250000,Tokens,AWS,us-east-1,AI and Machine Learning,
              Claude Sonnet 4.5 (Amazon Bedrock Edition),USE1-input-tokens,shop
            $9.00,$9.00 ,USD,9/1/26,virtual machines,NULL,Hours,Microsoft,westus,Compute,Machines,D2,shop
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": null, "provider": "AWS", "model": "claude sonnet 4.5",
              "region": "us-east-1", "project": "shop", "input_uncached": 250000, "output_text": null,
              "cost_logged": 1.25}
        """),
    ),
)
