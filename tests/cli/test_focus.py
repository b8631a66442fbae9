"""`--format focus`: costs as a bill whose rows add up, and on which nothing unknown is 0."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from llmtel.cli.app import run

# Columns that FOCUS 1.2 wants in every data set and does not allow to be null (ChargeClass may be).
NOT_NULL = (
    "BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip


@pytest.fixture
def llmtel(capsysbinary):
    """Run a command line: exit code, standard output, standard error."""

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usage = {"prompt_tokens": 1000, "completion_tokens": 500}
    calls = [
        {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o", **usage},
        {"timestamp": "2026-09-01T12:00:00Z", "model": "gpt-4o", **usage},
        {
            "timestamp": "2026-09-02T10:00:00Z",
            "model": "gpt-4o",
            "usage": {**usage, "prompt_tokens_details": {"cached_tokens": 400}},
        },
        {"timestamp": "2026-09-02T10:00:00Z", "model": "mystery", "cost_usd": 0.5, **usage},
        {"timestamp": "2026-09-02T10:00:00Z", "model": "o9-mini", **usage},
        {"timestamp": "2026-09-02T10:00:00Z", "model": "gpt-4o", "http_status": 429},
        {"model": "gpt-4o-mini", **usage},
    ]
    Path("a.jsonl").write_text(
        "".join(json.dumps({"request_id": f"r{i}", **c}) + "\n" for i, c in enumerate(calls))
    )
    return "a.jsonl"


@pytest.fixture
def bill(log, llmtel):
    def read(*options):
        code, out, err = llmtel("analyze", log, "--format", "focus", *options)
        assert code == 0, err
        return list(csv.DictReader(out.splitlines())), err

    return read


def test_the_rows_of_a_bill_add_up_to_the_cost(bill):
    rows, _ = bill()
    usd = 2 * 0.0075 + (600 * 2.5 + 400 * 1.25 + 500 * 10) / 1e6 + 0.5
    assert sum(float(row["BilledCost"]) for row in rows) == pytest.approx(usd)
    first = next(row for row in rows if row["SkuMeter"] == "input tokens")
    assert (first["ConsumedQuantity"], first["ListUnitPrice"], first["PricingQuantity"]) == (
        "2000.0",
        "2.5",
        "0.002",
    )
    assert first["ChargePeriodStart"] == "2026-09-01T00:00:00Z"
    assert first["BillingPeriodEnd"] == "2026-10-01T00:00:00Z"
    for row in rows:
        assert all(row[name] for name in NOT_NULL)
        assert row["x_PriceBook"].startswith("2026-11-23 sha256:")
        if row["ListUnitPrice"]:
            by_unit = float(row["PricingQuantity"]) * float(row["ListUnitPrice"])
            assert by_unit == pytest.approx(float(row["ListCost"]))


def test_an_unknown_cost_is_no_row_and_is_told(bill):
    rows, err = bill()
    assert "o9-mini" not in {row["SkuId"] for row in rows}
    assert "1 call without a price is not in it (o9-mini)" in err
    assert "1 call without a time is not in it" in err
    assert all(float(row["BilledCost"]) > 0 for row in rows)


def test_models_without_a_price_are_named_and_the_rest_is_counted(llmtel, tmp_path):
    call = {"timestamp": "2026-09-01T10:00:00Z", "prompt_tokens": 7, "completion_tokens": 3}
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({**call, "model": f"acme-{n}"}) + "\n" for n in range(5)))
    err = llmtel("analyze", log, "--format", "focus")[2]
    assert "5 calls without a price are not in it (acme-0, acme-1, acme-2 and 2 more)" in err


def test_discounts_are_between_list_and_contracted_cost_and_credits_are_rows(bill):
    Path("mine.yaml").write_text(
        "discounts: [{provider: openai, percent: 20}]\ncredits: [{provider: openai, usd: 0.001}]\n"
    )
    rows, _ = bill("--pricing", "mine.yaml")
    usage = [row for row in rows if row["SkuMeter"] not in ("", "requests as logged")]
    for row in usage:
        assert float(row["ContractedCost"]) == pytest.approx(0.8 * float(row["ListCost"]))
    (credit,) = [row for row in rows if row["ChargeCategory"] == "Credit"]
    assert float(credit["BilledCost"]) == pytest.approx(-0.001)


def test_a_bill_can_be_read_again(bill, llmtel):
    rows, _ = bill("-o", "bill.csv"), None
    total = json.loads(llmtel("analyze", "bill.csv", "--format", "json")[1])["tables"][0]["rows"][0]
    assert rows[0] == []
    assert total["cost"] == pytest.approx(0.522)


def test_a_bill_is_of_what_was(log, llmtel):
    for option in (("--by", "model"), ("--price-as", "gpt-4o"), ("--metrics", "cost")):
        code, _, err = llmtel("analyze", log, "--format", "focus", *option)
        assert (code, "a bill of what was used" in err) == (2, True)
