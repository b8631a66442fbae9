"""A provider's usage export through the command line: a report of its own, never mixed with calls."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from llmtel.cli.app import run
from llmtel.sources.formats import sources

DAILY = (
    "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n"
    "2026-09-01 00:00:00,openai/gpt-5-mini,1.5,0,12,24000,3000,0\n"
    "2026-09-01 00:00:00,anthropic/claude-haiku-4.5,2,0,5,1000,200,50\n"
    "2026-09-02 00:00:00,openai/gpt-5-mini,2.25,0,18,36000,4500,0\n"
)
CALL = (
    '{"timestamp":"2026-09-01T10:00:00Z","model":"gpt-5-mini","prompt_tokens":100,"completion_tokens":5,'
    '"latency_ms":20}\n'
)
EXPORTS = (
    "openai_usage", "openai_dashboard", "openai_activity", "anthropic_usage", "anthropic_console_tokens",
    "anthropic_console_cost", "openrouter_daily", "deepseek_amount", "focus",
)  # fmt: skip


@pytest.fixture
def llmtel(capsysbinary, tmp_path, monkeypatch):
    """Run a command line in a folder with an export and a log: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    Path("daily.csv").write_text(DAILY)
    Path("app.jsonl").write_text(CALL)

    def call(*arguments):
        code = run(list(arguments))
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def test_the_overview_of_an_export_counts_requests_money_and_tokens(llmtel):
    code, out, _ = llmtel("analyze", "daily.csv")
    assert code == 0
    assert "2 days, UTC · 35" in out
    assert "$5.75" in out
    assert "68.7 k" in out
    assert "3 records = 3 buckets" in out
    assert "costs as the logs state them" in out


def test_nothing_about_single_calls_is_shown_of_an_export(llmtel):
    out = llmtel("analyze", "daily.csv")[1] + llmtel("analyze", "daily.csv", "--by", "model")[1]
    assert not {"p50", "p95", "err", "calls/day", "cost/call"} & set(out.replace("%", " ").split())
    assert "latency and errors of single calls" in out


@pytest.mark.parametrize("by", ["model", "day", "provider"])
def test_tables_of_an_export_add_up(llmtel, by):
    code, out, _ = llmtel("analyze", "daily.csv", "--by", by, "--format", "json")
    total, table = json.loads(out)["tables"]
    assert code == 0
    assert total["rows"] == [
        {"cost": 5.75, "requests": 35, "total_tokens": 68_700, "input_tokens": 61_000, "output_tokens": 7_700}
    ]
    for metric in total["metrics"]:
        assert sum(row[metric] for row in table["rows"]) == pytest.approx(total["rows"][0][metric])


def test_an_export_by_day_is_csv(llmtel):
    _, out, _ = llmtel("analyze", "daily.csv", "--by", "day", "--metrics", "requests,cost", "--format", "csv")
    assert [row.split(",")[:3] for row in out.splitlines()] == [
        ["day", "requests", "cost"],
        ["2026-09-01", "17", "3.5"],
        ["2026-09-02", "18", "2.25"],
    ]


def test_latency_that_was_asked_for_is_unknown_and_not_zero(llmtel):
    out = llmtel("analyze", "daily.csv", "--metrics", "p95_latency,error_rate,calls", "--format", "json")[1]
    assert json.loads(out)["tables"][0]["rows"] == [{"p95_latency": None, "error_rate": None, "calls": 0}]


@pytest.mark.parametrize("command", [("analyze",), ("calls",), ("ingest", "-o", "all.parquet")])
def test_an_export_beside_a_log_is_refused_with_the_command_that_compares_them(llmtel, command):
    code, _, err = llmtel(command[0], "app.jsonl", "daily.csv", *command[1:])
    assert code == 2
    assert "llmtel reconcile app.jsonl --with daily.csv" in err
    assert not Path("all.parquet").exists()


def test_a_refusal_of_many_files_says_how_many_its_command_leaves_out(llmtel):
    for number in range(6):
        Path(f"app{number}.jsonl").write_text(Path("app.jsonl").read_text())
    err = llmtel("analyze", "app.jsonl", *(f"app{n}.jsonl" for n in range(6)), "daily.csv")[2]
    assert err.endswith("--with daily.csv (7 files with calls, 1 with sums; the first are named)\n")


def test_a_store_refuses_an_export_with_the_command_that_compares_them(llmtel):
    pytest.importorskip("deltalake")
    code, _, err = llmtel("ingest", "daily.csv", "--store", "calls")
    assert (code, "llmtel reconcile --store DIR --with daily.csv" in err) == (2, True)


def test_an_ingested_export_is_still_an_export(llmtel):
    code, out, _ = llmtel("ingest", "daily.csv", "-o", "daily.parquet")
    assert code == 0
    assert "3 buckets → daily.parquet" in out
    again = llmtel("analyze", "daily.parquet", "--format", "json")[1]
    assert json.loads(again)["tables"][0]["rows"][0]["requests"] == 35
    assert llmtel("analyze", "app.jsonl", "daily.parquet")[0] == 2


def test_an_export_without_usage_says_so_and_is_no_fault(llmtel):
    Path("empty.csv").write_text(
        "start_time,end_time,start_time_iso,end_time_iso\n"
        "1788220800,1788307200,2026-09-01T00:00:00+00:00,2026-09-02T00:00:00+00:00\n"
    )
    code, out, _ = llmtel("analyze", "empty.csv", "--strict")
    assert code == 0
    assert "empty.csv: no usage" in out


