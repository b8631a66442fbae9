"""FOCUS 1.x, the common form of cloud bills (CSV or Parquet): https://focus.finops.org/focus-specification/.

A bill is about everything; only its rows about models are read. The model is at best inside the words of a
SKU, so it is what is left of them, and unknown where none of the vendors' names is in them.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.buckets import SUMS, dollars, in_dollars_only
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.steps import Steps


def _text(name: str) -> pl.Expr:
    """A text; exports of databases write NULL for none."""
    text = raw.text(name)
    return pl.when(text.str.to_uppercase() != "NULL").then(text)


_WORDS = [_text(name) for name in ("ServiceName", "SkuMeter", "SkuId", "ChargeDescription")]
_STEP = Steps()
_SAID = _STEP(pl.concat_str(_WORDS, separator=" | ", ignore_nulls=True).str.to_lowercase())
_ABOUT_MODELS = _SAID.str.contains("bedrock|openai|vertex|claude|gemini|tokens") | (
    _text("ServiceCategory") == "AI and Machine Learning"
)
_VENDORS = "claude|gpt|gemini|nova|llama|mistral|command|titan|deepseek|text-embedding|o[134]"
_MODEL = rf"\b(?:anthropic )?((?:{_VENDORS})[- ]?[a-z0-9.]*(?:[- ](?:[a-z0-9.]+))*)"
_REST = (
    r"[- ](?:amazon|bedrock|edition|inp(?:ut)?|outp?(?:ut)?|opt|cached?|cchd|read|write|batch|global|glbl|"
    r"regnl|regional|data|dz|tokens?|per|text|audio|image|img|request|us|eu|in|\d{4})\b.*$"
)
_UNIT = pl.coalesce(_text("ConsumedUnit"), _text("PricingUnit")).str.to_lowercase()
_SIZE = pl.when(_UNIT.str.contains("token")).then(
    pl.when(_UNIT.str.contains(r"\b1?m|million"))
    .then(1e6)
    .when(_UNIT.str.contains(r"1k|thousand"))
    .then(1e3)
    .otherwise(1.0)
)
_TOKENS = _STEP((raw.number("ConsumedQuantity") * _SIZE).round().cast(pl.Int64, strict=False))
_CACHE = _STEP(_SAID.str.contains("cache|cchd"))
_OUTPUT = _STEP(_SAID.str.contains(r"\bout|output|-opt\b"))
_WRITE = _SAID.str.contains("write")
_FORMS = {"%Y-%m-%dT%H:%M:%S%.f": "T", "%Y-%m-%d %H:%M:%S%.f": " ", "%m/%d/%y": "/", "%m/%d/%Y": "/"}
"""Forms of times, and what texts have that may be of the form: to try all of them takes the longest."""
_START = _STEP(_text("ChargePeriodStart").str.strip_chars().str.replace(r"(?:Z|\+00:?00)$", ""))
_TIME = _STEP(
    pl.coalesce(
        *(
            pl.when(_START.str.contains(mark, literal=True))
            .then(_START)
            .str.to_datetime(form, strict=False, time_unit="us")
            for form, mark in _FORMS.items()
        ),
        pl.when(~_START.str.contains(":", literal=True))
        .then(_START)
        .str.to_date("%Y-%m-%d", strict=False)
        .cast(pl.Datetime("us")),
    )
)
_CURRENCY = _text("BillingCurrency")

SOURCES = (
    Source(
        name="focus",
        help="FOCUS 1.x bills (CSV, Parquet): the rows about models; the model's name is taken from the SKU",
        link="https://focus.finops.org/focus-specification/",
        layout="csv",
        marks=(Mark(all=("BilledCost", "ChargePeriodStart")),),
        keep=_ABOUT_MODELS,
        refuse=pl.when(_START.is_not_null() & (_START != "") & _TIME.is_null()).then(
            pl.lit("a time in no accepted form")
        ),
        calls={
            **_STEP,
            "ts": _TIME.dt.replace_time_zone("UTC"),
            **SUMS,
            "provider": pl.coalesce(_text("ServiceProviderName"), _text("ProviderName")),
            "model": _SAID.str.extract(_MODEL).str.replace(_REST, ""),  # the first of the words with a name
            "region": _text("RegionId"),
            "project": pl.coalesce(_text("SubAccountName"), _text("SubAccountId")),
            "input_uncached": pl.when(~_OUTPUT & ~_CACHE & _SAID.str.contains(r"\binp")).then(_TOKENS),
            "cache_read": pl.when(~_OUTPUT & _CACHE & ~_WRITE).then(_TOKENS),
            "cache_write_5m": pl.when(~_OUTPUT & _CACHE & _WRITE).then(_TOKENS),
            "output_text": pl.when(_OUTPUT).then(_TOKENS),
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
