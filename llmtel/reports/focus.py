"""FOCUS 1.2: costs in the form of a cloud bill, https://focus.finops.org/focus-specification/v1-2.

The rows are usage at list prices, less the user's discounts; no provider has issued them. A cost that is not
known has no row, for a bill knows no unknown amounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from llmtel.core.answers import Column, Document, Row, Table, Value
from llmtel.core.units import NUMBER
from llmtel.findings.costs import Credit
from llmtel.findings.words import listing, several
from llmtel.reports.context import Context

TEXTS = (
    "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodStart",
    "ChargePeriodEnd", "ConsumedUnit", "InvoiceIssuerName", "PricingCategory", "PricingUnit", "ProviderName",
    "PublisherName", "RegionId", "RegionName", "ServiceCategory", "ServiceName", "ServiceSubcategory",
    "SkuId", "SkuMeter", "SkuPriceId", "SubAccountId", "SubAccountName", "x_PriceBook",
)  # fmt: skip
NUMBERS = (
    "BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost",
    "ListUnitPrice", "PricingQuantity",
)  # fmt: skip
COLUMNS = tuple(sorted((*TEXTS, *NUMBERS)))
MILLION = 1_000_000
ACCOUNT = "logs"
"""The billing account, which logs do not name and FOCUS does not leave open."""


def focus(rows: Sequence[Mapping[str, Any]], credits_: Sequence[Credit], context: Context) -> Document:
    """The bill of metered costs: `rows` by day and meter, and a row for each credit that was used."""
    book = f"{context.prices.as_of} sha256:{context.prices.sha256}"
    lines: list[Row] = [_usage(row, book) for row in rows]
    last = max((row["day"] for row in rows), default=None)
    if last is not None:
        lines += [_credit(credit, last, book) for credit in credits_ if credit.used]
    columns = tuple(
        Column(n, n, "FOCUS 1.2", "field", NUMBER if n in NUMBERS else None, null="none") for n in COLUMNS
    )
    table = Table((), (), columns, lines, "FOCUS 1.2")
    return Document(schema="llmtel.focus/1", title="FOCUS 1.2", blocks=(table,), tables=(table,))


def _usage(row: Mapping[str, Any], book: str) -> Row:
    tokens = str(row["meter"]).endswith(("tokens", "hour"))
    per = MILLION if tokens else 1
    unit = "Tokens" if tokens else "Requests"
    return {
        **dict.fromkeys(COLUMNS),
        **_common(row["day"], row["provider"], book),
        "BilledCost": row["cost"],
        "ContractedCost": row["cost"],
        "EffectiveCost": row["cost"],
        "ListCost": row["list_cost"],
        "ContractedUnitPrice": _times(row["rate"], per),
        "ListUnitPrice": _times(row["list_rate"], per),
        "ConsumedQuantity": row["quantity"],
        "ConsumedUnit": unit,
        "PricingQuantity": row["quantity"] / per,
        "PricingUnit": f"1M {unit}" if tokens else unit,
        "PricingCategory": "Standard",
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{row['model'] or 'unknown model'}, {row['meter']}, not invoiced",
        "ChargeFrequency": "Usage-Based",
        "PublisherName": row["publisher"] or row["provider"] or "unknown",
        "RegionId": row["region"],
        "RegionName": row["region"],
        "SkuId": row["model"],
        "SkuMeter": row["meter"],
        "SkuPriceId": row["price_id"],
        "SubAccountId": row["project"],
        "SubAccountName": row["project"],
    }


def _credit(credit: Credit, day: date, book: str) -> Row:
    return {
        **dict.fromkeys(COLUMNS),
        **_common(day, credit.provider, book),
        "BilledCost": -credit.used,
        "ContractedCost": 0.0,
        "EffectiveCost": -credit.used,
        "ListCost": 0.0,
        "ChargeCategory": "Credit",
        "ChargeDescription": f"credit of {credit.provider}, as far as these logs used it",
        "ChargeFrequency": "One-Time",
        "PublisherName": credit.provider,
    }


def _common(day: date, provider: str | None, book: str) -> dict[str, Value]:
    name = provider or "unknown"
    month = day.replace(day=1)
    return {
        "BillingAccountId": ACCOUNT,
        "BillingCurrency": "USD",
        "BillingPeriodStart": _instant(month),
        "BillingPeriodEnd": _instant((month + timedelta(days=32)).replace(day=1)),
        "ChargePeriodStart": _instant(day),
        "ChargePeriodEnd": _instant(day + timedelta(days=1)),
        "InvoiceIssuerName": name,
        "ProviderName": name,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "ServiceName": name,
        "x_PriceBook": book,
    }


def _instant(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _times(rate: float | None, per: int) -> float | None:
    return None if rate is None else rate * per


def left_out(unpriced: int, timeless: int, models: Sequence[str]) -> Iterator[str]:
    """What of the calls has no row, in words; nothing where all of them do."""
    if unpriced:
        names = f" ({listing(models)})" if models else ""
        yield f"{_calls(unpriced, 'a price')} not in it{names}: the cost is unknown, not 0"
    if timeless:
        yield f"{_calls(timeless, 'a time')} not in it: a bill is by day"


def _calls(n: int, lacking: str) -> str:
    """How many calls lack something, up to the verb."""
    return f"{n:,} {several(n, 'call')} without {lacking} {'is' if n == 1 else 'are'}"