def test_the_cost_of_an_export_that_is_not_split_by_model_is_unknown_and_told(llmtel):
    page = json.loads(sources()["openai_usage"].sample.split("\n")[0])
    del page["data"][0]["results"][0]["model"], page["data"][0]["results"][1]
    Path("usage.json").write_text(json.dumps(page))
    out = llmtel("analyze", "usage.json")[1]
    assert "bucket (790 tokens) has no price: no model" in out
    assert "$" not in out.split("WHAT STANDS OUT")[0]


def test_usage_and_its_bill_read_together_count_the_money_once(llmtel):
    usage, bill = sources()["anthropic_usage"].sample.strip().split("\n")
    Path("usage.json").write_text(usage)
    Path("bill.json").write_text(bill)
    out = llmtel("analyze", "usage.json", "bill.json", "--format", "json")[1]
    row = json.loads(out)["tables"][0]["rows"][0]
    assert (row["cost"], row["total_tokens"]) == (1.2345, 4010)
    alone = llmtel("analyze", "usage.json", "--format", "json")[1]
    assert json.loads(alone)["tables"][0]["rows"][0]["cost"] == pytest.approx(0.0185, abs=0.02)


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_alone_gives_a_report_in_every_form(llmtel, name):
    Path("export").write_text(sources()[name].sample)
    for form in ("table", "markdown", "json", "csv"):
        code, out, _ = llmtel("analyze", "export", "--format", form)
        assert code == 0
        assert out.strip()
    assert llmtel("ingest", "export", "-o", "export.parquet")[0] == 0
    frame = pl.read_parquet("export.parquet")
    assert set(frame["grain"]) == {"bucket"}
    assert frame["latency_ms"].null_count() == frame["status"].null_count() == frame.height


def test_an_export_that_is_given_twice_is_told(llmtel):
    Path("again.csv").write_text(DAILY)
    twice = "buckets that stand in two files with the same numbers: 3"
    assert twice in llmtel("analyze", "daily.csv", "again.csv")[1]
    Path("again.csv").write_text(DAILY.replace("09-0", "08-0"))
    assert twice not in llmtel("analyze", "daily.csv", "again.csv")[1]


def test_inspect_shows_how_many_requests_a_row_stands_for(llmtel):
    out = llmtel("inspect", "daily.csv")[1]
    assert "openrouter_daily" in out
    assert any(line.split()[:4] == ["request_count", "12", "5", "18"] for line in out.splitlines())


def usage_report(month, tokens):
    """A report of Anthropic's, which does not say how many requests there were."""
    one = {"uncached_input_tokens": tokens, "output_tokens": 9000, "model": "claude-sonnet-4-5"}
    days = [
        {
            "starting_at": f"2026-{month:02}-{day:02}T00:00:00Z",
            "ending_at": f"2026-{month:02}-{day + 1:02}T00:00:00Z",
            "results": [one],
        }
        for day in range(1, 8)
    ]
    return json.dumps({"data": days, "has_more": False, "next_page": None})


def test_a_comparison_of_exports_speaks_of_requests(llmtel):
    Path("later.csv").write_text(DAILY.replace("2026-09", "2026-10").replace(",24000,", ",94000,"))
    Path("fewer.csv").write_text("\n".join(DAILY.splitlines()[:2]))
    _, out, _ = llmtel("compare", "daily.csv", "later.csv", "--price", "gpt-5-mini=1/1")
    assert "tokens per request" in " ".join(out.split())
    for second in ("later.csv", "fewer.csv"):
        out = llmtel("compare", "daily.csv", second)[1]
        assert re.search(r"\(35 requests, .*\n", out)
        assert re.search(r"verdict +buckets\n", out)
        assert not re.search(r"\bcalls?\b", out.split("try")[0])
    assert "fewer requests" in out
    assert "nothing here is tested for noise: these are totals" in out


def test_a_comparison_of_exports_that_do_not_count_requests_speaks_of_buckets(llmtel):
    Path("one.json").write_text(usage_report(8, 900_000))
    Path("two.json").write_text(usage_report(9, 990_000))
    out = llmtel("compare", "one.json", "two.json")[1]
    assert "one.json (7 buckets, 2026-08-01" in " ".join(out.split())
    assert "per bucket" in out
    assert not re.search(r"\b(?:calls?|requests?)\b", out)


def test_a_baseline_of_an_export_knows_that_it_counts_requests(llmtel):
    code, out, _ = llmtel("baseline", "save", "daily.csv", "-o", "b.json")
    assert (code, "35 requests" in out) == (0, True)
    Path("later.csv").write_text(DAILY.replace("2026-09", "2026-10"))
    out = llmtel("compare", "b.json", "later.csv")[1]
    assert "b.json (35 requests, " in " ".join(out.split())
    assert "35 requests)" in llmtel("check", "later.csv", "--baseline", "b.json")[1]


def test_a_check_of_exports_speaks_of_buckets(llmtel):
    Path("later.csv").write_text(DAILY.replace("2026-09", "2026-10"))
    limits = ("--fail-if", "cost_per_success > +10%", "--fail-if", "p95_latency > 8s")
    llmtel("baseline", "save", "daily.csv", "-o", "b.json", *limits)
    code, out, _ = llmtel("check", "later.csv", "--baseline", "b.json", *limits)
    assert code == 0
    assert "cost_per_success: known of no bucket on either side" in out
    assert "p95_latency: not known of any bucket" in " ".join(out.split())
    assert not re.search(r"\bcalls?\b", out)
