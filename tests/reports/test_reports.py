"""Reports: what each says, in which order, and what it leaves out when no call knows it."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from msgspec.structs import replace

from llmtel.core.account import Account, Note, Reject, in_number, together
from llmtel.core.answers import Finding, Findings, Headline, Line, Table, Timeline
from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import complete, polars_schema
from llmtel.findings.command import Command
from llmtel.render import render
from llmtel.reports import catalogs, headline, stand_out, summary, trust
from llmtel.reports.asked import asked
from llmtel.reports.context import Context, Prices
from llmtel.reports.listing import listing
from llmtel.reports.overview import overview
from llmtel.sources.formats import sources
from llmtel.sources.read import REMARKS

MONDAY = datetime(2026, 9, 7, 10, tzinfo=UTC)


def frame(rows):
    usual = {"grain": "call", "request_count": 1, "ts": MONDAY, "file": "a.jsonl"}
    rows = [{**usual, "line": i + 1, **row} for i, row in enumerate(rows)]
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["model"]
    return complete(
        pl.DataFrame({n: [row.get(n) for row in rows] for n in names}, schema=polars_schema(names))
    )


SHOP = [
    {
        "ts": MONDAY + timedelta(days=day),
        "model": model,
        "feature": "chat",
        "user": f"u{day}",
        "status": "error" if day == 2 else "ok",
        "error": "timeout" if day == 2 else None,
        "latency_ms": 100.0 * (day + 1),
        "input_uncached": 1000,
        "output_text": 100,
        "cost_usd": 0.5 if model == "m" else None,
        "price_reason": None if model == "m" else "unknown_model",
    }
    for day in range(5)
    for model in ("m", "acme")
]


@pytest.fixture
def context():
    account = Account(files=1, bytes=2_600_000, lines=11, records=11, calls=10, rejected=1)
    return Context(
        account=account,
        prices=Prices("2026-09-01", "a41f9c00", "auto"),
        command=Command(("logs/",)),
        alias=lambda _provider, model: f"aliases:\n  {model}: other\n",
        rates=lambda calls: calls.select(),
        rejects=(Reject("a.jsonl", 3, "not JSON"),),
        seconds=0.42,
    )


def blocks_of(document, kind):
    return [block for block in document.blocks if isinstance(block, kind)]


def test_the_overview_reads_from_verdict_to_trust(context):
    document = overview(frame(SHOP), context)
    kinds = [type(block) for block in document.blocks]
    assert kinds[:5] == [Headline, Timeline, Table, Table, Table]
    assert kinds[5:7] == [Line, Findings]
    assert set(kinds[7:]) == {Line}


def test_the_headline_gives_span_cost_latency_errors_and_tokens(context):
    (head,) = blocks_of(overview(frame(SHOP), context), Headline)
    assert head.title == "llmtel · logs/ · 7–11 Sep 2026 · 5 days, UTC · 10 calls"
    cards = {card.name: (card.figure, *card.lines) for card in head.cards}
    assert cards["COST"] == ("$2.50", "$0.500 per call", "50.0 % priced")
    assert cards["LATENCY"][0] == "p50  300 ms"
    assert cards["ERRORS"] == ("20.0 %", "2 of 10")
    assert cards["TOKENS"] == ("11.0 k", "10.0 k in")
    assert "QUALITY" not in cards


def test_the_overview_splits_by_what_is_known_only(context):
    document = overview(frame([{**row, "user": None} for row in SHOP]), context)
    assert [table.by for table in blocks_of(document, Table)] == [("model",), ("feature",)]


def test_columns_that_no_call_knows_are_left_out_and_said(context):
    document = overview(frame([{**row, "latency_ms": None} for row in SHOP]), context)
    table = blocks_of(document, Table)[0]
    assert not [name for name in table.metrics if "latency" in name]
    assert any("latency" in line.text and "left out" in line.text for line in blocks_of(document, Line))


def test_the_first_table_is_the_total_and_json_has_the_days(context):
    document = overview(frame(SHOP), context)
    assert [table.by for table in document.tables] == [(), ("model",), ("feature",), ("user",), ("day",)]
    assert document.tables[0].rows[0]["calls"] == 10


def test_days_without_calls_are_gaps_in_the_timeline(context):
    (line,) = blocks_of(overview(frame([SHOP[0], SHOP[-2]]), context), Timeline)
    calls = next(series for series in line.series if series.label == "calls/day")
    assert calls.values == (1, None, None, None, 1)


def test_a_log_of_two_days_is_drawn_by_the_hour(context):
    (line,) = blocks_of(overview(frame(SHOP[:4]), context), Timeline)
    assert line.series[0].label == "cost/hour"


def test_the_kinds_of_errors_stand_on_one_line(context):
    assert Line("timeout 2", name="ERRORS") in overview(frame(SHOP), context).blocks


def test_unpriced_calls_stand_among_the_findings_with_their_alias(context):
    document = overview(frame(SHOP), context)
    (found,) = [f for f in document.findings if f.kind == "unpriced"]
    assert found.evidence["models"][0]["alias"] == "aliases:\n  acme: other\n"


@pytest.mark.parametrize(
    ("stanza", "line"),
    [
        ("aliases:\n  acme: openai/gpt-5\n", "aliases: {acme: openai/gpt-5}  # in a file for --pricing"),
        (
            "aliases:\n  acme: a/b  # or: a/c\n",
            "aliases: {acme: a/b}  # in a file for --pricing; or: a/c",
        ),
        ("# INPUT and OUTPUT\nmodels:\n  x:\n", "--price acme=INPUT/OUTPUT, in $ per million tokens"),
    ],
)
def test_people_see_on_one_line_how_a_model_gets_a_price(stanza, line):
    assert stand_out.price_hint({"model": "acme", "alias": stanza}) == Line(line, name="PRICE")


def test_a_model_without_a_price_is_never_zero_because_its_failed_calls_were_free(context):
    free = {**SHOP[1], "cost_usd": 0.0, "status": "error", "http_status": 429, "price_reason": None}
    document = overview(frame([*SHOP, free]), context)
    seen = {row["model"]: row for row in blocks_of(document, Table)[0].rows}
    raw = {row["model"]: row for row in document.tables[1].rows}
    assert (seen["acme"]["cost"], seen["acme"]["cost_per_call"]) == (None, None)
    assert (raw["acme"]["cost"], raw["acme"]["unpriced_calls"]) == (None, 5)


def test_the_account_of_reading_is_a_sum_on_a_line_of_trust(context):
    texts = [line.text for line in blocks_of(overview(frame(SHOP), context), Line)]
    assert "1 file, 2.6 MB · 11 records = 10 calls + 1 rejected (list: --rejects)" in texts
    assert (
        "list prices of 2026-09-01 #a41f9c, not your invoice · "
        "latency of 8 calls that did not fail, exact (linear interpolation) · 0.4 s" in texts
    )
    assert "a.jsonl:3: not JSON" in texts


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        (Prices("2026-09-01", "a41f9c00"), "list prices of 2026-09-01 #a41f9c, not your invoice"),
        (
            Prices("2026-09-01", "a41f9c00", layers=("pricing.yaml", "mine.yaml", "--price acme=1/2")),
            "list prices of 2026-09-01 + mine.yaml + --price acme=1/2 #a41f9c, not your invoice",
        ),
        (Prices("2026-09-01", "a41f9c00", "logged", ("pricing.yaml",)), "costs as the logs state them"),
    ],
)
def test_the_line_of_prices_names_every_layer_of_the_book(context, prices, words):
    context = replace(context, prices=prices)
    assert trust.lines(context, timed=None)[1].text.startswith(words)
    assert context.meta(frame(SHOP))["pricing"]["layers"] == prices.layers


def test_calls_whose_counts_were_reconciled_are_told_where_there_are_some(context):
    def said(reconciled):
        context.account.reconciled = reconciled
        return [line.text for line in trust.lines(context, timed=None) if "reconciled" in line.text]

    assert said(0) == []
    assert said(3) == ["token counts of 3 calls reconciled: cache or reasoning is beside the totals"]
    assert context.meta(frame(SHOP))["input"]["reconciled"] == 3


def test_notes_of_the_reader_are_shown(context):
    noted = replace(
        context, notes=(Note("utc", "3 times have no offset and were read as UTC", 3, "a.jsonl"),)
    )
    assert trust.remarks(noted.notes, ())[0].text == "a.jsonl: 3 times have no offset and were read as UTC"


def _declared():
    """Every sentence of the reader that is about a number of things."""
    return {
        **REMARKS,
        **{key: remark.text for one in sources().values() for key, remark in one.remarks.items()},
    }


@pytest.mark.parametrize(
    ("kind", "many", "one"),
    [
        ("utc", "times have no offset and were read as UTC", "time has no offset and was read as UTC"),
        ("ts_is_end", "records are dated by their answer", "record is dated by its answer"),
        ("ttl_unknown", "cache writes do not state their life", "cache write does not state its life"),
    ],
)
def test_a_note_on_one_thing_is_in_the_singular(kind, many, one):
    said = _declared()[kind]
    assert trust.remarks((Note.of("x", said, 1),), ())[0].text.startswith(f"1 {one}")
    assert trust.remarks((Note.of("x", said, 21),), ())[0].text.startswith(f"21 {many}")


@pytest.mark.parametrize("said", sorted(set(_declared().values())))
def test_every_sentence_about_a_number_of_things_is_declared_for_one_of_them_too(said):
    one, many = in_number(said, 1), in_number(said, 2)
    assert one.replace("1", "2", 1) != many
    assert not {"{", "|", "}"} & {*one, *many}


def test_notes_of_several_readings_are_one_in_its_number():
    said = _declared()["utc"]
    (whole,) = together([Note.of("utc", said, 1), Note.of("utc", said, 2)])
    assert (whole.count, whole.text) == (3, "3 times have no offset and were read as UTC")


def test_the_meta_of_an_answer_says_how_it_came_to_be(context):
    meta = overview(frame(SHOP), replace(context, tz="Asia/Kolkata")).meta
    assert meta["input"]["calls"] == 10
    assert meta["pricing"] == {
        "as_of": "2026-09-01",
        "sha256": "a41f9c00",
        "cost_source": "auto",
        "layers": (),
    }
    assert meta["range"] == ["2026-09-07T15:30:00+05:30", "2026-09-11T15:30:00+05:30"]


def test_values_coerced_and_unreadable_are_counted_in_sum_and_by_field(context):
    context.account.coerced = Counter(input_uncached=2, ts=1)
    meta = context.meta(frame(SHOP))["input"]
    assert meta["coerced"] == 3
    assert meta["coerced_by_field"] == {"input_uncached": 2, "ts": 1}
    assert meta["unreadable"] == 0


def test_no_calls_is_an_answer(context):
    document = overview(frame([]), replace(context, account=Account(files=1)))
    assert [f.kind for f in document.findings] == ["no_calls"]
    assert document.meta["range"] == [None, None]
    assert not blocks_of(document, Timeline)


def test_asking_gives_a_table_for_each_by_and_the_total_in_words(context):
    document = asked(frame(SHOP), context, by=[("model",), ("day", "error")], metrics=("calls", "error_rate"))
    assert [table.by for table in document.tables] == [(), ("model",), ("day", "error")]
    assert Line("calls 10 · err 20.0 %", name="TOTAL") in document.blocks


def test_calls_without_an_error_have_none_and_not_an_unknown_one(context):
    document = asked(frame(SHOP), context, by=[("error",), ("region",)])
    seen = render(document, "table", width=100, color=False)
    assert ("(none)" in seen.split("REGION")[0], "(unknown)" in seen.split("REGION")[0]) == (True, False)
    assert "(unknown)" in seen.split("REGION")[1]
    error, region = json.loads(render(document, "json", width=100, color=False))["tables"][1:]
    assert {row["error"] for row in error["rows"]} == {None, "timeout"}
    assert (error["columns"]["error"].get("null"), region["columns"]["region"].get("null")) == ("none", None)


def test_sums_of_a_sampled_log_are_said_to_be_estimates(context):
    document = asked(frame([{**row, "sample_rate": 0.5} for row in SHOP]), context, by=[], metrics=("calls",))
    assert document.tables[0].rows[0]["calls"] == 20
    assert any("estimates" in line.text for line in blocks_of(document, Line))


def test_asking_for_metrics_alone_shows_the_total(context):
    document = asked(frame(SHOP), context, by=[], metrics=("calls",))
    assert [table.by for table in blocks_of(document, Table)] == [()]


def test_metrics_that_were_asked_for_stay_although_unknown(context):
    document = asked(frame(SHOP), context, by=[("model",)], metrics=("mean_rating",))
    assert document.tables[1].metrics == ("mean_rating",)


def test_errors_come_first_and_then_what_touches_most():
    found = [
        Finding("info", "few", ""),
        Finding("warning", "small", "", money=1.0),
        Finding("warning", "large", "", calls=50),
        Finding("error", "rejected", ""),
    ]
    assert [f.kind for f in stand_out.ranked(found, 100.0, 100.0)] == ["rejected", "large", "small", "few"]


def test_calls_are_listed_with_their_place_and_without_what_none_of_them_knows(context):
    document = listing(frame(SHOP), context, sort="latency_ms", top=2)
    (table,) = document.tables
    assert [row["latency_ms"] for row in table.rows] == [500.0, 500.0]
    assert table.rows[0]["where"] == "a.jsonl:9"
    assert "ttft_ms" not in [column.id for column in table.columns]
    assert Line("2 of 10 calls, by latency_ms; more with --top") in document.blocks


@pytest.mark.parametrize(
    ("rows", "title", "cells"),
    [
        (
            [{"file": "logs/a/x.jsonl"}, {"file": "logs/b/x.jsonl", "ts": MONDAY + timedelta(days=40)}],
            "calls in logs/ · 2026, Asia/Kolkata",
            [("a/x.jsonl:1", "09-07 15:30:00"), ("b/x.jsonl:2", "10-17 15:30:00")],
        ),
        ([{"file": "logs/a.gz"}], "calls in logs/ · 2026-09-07, Asia/Kolkata", [("a.gz:1", "15:30:00")]),
        (
            [{}, {"ts": MONDAY + timedelta(days=400)}, {"file": "b.jsonl", "ts": None}],
            "calls · Asia/Kolkata",
            [
                ("a.jsonl:1", "2026-09-07 15:30:00"),
                ("a.jsonl:2", "2027-10-12 15:30:00"),
                ("b.jsonl:3", None),
            ],
        ),
        ([{"file": "/a", "ts": None}], "calls in /", [("a:1", None)]),
    ],
)
def test_the_place_and_time_that_listed_calls_share_stand_in_the_title(context, rows, title, cells):
    document = listing(frame(rows), replace(context, tz="Asia/Kolkata"), sort=None, top=None)
    (table,) = blocks_of(document, Table)
    assert (table.title, [(row["where"], row["ts"]) for row in table.rows]) == (title, cells)
    assert [row["where"] for row in document.tables[0].rows] == [
        f"{row.get('file', 'a.jsonl')}:{n}" for n, row in enumerate(rows, 1)
    ]


@pytest.mark.parametrize("sort", ["ts", "latency_ms", "cost_usd", "session"])
@pytest.mark.parametrize("cells", [80, 100, 120])
def test_listed_calls_are_one_table_at_80_columns_with_what_they_are_sorted_by(context, sort, cells):
    calls = [
        {**row, "file": f"logs/{n}/search-rag.jsonl", "model": "gpt-5-mini-2025-08-07"}
        for n, row in enumerate(SHOP)
    ]
    document = listing(
        frame([{**row, "session": f"session-{row['user']}"} for row in calls]), context, sort=sort, top=20
    )
    lines = render(document, "table", width=cells, color=False).splitlines()
    assert sum("search-rag.jsonl" in line for line in lines) == len(SHOP)
    (head,) = [line for line in lines if "WHERE" in line]
    assert {"ts": "time", "latency_ms": "latency s", "cost_usd": "cost $"}.get(sort, sort) in head


def test_calls_with_an_unknown_value_are_listed_last(context):
    rows = listing(frame(SHOP), context, sort="cost_usd", top=None).tables[0].rows
    assert [row.get("cost_usd") for row in rows[-5:]] == [None] * 5


def test_sorting_calls_by_no_field_suggests_one(context):
    with pytest.raises(UnknownName, match="latency_ms"):
        listing(frame(SHOP), context, sort="latency", top=None)
    with pytest.raises(UsageError, match="asc or desc"):
        listing(frame(SHOP), context, sort="latency_ms:up", top=None)


@pytest.mark.parametrize("models", [("claude-sonnet-4-5", "gpt-5"), ("gpt-5-mini-2025-08-07", "gpt-5")])
def test_a_table_over_two_dimensions_is_one_table_at_80_columns(context, models):
    rows = [{**row, "model": models[n % 2], "region": f"us-east-{n}"} for n, row in enumerate(SHOP)]
    document = asked(frame(rows), context, by=[("region", "model")])
    lines = render(document, "table", width=80, color=False).splitlines()
    (head,) = [line for line in lines if "REGION" in line]
    assert [part for part in ("cost $", "calls", "p50 s", "p95 s", "err %") if part not in head] == []
    assert sum("us-east-7" in line for line in lines) == 1


def test_metrics_are_listed_with_units_in_short_for_people():
    document = catalogs.metrics()
    assert {row["unit"] for row in document.tables[0].rows} >= {"US dollars", "milliseconds"}
    assert max(map(len, render(document, "table", width=80, color=False).splitlines())) <= 80
    assert {row["unit"] for row in blocks_of(document, Table)[0].rows} >= {"USD", "ms"}


@pytest.mark.parametrize("make", [catalogs.metrics, catalogs.dimensions, catalogs.fields])
def test_catalogs_list_every_name_with_its_help(make):
    (table,) = make().tables
    assert all(row["name"] and row["help"] for row in table.rows)


def test_the_machine_is_summed_over_today_seven_and_thirty_local_days():
    berlin = timezone(timedelta(hours=2))
    now = datetime(2026, 9, 7, 1, tzinfo=berlin)
    calls = frame(
        [{"ts": now - age, "cost_usd": 1.0} for age in (timedelta(0), timedelta(hours=2), timedelta(days=20))]
    )
    folder = summary.Folder("codex", "~/.codex/sessions", 3, 52_000_000, 7200.0)
    document = summary.summary_of(
        calls, [folder], now=now, prices=Prices("2026-09-01", "a41f9c00"), seconds=0.9
    )
    (head,) = blocks_of(document, Headline)
    assert [(card.name, card.figure) for card in head.cards] == [
        ("TODAY", "$1.00"),
        ("7 DAYS", "$2.00"),
        ("30 DAYS", "$3.00"),
    ]
    assert blocks_of(document, Table)[0].rows[0]["last"] == "2 h ago"


def test_a_span_over_two_years_names_both():
    assert headline.span_of("2025-12-30T00:00:00+00:00", "2026-01-02T00:00:00+00:00", "UTC") == (
        "30 Dec 2025 – 2 Jan 2026 · 4 days, UTC"
    )


def lines_of(document):
    return [block.text for block in blocks_of(document, Line)]


def test_a_condition_is_named_where_the_report_says_what_it_is_about(context):
    narrowed = replace(context, command=Command(("logs/",), where=("feature=chat", " ", "latency_ms>2s")))
    (head,) = blocks_of(overview(frame(SHOP), narrowed), Headline)
    assert head.title.startswith("llmtel · logs/ · where feature=chat latency_ms>2s · 7")
    assert lines_of(asked(frame(SHOP), narrowed, by=[("model",)]))[0].startswith(
        "llmtel · logs/ · where feature=chat latency_ms>2s · 7"
    )
    assert lines_of(listing(frame(SHOP), narrowed, sort=None, top=1))[0] == (
        "llmtel · logs/ · where feature=chat latency_ms>2s"
    )


def test_no_calls_is_explained(context):
    none = replace(context, account=Account(files=1))
    other = replace(context, account=Account(files=1, records=7, other=7))
    away = replace(
        context,
        command=Command(("logs/",), where=("model=x",), options={"--since": "7d"}),
        covered=("2026-09-07T10:00:00+00:00", "2026-09-11T10:00:00+00:00"),
    )
    assert [stand_out.empty(one).text for one in (none, other, away)] == [
        "no calls",
        "calls: no record tells of one, or of usage; llmtel inspect says how a file is read",
        "of 10 calls pass --where and --since; they are of 7–11 Sep 2026 · 5 days, UTC",
    ]


def test_an_empty_list_of_calls_has_no_empty_table(context):
    document = listing(frame([]), context, sort=None, top=20)
    assert blocks_of(document, Table) == []
    assert [f.kind for block in blocks_of(document, Findings) for f in block.findings] == ["no_calls"]


def test_prices_and_latencies_are_spoken_of_where_they_are_asked_for(context):
    counted = asked(frame(SHOP), context, by=[("model",)], metrics=["calls"])
    assert [f.kind for block in blocks_of(counted, Findings) for f in block.findings] == ["rejected"]
    assert not [line for line in lines_of(counted) if "list prices" in line or "latency" in line]
    assert [line for line in lines_of(counted) if line.endswith("(list: --rejects) · 0.4 s")]
    assert "unpriced" in {f.kind for f in counted.findings}
    for metric in ("cost_per_call", "unpriced_calls", "priced_share"):
        priced = asked(frame(SHOP), context, by=[("model",)], metrics=[metric])
        assert "unpriced" in {f.kind for block in blocks_of(priced, Findings) for f in block.findings}
        assert [line for line in lines_of(priced) if "list prices" in line]
    timed = asked(frame(SHOP), context, by=[("model",)], metrics=["p95_latency"])
    assert [line for line in lines_of(timed) if "latency of 8 calls that did not fail" in line]


def test_one_of_a_thing_is_named_in_the_singular():
    assert trust.records(Account(records=1, calls=1)) == "1 record = 1 call"
    assert trust.records(Account(records=3, duplicates=1, blank=1, other=1)) == (
        "3 records = 1 duplicate + 1 other + 1 blank"
    )
    assert trust.records(Account()) == "no records"


def test_a_note_names_its_file_once():
    notes = (Note("a", "a.jsonl: permission denied", file="a.jsonl"), Note("b", "seconds", file="a.jsonl"))
    assert [line.text for line in trust.remarks(notes, ())] == [
        "a.jsonl: permission denied",
        "a.jsonl: seconds",
    ]
