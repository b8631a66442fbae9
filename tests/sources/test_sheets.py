"""Tables of other programs: Parquet files that llmtel did not write, read like a CSV of them."""

import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel import pipeline
from llmtel.core.errors import UnreadableInput
from llmtel.core.schema import LEAVES
from llmtel.sources import sheets
from llmtel.sources.formats import sources

FOCUS = {
    "ChargePeriodStart": [datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC)],
    "BilledCost": [1.5, 4.0],
    "EffectiveCost": [1.25, 4.0],
    "BillingCurrency": ["USD", "USD"],
    "ServiceName": ["Amazon Bedrock", "Amazon S3"],
    "SkuMeter": ["USE1-Claude3.5Sonnet-input-tokens", "storage"],
    "ConsumedQuantity": [12.0, 7.0],
    "ConsumedUnit": ["1K tokens", "GB"],
    "Tags": [{"team": "shop"}, {"team": None}],
    "Labels": [["a"], []],
}


def test_a_bill_in_parquet_gives_what_its_csv_gives(tmp_path):
    bill = pl.DataFrame(FOCUS)
    bill.write_parquet(tmp_path / "bill.parquet")
    bill.drop("Tags", "Labels").write_csv(tmp_path / "bill.csv")
    read = [pipeline.read([str(tmp_path / name)]) for name in ("bill.parquet", "bill.csv")]
    assert read[0].account.calls == read[0].account.other == 1
    wanted = ["ts", "model", "region", "input_uncached", "cost_logged", "grain", "format"]
    rows = [reading.calls.select(wanted).rows() for reading in read]
    assert rows[0] == rows[1]
    assert rows[0][0][3:5] == (12_000, 1.25)


def test_any_table_with_a_time_and_a_model_is_read_from_parquet(tmp_path):
    path = tmp_path / "mine.parquet"
    pl.DataFrame(
        {"created_at": [datetime(2026, 9, 1)], "model": ["gpt-5-mini"], "input_tokens": [7], "spare": [b"x"]}  # noqa: DTZ001 (as files often are)
    ).write_parquet(path)
    reading = pipeline.read([str(path)])
    assert reading.calls.select("model", "input_uncached", "line").rows() == [("gpt-5-mini", 7, 1)]
    assert reading.inputs[0].format == "generic_csv"


def test_a_parquet_file_that_no_format_claims_is_named_with_its_columns(tmp_path):
    path = tmp_path / "other.parquet"
    pl.DataFrame({"a": [1], "b": ["x"]}).write_parquet(path)
    with pytest.raises(UnreadableInput, match="a table with the columns a, b: no format claims them"):
        pipeline.read([str(path)])


@pytest.mark.parametrize(
    ("money", "dollars"),
    [("$10,000.00 ", 10_000.0), ("1,234,567", 1_234_567.0), ("-$3.5", -3.5), ("1,5", None), ("NULL", None)],
)
def test_money_in_a_cell_is_read_with_its_sign_and_thousands_or_not_at_all(tmp_path, money, dollars):
    path = tmp_path / "cost.csv"
    path.write_text(f'usage_date_utc,model,cost_usd\n2026-09-01,Claude Haiku 4.5,"{money}"\n')
    reading = pipeline.read([str(path)])
    assert reading.calls["cost_logged"].to_list() == [dollars]
    assert sum(reading.account.unreadable.values()) == (dollars is None and money != "NULL")


def test_a_bill_in_csv_with_american_dates_is_read_and_other_dates_are_rejected(tmp_path):
    path = tmp_path / "bill.csv"
    head = "BilledCost,ChargePeriodStart,ServiceName,BillingCurrency\n"
    path.write_text(head + "1,5/31/26,Vertex AI,USD\n2,31.5.26,Vertex AI,USD\n")
    reading = pipeline.read([str(path)])
    assert reading.calls["ts"].to_list() == [datetime(2026, 5, 31, tzinfo=UTC)]
    assert [reject.reason for reject in reading.rejects] == ["a time in no accepted form"]


def test_the_columns_of_a_parquet_file_are_not_read_as_another_layout(tmp_path):
    buffer = io.BytesIO()
    pl.DataFrame({"ts": ["2026-09-01"], "model": ["x"]}).write_parquet(buffer)
    path = tmp_path / "x.parquet"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UnreadableInput, match="reads JSON"):
        pipeline.read([str(path)], input_format="generic")


