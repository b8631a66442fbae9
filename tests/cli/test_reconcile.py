"""`llmtel reconcile`: a bill and logs in, the difference and its causes out."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from llmtel.cli.app import run

CAUSES = ("not_in_logs", "not_on_bill", "token_counts", "price", "unexplained")
DAILY = (
    "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n"
    "2026-09-01 00:00:00,openai/gpt-5-mini,0.01,0,3,24000,3000,0\n"
    "2026-09-01 00:00:00,anthropic/claude-haiku-4.5,2,0,5,1000,200,50\n"
    "2026-09-02 00:00:00,openai/gpt-5-mini,0.058,0,1,120000,14000,0\n"
)


def line(day, model, prompt, completion, **fields):
    record = {
        "timestamp": f"2026-09-{day:02d}T10:00:00Z", "model": model, "provider": "openrouter",
        "prompt_tokens": prompt, "completion_tokens": completion, "latency_ms": 9, **fields,
    }  # fmt: skip
    return json.dumps(record) + "\n"


LOG = (
    line(1, "openai/gpt-5-mini", 12000, 1400, feature="chat")
    + line(1, "openai/gpt-5-mini", 10000, 1000, feature="search")
    + line(2, "openai/gpt-5-mini", 120000, 14000, feature="chat")
    + line(3, "openai/gpt-5-mini", 12000, 1400)
    + line(3, "claude-haiku-4-5", 500, 5, provider="anthropic")
)


@pytest.fixture
def llmtel(capsysbinary, tmp_path, monkeypatch):
    """Run a command line in a folder with an export and a log: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    Path("daily.csv").write_text(DAILY)
    Path("app.jsonl").write_text(LOG)

    def call(*arguments):
        code = run(list(arguments))
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def reconcile(llmtel, *more):
    code, out, err = llmtel("reconcile", "app.jsonl", "--with", "daily.csv", "--format", "json", *more)
    assert err == ""
    return code, json.loads(out, parse_float=Decimal)


def table(answer, *by):
    return next(one["rows"] for one in answer["tables"] if one["by"] == list(by))


def test_the_json_says_what_was_compared_by_day_and_model(llmtel):
    code, answer = reconcile(llmtel)
    assert (code, answer["schema"]) == (0, "llmtel.reconcile/1")
    assert answer["bill"]["days"] == ["2026-09-01", "2026-09-02"]
    assert answer["left_out"]["of other providers than the bill's"]["calls"] == 1
    found = {(row["day"], row["model"]): row for row in table(answer, "day", "model")}
    first = found["2026-09-01", "gpt-5-mini"]
    assert (first["calls"], first["requests"]) == (2, 3)
    assert (first["input_uncached"], first["billed_input_uncached"]) == (22_000, 24_000)
    # list prices of gpt-5-mini: $0.25 and $2 a million tokens
    assert (first["cost_computed"], first["cost_billed"]) == (Decimal("0.0103"), Decimal("0.01"))
    assert first["not_in_logs"] == Decimal("0.004")
    assert first["token_counts"] == Decimal("0.012") - Decimal("0.0103") - Decimal("0.004")
    assert first["price"] == Decimal("0.01") - Decimal("0.012")
    assert found["2026-09-02", "gpt-5-mini"]["difference"] == 0
    assert found["2026-09-03", "gpt-5-mini"]["not_on_bill"] == Decimal("-0.0058")
    assert found["2026-09-01", "claude-haiku-4-5"]["not_in_logs"] == 2


@pytest.mark.parametrize("by", [(), ("day",), ("model",), ("day", "model")])
def test_the_numbers_as_printed_add_up_exactly(llmtel, by):
    _, answer = reconcile(llmtel)
    for row in table(answer, *by):
        assert sum(Decimal(row[name]) for name in CAUSES) == row["difference"]
        assert Decimal(row["cost_billed"]) - Decimal(row["cost_computed"]) == row["difference"]


@pytest.mark.parametrize(("tolerance", "code"), [("2%", 3), ("0.5", 3), ("99 %", 0), ("100%", 0)])
def test_a_gap_beyond_the_tolerance_is_exit_code_3(llmtel, tolerance, code):
    found, answer = reconcile(llmtel, "--max-gap", tolerance)
    assert found == code
    kinds = [finding["kind"] for finding in answer["findings"]]
    assert ("gap" in kinds) == (code == 3)
    # calls of the third day are not on the bill yet, which is no gap
    assert float(answer["gap"]) == pytest.approx((2.068 - 0.0103 - 0.058) / 2.068)


