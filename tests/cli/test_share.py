"""`--share`: what is fit for others, in every command and format."""

import json
import socket
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.answers import Change, Document, Finding, Findings, Snippet, Table
from llmtel.render import FORMATS, render
from llmtel.reports.sealing import sealed
from llmtel.reports.sharing import Sharing

LOGS = Path(__file__).parents[2] / "sample_logs"
WHO = ("user", "session", "trace", "call_id", "response_id", "file")


@pytest.fixture(scope="module")
def secrets():
    """Whatever in the sample logs leads to a person, a call or a machine."""
    calls = pipeline.read([str(LOGS)]).calls
    found = {str(value) for name in WHO for value in calls[name].drop_nulls().unique()}
    places = {str(Path(file).name) for file in calls["file"].drop_nulls().unique()}
    return sorted(found | places | {LOGS.name, str(LOGS), str(Path.home()), socket.gethostname()})


def leaks(texts, secrets):
    """The secrets in each of some texts."""
    return pl.Series(texts, dtype=pl.String).str.extract_many(secrets).to_list()


ASKED = (
    (),
    ("--by", "model,region", "--by", "day"),
    ("--by", "user", "--share-k", 1),
    ("--where", "user!=u-0417 model=*"),
    ("--share-k", 40),
)


@pytest.fixture(scope="module", autouse=True)
def read_once():
    """The sample logs are read once for all of these tests."""
    read, kept = pipeline.read, {}

    def once(paths, *arguments, **options):
        if paths != [str(LOGS)]:
            return read(paths, *arguments, **options)
        if not kept:
            kept[0] = read(paths, *arguments, **options)
        return kept[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "read", once)
        yield


@pytest.fixture
def rendered(in_every_format):
    """Run a command line once; its answer in every format, Parquet as CSV of what is in it."""

    def call(*arguments):
        code, found, err = in_every_format(*arguments)
        assert code == 0, err
        assert list(found) == list(FORMATS)
        frame = pl.read_parquet(BytesIO(found["parquet"]))
        about = json.dumps(pl.read_parquet_metadata(BytesIO(found["parquet"])))
        return {**found, "parquet": frame.write_csv() + about}, frame

    return call


@pytest.mark.parametrize("asked", [("analyze", LOGS, *asked) for asked in ASKED] + [("calls", LOGS)])
def test_a_shared_report_has_no_id_path_host_or_command_to_paste_in_it_in_any_format(
    rendered, secrets, asked
):
    texts, _ = rendered(*asked, "--share")
    assert leaks(list(texts.values()), secrets) == [[]] * len(FORMATS)
    if asked == ("analyze", LOGS):
        answer = json.loads(texts["json"])
        assert answer["findings"]
        assert all(one["command"] is None for one in answer["findings"])
        day = next(one for one in answer["findings"] if one["kind"] == "day_change")
        assert day["evidence"]["user"] is None


def test_a_shared_report_of_a_store_does_not_say_where_it_is(rendered, tmp_path, llmtel):
    pytest.importorskip("deltalake")
    path, store = log(tmp_path / "a.jsonl", calls_of(us=9)), tmp_path / "kept-by-ada"
    path.write_text(path.read_text() + "{bad\n")
    assert llmtel("ingest", path, "--store", store)[0] == 0
    texts, _ = rendered("analyze", store, "--share")
    assert "1 record was rejected" in texts["json"]
    assert [fmt for fmt, text in texts.items() if "kept-by-ada" in text] == []


def test_a_row_of_few_people_has_no_value_in_any_format(rendered, tmp_path):
    odd = {"latency_ms": 123456}
    rows = [row | (odd if row["region"] == "eu" else {}) for row in calls_of(eu=2, us=9, asia=20)]
    asked = ("--by", "region", "--metrics", "calls,mean_latency")
    texts, frame = rendered("analyze", log(tmp_path / "a.jsonl", rows), "--share", *asked)
    assert frame.filter(pl.col("region") == "eu").row(0) == ("eu", None, None, "<5")
    assert [fmt for fmt, text in texts.items() if "12345" in text or "123.4" in text] == []


def shared(llmtel, *arguments):
    code, out, err = llmtel("analyze", *arguments, "--share", "--format", "json")
    assert code == 0, err
    return json.loads(out)