def test_deepseek_amounts_of_one_bucket_are_one_row(tmp_path):
    path = tmp_path / "amount.csv"
    path.write_text(sources()["deepseek_amount"].sample)
    account = pipeline.read([str(path)]).account
    assert (account.records, account.calls, account.other) == (3, 2, 1)


@pytest.mark.parametrize(
    ("service", "meter", "description", "model", "leaf"),
    [
        ("Amazon Bedrock", "USE1-Claude3.5Sonnet-input-tokens", "", "claude3.5sonnet", "input_uncached"),
        (
            "Claude Sonnet 4.5 (Amazon Bedrock Edition)",
            "USE1-CacheReadInputTokenCount-Units",
            "",
            "claude sonnet 4.5",
            "cache_read",
        ),
        ("Azure OpenAI", "gpt 4o mini 0718 Output global Tokens", "", "gpt 4o mini", "output_text"),
        (
            "Vertex AI",
            "NULL",
            "Gemini 2.5 Flash Text Input - Predictions",
            "gemini 2.5 flash",
            "input_uncached",
        ),
        (
            "Amazon Bedrock",
            "NULL",
            "$0.00022 per 1K input tokens for Nova-pro in US East",
            "nova-pro",
            "input_uncached",
        ),
        ("Amazon Bedrock", "USE1-Guardrail-units", "", None, None),
    ],
)
def test_the_words_of_a_sku_tell_the_model_and_the_kind_of_token(
    tmp_path, service, meter, description, model, leaf
):
    path = tmp_path / "bill.csv"
    head = "BilledCost,BillingCurrency,ChargePeriodStart,ServiceName,SkuMeter,ChargeDescription,"
    path.write_text(
        f"{head}ConsumedQuantity,ConsumedUnit\n1.5,USD,2026-09-01T00:00:00Z,{service},{meter},{description},2000,tokens\n"
    )
    row = pipeline.read([str(path)]).calls.row(0, named=True)
    leaves = {name: row[name] for name in LEAVES if row[name] is not None}
    assert (row["model"], leaves) == (model, {leaf: 2000} if leaf else {})


def test_a_bill_in_another_currency_is_unknown_and_told(tmp_path):
    path = tmp_path / "bill.csv"
    path.write_text("BilledCost,BillingCurrency,ChargePeriodStart,ServiceName\n9,EUR,2026-09-01,Vertex AI\n")
    reading = pipeline.read([str(path)])
    assert reading.calls["cost_logged"].to_list() == [None]
    assert ["another currency" in note.text for note in reading.notes] == [True]


def test_cents_of_a_cost_report_are_not_read_as_dollars(tmp_path):
    path = tmp_path / "cost.json"
    path.write_text(sources()["anthropic_usage"].sample.split("\n")[1])
    assert pipeline.read([str(path)]).calls["cost_logged"].to_list() == [1.2345]


def test_times_that_a_provider_writes_in_utc_are_no_assumption(tmp_path):
    for name, told in (("anthropic_console_cost", []), ("focus", []), ("generic_csv", ["utc"])):
        path = tmp_path / name
        path.write_text(sources()[name].sample.replace("Z,", ","))
        assert [note.kind for note in pipeline.read([str(path)]).notes if note.kind == "utc"] == told, name


def test_a_page_that_says_another_follows_is_told_once(tmp_path):
    path = tmp_path / "usage.json"
    path.write_text(
        sources()["openai_usage"].sample.split("\n")[0].replace('"has_more":false', '"has_more":true')
    )
    notes = pipeline.read([str(path)]).notes
    assert [(note.kind, note.count) for note in notes] == [("page_follows", 1)]


def test_a_key_inside_a_cell_is_found_however_it_is_written(tmp_path):
    path = tmp_path / "observations.csv"
    sample = sources()["langfuse_csv"].sample
    path.write_text(
        sample.replace('""output""', '""\\u006futput""').replace("prompt_details.cache_read", "other")
    )
    calls = pipeline.read([str(path)]).calls
    assert calls.select("input_uncached", "cache_read", "output_text").rows() == [(30, None, 5)]