@pytest.mark.parametrize("tolerance", ["two", "-1%", "200%"])
def test_a_tolerance_that_is_no_share_is_a_usage_error(llmtel, tolerance):
    code, out, err = llmtel("reconcile", "app.jsonl", "--with", "daily.csv", f"--max-gap={tolerance}")
    assert (code, out) == (2, "")
    assert err.startswith("llmtel: ")


def test_an_export_without_with_and_a_log_behind_it_are_told_where_they_belong(llmtel):
    code, _, err = llmtel("reconcile", "daily.csv", "--with", "daily.csv")
    assert code == 2
    assert "daily.csv is a provider's export: it belongs after --with" in err
    code, _, err = llmtel("reconcile", "app.jsonl", "--with", "app.jsonl")
    assert code == 2
    assert "app.jsonl is a log of single calls" in err
    assert llmtel("reconcile", "app.jsonl")[0] == 2


def test_the_bill_is_shared_out_by_feature_and_the_remainder_is_a_row(llmtel):
    _, answer = reconcile(llmtel, "--allocate", "feature")
    rows = table(answer, "feature")
    assert sum(Decimal(row["cost_billed"]) for row in rows) == Decimal("2.068")
    rest = next(row for row in rows if row["remainder"])
    assert (rest["feature"], rest["cost_billed"]) == (None, Decimal("2.004"))
    # 6 tenths of a cent of the first day, by 0.0058 to 0.0045
    chat = next(row for row in rows if row["feature"] == "chat")
    assert float(chat["cost_billed"]) == pytest.approx(0.058 + 0.006 * 0.0058 / 0.0103, abs=1e-9)
    out = llmtel("reconcile", "app.jsonl", "--with", "daily.csv", "--allocate", "feature")[1]
    assert "(not in these logs)" in out
    code, _, err = llmtel("reconcile", "app.jsonl", "--with", "daily.csv", "--allocate", "featur")
    assert (code, "Did you mean feature?" in err) == (2, True)


def test_the_remainder_of_a_bill_of_unknown_prices_is_unknown_and_not_zero(llmtel):
    usage = {"object": "organization.usage.completions.result", "model": "acme-7b", "input_tokens": 9}
    bucket = {"object": "bucket", "start_time": 1_788_220_800, "end_time": 1_788_307_200, "results": [usage]}
    Path("usage.json").write_text(json.dumps({"object": "page", "data": [bucket], "has_more": False}))
    Path("acme.jsonl").write_text(line(1, "acme-7b", 12, 1, feature="chat", provider="openai"))
    arguments = ("acme.jsonl", "--with", "usage.json", "--allocate", "feature", "--format", "json")
    rows = table(json.loads(llmtel("reconcile", *arguments)[1]), "feature")
    assert [(row["remainder"], row["cost_billed"]) for row in rows] == [(False, None), (True, None)]


def test_the_report_for_people_names_the_causes_and_where_they_are(llmtel):
    code, out, _ = llmtel("reconcile", "app.jsonl", "--with", "daily.csv")
    assert code == 0
    for words in (
        "BILLED",
        "$2.07",
        "96.7 % of the bill",
        "not on the bill yet",
        "claude-haiku-4-5 on 2026-09-01",
    ):
        assert words in " ".join(out.split())
    assert "llmtel analyze daily.csv --by day,model" in out


def test_the_command_of_a_finding_leaves_out_what_is_not_on_the_bill_yet(llmtel):
    Path("daily.csv").write_text("".join(DAILY.splitlines(keepends=True)[:2]))
    _, answer = reconcile(llmtel)
    command = next(f["command"] for f in answer["findings"] if f["kind"] == "not_on_bill")
    assert command == "llmtel reconcile app.jsonl --with daily.csv --until 2026-09-01"
    again = llmtel(*command.split()[1:], "--format", "json")[1]
    assert table(json.loads(again))[0]["not_on_bill"] == 0


def test_every_form_has_the_cells(llmtel):
    ask = ("reconcile", "app.jsonl", "--with", "daily.csv", "--format")
    rows = list(csv.DictReader(io.StringIO(llmtel(*ask, "csv")[1])))
    assert [row["cost_billed"] for row in rows if row["by"] == "model"] == ["2.0", "0.068"]
    lines = [json.loads(text) for text in llmtel(*ask, "jsonl")[1].splitlines()]
    assert sum(one.get("by") == ["day", "model"] for one in lines) == 4
    assert "not in our logs" in llmtel(*ask, "markdown")[1]
    assert llmtel(*ask, "parquet", "-o", "gap.parquet")[0] == 0
    assert pl.read_parquet("gap.parquet")["cost_billed"].max() == pytest.approx(2.068)


