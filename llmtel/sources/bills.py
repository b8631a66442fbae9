"""Rows of a cloud's bill (FOCUS 1.x): which are about models, of what, when, and how many tokens.

A bill is about everything. The model is at best inside the words of a SKU, so it is what is left of them, and
unknown where none of the vendors' names is in them.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.steps import Steps


def text(name: str) -> pl.Expr:
    """A text; exports of databases write NULL for none."""
    found = raw.text(name)
    return pl.when(found.str.to_uppercase() != "NULL").then(found)


_WORDS = [text(name) for name in ("ServiceName", "SkuMeter", "SkuId", "ChargeDescription")]
STEPS = Steps()
SAID = STEPS(pl.concat_str(_WORDS, separator=" | ", ignore_nulls=True).str.to_lowercase())
ABOUT_MODELS = SAID.str.contains("bedrock|openai|vertex|claude|gemini|tokens") | (
    text("ServiceCategory") == "AI and Machine Learning"
)
_VENDORS = "claude|gpt|gemini|nova|llama|mistral|command|titan|deepseek|text-embedding|o[134]"
_MODEL = rf"\b(?:anthropic )?((?:{_VENDORS})[- ]?[a-z0-9.]*(?:[- ](?:[a-z0-9.]+))*)"
_REST = (
    r"[- ](?:amazon|bedrock|edition|inp(?:ut)?|outp?(?:ut)?|opt|cached?|cchd|read|write|batch|global|glbl|"
    r"regnl|regional|data|dz|tokens?|per|text|audio|image|img|request|us|eu|in|\d{4})\b.*$"
)
_UNIT = pl.coalesce(text("ConsumedUnit"), text("PricingUnit")).str.to_lowercase()
_SIZE = pl.when(_UNIT.str.contains("token")).then(
    pl.when(_UNIT.str.contains(r"\b1?m|million"))
    .then(1e6)
    .when(_UNIT.str.contains(r"1k|thousand"))
    .then(1e3)
    .otherwise(1.0)
)
TOKENS = STEPS((raw.number("ConsumedQuantity") * _SIZE).round().cast(pl.Int64, strict=False))
CACHE = STEPS(SAID.str.contains("cache|cchd"))
OUTPUT = STEPS(SAID.str.contains(r"\bout|output|-opt\b"))
WRITE = SAID.str.contains("write")
_FORMS = {"%Y-%m-%dT%H:%M:%S%.f": "T", "%Y-%m-%d %H:%M:%S%.f": " ", "%m/%d/%y": "/", "%m/%d/%Y": "/"}
"""Forms of times, and what texts have that may be of the form: to try all of them takes the longest."""
START = STEPS(text("ChargePeriodStart").str.strip_chars().str.replace(r"(?:Z|\+00:?00)$", ""))
TIME = STEPS(
    pl.coalesce(
        *(
            pl.when(START.str.contains(mark, literal=True))
            .then(START)
            .str.to_datetime(form, strict=False, time_unit="us")
            for form, mark in _FORMS.items()
        ),
        pl.when(~START.str.contains(":", literal=True))
        .then(START)
        .str.to_date("%Y-%m-%d", strict=False)
        .cast(pl.Datetime("us")),
    )
)
MODEL = SAID.str.extract(_MODEL).str.replace(_REST, "")
"""The first of the words with a vendor's name in them."""
BAD_TIME = START.is_not_null() & (START != "") & TIME.is_null()