def test_an_empty_cell_says_nothing_where_another_column_may(tmp_path):
    path = tmp_path / "requests.csv"
    head = "request_id,request_created_at,delay_ms,response_model,request_model\n"
    path.write_text(f"{head}r1,2026-09-01T10:00:00Z,5,,gpt-5-mini\n")
    assert pipeline.read([str(path)]).calls["model"].to_list() == ["gpt-5-mini"]


def test_a_bill_in_yuan_is_a_bucket_of_unknown_cost_and_says_so(tmp_path):
    path = tmp_path / "cost.csv"
    path.write_text(sources()["deepseek_cost"].sample)
    reading = pipeline.read([str(path)])
    assert reading.calls["cost_logged"].to_list() == [None, 0.12]
    assert [(note.kind, note.count) for note in reading.notes] == [("currency", 1)]


def test_buckets_without_results_are_no_usage_and_no_fault(tmp_path):
    path = tmp_path / "usage.json"
    path.write_text('{"object":"page","data":[],"has_more":false,"next_page":null}')
    account = pipeline.read([str(path)]).account
    assert (account.calls, account.other) == (0, 1)


CELLS = st.sampled_from(
    ["", "a", "é 1", '"b"', '"c,d"', '"e\nf"', '"g\r\nh"', '""', '"i""j"', '""""', 'k"l', ' "m"']
)


@given(
    st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(["a, b", '"a", b', '"a\nx",b', 'a,b"']),
)
def test_a_table_is_cut_as_it_would_be_parsed(rows, ending, ended, header):
    data = (ending.join([header, *rows]) + (ending if ended else "")).encode()
    cut, parsed = sheets.of_csv(data), sheets._of_parsed_csv(data)
    assert cut.table.equals(parsed.table)
    assert cut.places.to_list() == parsed.places.to_list()
    assert (cut.lines, sorted(cut.bad)) == (parsed.lines, sorted(parsed.bad))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_table_with_json_in_its_cells_is_cut_and_not_parsed(ending):
    sheet = sheets._of_regular_csv(sources()["langfuse_csv"].sample.replace("\n", ending).encode())
    assert json.loads(sheet.table["usage_details"][1])["input"] == 30


@pytest.mark.parametrize(
    "odd",
    [
        'a,b\n1,x"y"\n',
        'a,b\n1, "y"\n',
        'a,b\n"1"2,3\n',
        'a,b\n1,"2\n',
        "a\rb,c\n1,2\n",
        "a,b\n1\n",
        "a,b\n\n,,",
        "a,b\n\n1,2\n",
    ],
)
def test_a_table_with_quotes_out_of_place_or_rows_of_other_lengths_is_parsed(odd):
    assert sheets._of_regular_csv(odd.encode()) is None


def spend(metadata):
    """A row of LiteLLM's table with JSON in one of its cells."""
    cells = '"' + metadata.replace('"', '""') + '"'
    return f"r{abs(hash(metadata))},acompletion,2026-09-01 10:00:00,gpt-4o,0.1,100,20,{cells}\n"


HEADER = "request_id,call_type,startTime,model,spend,prompt_tokens,completion_tokens,metadata\n"
USED = '{"usage_object":{"cache_read_input_tokens":%s}}'


@pytest.mark.parametrize("damaged", ["", "{", '{"usage_object":[1]}', "[]", "no JSON", '{"usage_object":7}'])
def test_a_cell_whose_json_is_damaged_costs_itself_and_not_the_others(tmp_path, damaged):
    path = tmp_path / "spend.csv"
    path.write_text(HEADER + spend(USED % 60) + spend(damaged) + spend(USED % 70))
    reading = pipeline.read([str(path)])
    assert reading.calls["cache_read"].to_list() == [60, None, 70]
    assert reading.account.balance() == 0


def test_values_inside_cells_are_checked_as_cells_are(tmp_path):
    path = tmp_path / "spend.csv"
    path.write_text(HEADER + spend(USED % '"60"') + spend(USED % "61.0") + spend(USED % '"many"'))
    reading = pipeline.read([str(path)])
    assert reading.calls["cache_read"].to_list() == [60, 61, None]
    assert reading.account.unreadable.total() == 1