def test_usage_and_costs_of_one_provider_are_given_together_and_counted_once(llmtel):
    usage = {"starting_at": "2026-09-01T00:00:00Z", "ending_at": "2026-09-02T00:00:00Z"}
    used = {"uncached_input_tokens": 500, "output_tokens": 5, "model": "claude-haiku-4-5-20251001"}
    cost = {"amount": "0.06", "currency": "USD", "model": "Claude Haiku 4.5"}
    for name, result in (("usage.json", used), ("cost.json", cost)):
        Path(name).write_text(json.dumps({"data": [{**usage, "results": [result]}], "has_more": False}))
    Path("app.jsonl").write_text(line(1, "claude-haiku-4-5", 500, 5, provider="anthropic"))
    ask = ("reconcile", "app.jsonl", "--with", "usage.json", "--with", "cost.json", "--format", "json")
    row = table(json.loads(llmtel(*ask)[1]), "day", "model")
    # $1 and $5 a million tokens
    assert [(r["model"], r["cost_computed"], r["cost_billed"], r["price"]) for r in row] == [
        ("claude-haiku-4-5", 0.000525, 0.0006, 0.000075)
    ]


def test_a_bill_that_meets_nothing_is_told_and_fails_only_under_strict(llmtel):
    Path("app.jsonl").write_text(line(1, "gpt-4o-mini", 5, 5))
    code, answer = reconcile(llmtel)
    assert code == 0
    assert "nothing_compared" in [finding["kind"] for finding in answer["findings"]]
    assert reconcile(llmtel, "--strict")[0] == 4


def test_names_of_models_are_text_and_never_markup(llmtel):
    Path("daily.csv").write_text(DAILY.replace("openai/gpt-5-mini", "<b>\x1b[31mevil|x"))
    for form in ("table", "markdown", "csv"):
        out = llmtel("reconcile", "app.jsonl", "--with", "daily.csv", "--format", form)[1]
        assert "\x1b" not in out
    assert "<b>" not in llmtel("reconcile", "app.jsonl", "--with", "daily.csv", "--format", "markdown")[
        1
    ].replace("`<b>", "`")


def test_an_export_without_usage_leaves_the_logs_unbilled_by_model(llmtel):
    Path("daily.csv").write_text(DAILY.splitlines(keepends=True)[0])
    code, answer = reconcile(llmtel)
    assert (code, answer["gap"]) == (0, None)
    assert [row["model"] for row in table(answer, "model")] == ["claude-haiku-4-5", "gpt-5-mini"]
    assert table(answer)[0]["cost_billed"] == 0


def test_a_bill_by_day_alone_is_compared_by_day_and_says_so(llmtel):
    day = {"object": "bucket", "start_time": 1788220800, "end_time": 1788307200}
    cost = {"object": "organization.costs.result", "amount": {"value": 0.5, "currency": "usd"}}
    page = {"object": "page", "data": [{**day, "results": [cost]}], "has_more": False, "next_page": None}
    Path("costs.json").write_text(json.dumps(page))
    Path("app.jsonl").write_text(line(1, "gpt-5-mini", 10**6, 0, provider="openai"))
    code, out, _ = llmtel("reconcile", "app.jsonl", "--with", "costs.json")
    assert code == 0
    assert "costs are not split by model" in out
    assert "unexplained" in out


def test_a_log_that_names_no_provider_is_compared_with_any_bill_that_has_its_models(llmtel):
    unnamed = [json.loads(text) | {"provider": None} for text in LOG.splitlines()]
    Path("app.jsonl").write_text("".join(json.dumps(record) + "\n" for record in unnamed))
    _, answer = reconcile(llmtel)
    assert answer["left_out"] == {}
    found = {(row["day"], row["model"]): row for row in table(answer, "day", "model")}
    assert found["2026-09-01", "gpt-5-mini"]["calls"] == 2
    other = json.dumps(unnamed[0] | {"model": "gemini-2.5-pro"}) + "\n"
    Path("app.jsonl").write_text(Path("app.jsonl").read_text() + other)
    assert reconcile(llmtel)[1]["left_out"]["of other providers than the bill's"]["calls"] == 1