def log(path, rows):
    lines = [
        {
            "timestamp": f"2026-09-01T10:{i // 60:02d}:{i % 60:02d}Z",
            "request_id": f"r{i}",
            "model": "gpt-4o-mini",
            "latency_ms": 900,
            "prompt_tokens": 100,
            "completion_tokens": 10,
            **row,
        }
        for i, row in enumerate(rows)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def calls_of(**users_by_region):
    return [
        {"user_id": f"{region}-{n}", "region": region}
        for region, users in users_by_region.items()
        for n in range(users)
    ]


def rows_of(answer, by):
    return {row[by]: row for table in answer["tables"] if table["by"] == [by] for row in table["rows"]}


def test_a_region_of_few_users_has_no_numbers_nor_has_the_one_from_which_they_would_follow(llmtel, tmp_path):
    path = log(tmp_path / "a.jsonl", calls_of(eu=2, us=9, asia=20))
    rows = rows_of(shared(llmtel, path, "--by", "region", "--metrics", "calls,p95_latency"), "region")
    assert rows["eu"] == {"region": "eu", "calls": None, "p95_latency": None, "suppressed": "<5"}
    assert rows["us"]["suppressed"] == "held back"
    assert rows["us"]["calls"] is None
    assert rows["asia"]["calls"] == 20


def test_rows_without_numbers_stand_where_their_place_tells_nothing(llmtel, tmp_path):
    path = log(tmp_path / "a.jsonl", [{"user_id": "x", "region": "big"}] * 50 + calls_of(us=9, asia=20))
    answer = shared(llmtel, path, "--by", "region", "--metrics", "calls")
    assert list(rows_of(answer, "region")) == ["asia", "big", "us"]


def test_sessions_stand_for_users_where_these_are_not_known(llmtel, tmp_path):
    rows = [
        {"session_id": f"s{n}", "region": "eu" if n < 3 else "us" if n < 9 else "asia"} for n in range(20)
    ]
    found = rows_of(shared(llmtel, log(tmp_path / "a.jsonl", rows), "--by", "region"), "region")
    assert {name: row.get("suppressed") for name, row in found.items()} == {
        "eu": "<5", "us": "held back", "asia": None,
    }  # fmt: skip


def test_of_calls_of_which_nobody_knows_whose_they_are_nothing_is_told_unless_asked(llmtel, tmp_path):
    path = log(tmp_path / "a.jsonl", [{"region": "eu"}] * 50)
    assert llmtel("analyze", path, "--share")[0] == 2
    assert rows_of(shared(llmtel, path, "--by", "region", "--share-k", 1), "region")["eu"]["calls"] == 50


def test_of_a_log_of_few_users_nothing_can_be_shown(llmtel, tmp_path):
    path = log(tmp_path / "a.jsonl", calls_of(eu=2))
    for asked in ((), ("--by", "model"), ("--metrics", "calls")):
        code, out, err = llmtel("analyze", path, "--share", *asked)
        assert (code, out) == (2, "")
        assert "fewer than 5 known users" in err


@pytest.mark.parametrize("by", ["session", "file", "feature", "project", "branch", "user"])
def test_what_leads_to_people_or_logs_is_no_dimension_of_a_shared_report(llmtel, by):
    code, _, err = llmtel("analyze", LOGS, "--share", "--by", by)
    assert code == 2
    assert by in err


def test_the_value_of_one_call_is_no_metric_of_a_shared_report(llmtel):
    code, _, err = llmtel("analyze", LOGS, "--share", "--metrics", "calls,max_latency")
    assert code == 2
    assert "one call" in err


def test_a_user_table_is_one_of_pseudonyms_and_must_be_asked_for(llmtel, tmp_path):
    path = log(tmp_path / "a.jsonl", calls_of(eu=2))
    rows = rows_of(shared(llmtel, path, "--by", "user", "--share-k", 1), "user")
    assert len(rows) == 2
    assert all(name.startswith("u_") for name in rows)


def test_a_configuration_names_what_may_be_shared_how_many_are_few_and_a_key(llmtel, tmp_path, monkeypatch):
    monkeypatch.setenv("SHARE_KEY", "ab" * 32)
    rows = [{**row, "feature": "chat"} for row in calls_of(eu=2)]
    path, config = log(tmp_path / "a.jsonl", rows), tmp_path / "llmtel.yaml"
    config.write_text("privacy: {k: 2, share: [feature], key_env: SHARE_KEY}\n")
    answer = shared(llmtel, path, "--config", config, "--by", "feature")
    assert rows_of(answer, "feature")["chat"]["calls"] == 2
    users = [
        rows_of(shared(llmtel, path, *asked, "--share-k", 1, "--by", "user"), "user").keys()
        for asked in (("--config", config), ("--config", config), ())
    ]
    assert users[0] == users[1]
    assert users[0].isdisjoint(users[2])


def test_a_configuration_names_nothing_that_is_never_shared(llmtel, tmp_path):
    config = tmp_path / "llmtel.yaml"
    config.write_text("privacy: {share: [session]}\n")
    code, _, err = llmtel("analyze", LOGS, "--share", "--config", config)
    assert code == 2
    assert "llmtel.yaml:1" in err


def test_findings_about_few_people_are_left_out(llmtel, tmp_path):
    rows = [{"user_id": f"u{n}", "model": "own-model" if n < 2 else "gpt-4o-mini"} for n in range(20)]
    answer = shared(llmtel, log(tmp_path / "a.jsonl", rows))
    assert "unpriced" not in [one["kind"] for one in answer["findings"]]


def test_calls_are_listed_where_many_have_calls_with_the_same_words(llmtel, tmp_path):
    rows = [*calls_of(eu=2, us=9), *({"user_id": f"x{n}", "region": "us", "model": "rare"} for n in range(3))]
    path = log(tmp_path / "a.jsonl", rows)
    code, out, _ = llmtel("calls", path, "--share", "--format", "json")
    (table,) = json.loads(out)["tables"]
    assert code == 0
    assert [row["region"] for row in table["rows"]] == ["us"] * 9
    assert {"where", "user", "session", "call_id"}.isdisjoint(table["columns"])
    assert "5 calls not listed" in llmtel("calls", path, "--share")[1]


def test_calls_are_not_sorted_by_what_is_not_shown(llmtel):
    assert llmtel("calls", LOGS, "--share", "--sort", "user")[0] == 2


def test_what_nobody_has_looked_at_is_not_let_through():
    table = Table((), (), (), [{"secret": 1}])
    finding = Finding("info", "new_kind", "secret")
    document = Document(
        "llmtel.analyze/1",
        "A",
        (table, Findings("", (finding,)), Change("secret", ()), Snippet("", ("secret",), "yaml")),
        tables=(table,),
        findings=(finding,),
        meta={"new_key": "secret"},
    )
    left = sealed(document, Sharing())
    assert {
        fmt: "secret" in str(render(left, fmt, width=80, color=False)) for fmt in FORMATS
    } == dict.fromkeys(FORMATS, False)


def test_a_number_of_people_without_share_is_a_mistake(llmtel):
    assert llmtel("analyze", LOGS, "--share-k", 3)[0] == 2


def test_an_address_in_a_name_is_replaced(llmtel, tmp_path):
    rows = [{"user_id": f"u{n}", "model": "for-ann@example.org"} for n in range(9)]
    assert "ann@" not in json.dumps(shared(llmtel, log(tmp_path / "a.jsonl", rows), "--by", "model"))


@pytest.mark.parametrize("many", [(1000, 500), (100, 9000)], ids=["dearer", "slower"])
def test_a_segment_is_not_set_beside_the_calls_of_one_person(llmtel, tmp_path, many):
    def call(user, region, tokens, latency, second):
        at = f"2026-11-10T00:{second // 60:02}:{second % 60:02}Z"
        used = {"model": "gpt-4o", "input_tokens": tokens, "output_tokens": 10, "latency_ms": latency}
        return json.dumps({"timestamp": at, "user": user, "region": region, **used})

    others = [call(f"user{n % 12}", "eu", *many, n) for n in range(120)]
    path = tmp_path / "app.jsonl"
    path.write_text("\n".join([*others, *(call("solo", "zz", 137, 731, n + 200) for n in range(60))]))
    found = json.loads(llmtel("analyze", path, "--format", "json")[1])["findings"]
    assert {one["kind"] for one in found} & {"slow_segment", "dear_segment"}
    shared = llmtel("analyze", path, "--share", "--format", "json")[1]
    assert not {one["kind"] for one in json.loads(shared)["findings"]} & {"slow_segment", "dear_segment"}
    assert json.loads(llmtel("analyze", path, "--share", "--share-k", "1", "--format", "json")[1])["findings"]
