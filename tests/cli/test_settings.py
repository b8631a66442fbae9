"""What a person says about a log: `--map`, `--join` and `llmtel.yaml`, from command line to answer."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

MAPS = ("--map", "ts=when", "--map", "model=llm", "--map", "user=meta.uid")
PEOPLE = "user,Team,Cost Centre\nu0,red,100\nu1,blue,200\nu2,red,100\n"


def call(n):
    """A call in words that no format knows: call n of user n modulo 4, which took n / 10 seconds."""
    return {
        "when": f"2026-09-0{1 + n % 9}T10:00:00Z",
        "llm": "gpt-4o-mini",
        "n": {"in": 1000, "cached": 400, "out": 100},
        "took": n / 10,
        "meta": {"uid": f"u{n % 4}"},
        "okay": n % 5 != 0,
        "gen.ai": {"use.case": f"f{n % 2}"},
    }


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A log of twenty calls that no format claims, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    Path("app.jsonl").write_text("".join(json.dumps(call(n)) + "\n" for n in range(20)))
    Path("people.csv").write_text(PEOPLE)
    return "app.jsonl"


@pytest.fixture
def asked(llmtel):
    """The JSON of `llmtel analyze`; its rows of the last table, by the first dimension."""

    def ask(*arguments):
        code, out, err = llmtel("analyze", *arguments, "--format", "json")
        assert code == 0, err
        return json.loads(out)

    return ask


def total(answer):
    return answer["tables"][0]["rows"][0]


def notes(answer):
    return [note["text"] for note in answer["notes"]]


def by(answer, name, metric="calls"):
    return {row[name]: row[metric] for row in answer["tables"][-1]["rows"]}


def test_a_log_in_words_of_its_own_is_read_once_its_facts_are_mapped(log, asked, llmtel):
    code, _, err = llmtel("analyze", log)
    assert code == 5
    assert "llmtel inspect app.jsonl" in err
    answer = asked(log, *MAPS, "--by", "user", "--metrics", "calls")
    assert by(answer, "user") == {"u0": 5, "u1": 5, "u2": 5, "u3": 5}
    assert "mapped: ts from when, model from llm, user from meta.uid" in notes(answer)


def test_a_unit_after_a_colon_is_what_the_path_is_in(log, asked):
    answer = asked(log, *MAPS, "--map", "latency_ms=took:s", "--metrics", "max_latency")
    assert total(answer)["max_latency"] == pytest.approx(1900)


def test_mapped_totals_are_untangled_as_a_known_log_s_are(log, asked):
    tokens = ("--map", "input_tokens=n.in", "--map", "output_tokens=n.out", "--map", "cache_read=n.cached")
    answer = asked(log, *MAPS, *tokens, "--metrics", "input_tokens,output_tokens,cache_hit_rate")
    assert total(answer) == {"input_tokens": 20_000, "output_tokens": 2_000, "cache_hit_rate": 0.4}


def test_keys_with_dots_are_written_as_they_stand_in_the_log(log, asked):
    answer = asked(log, *MAPS, "--map", "feature=gen.ai.use.case", "--by", "feature", "--metrics", "calls")
    assert by(answer, "feature") == {"f0": 10, "f1": 10}


def test_an_outcome_is_judged_whichever_words_the_log_has_for_it(log, asked):
    answer = asked(log, *MAPS, "--map", "status=okay", "--metrics", "errors")
    assert total(answer)["errors"] == 4


def test_a_mapped_outcome_in_words_that_say_nothing_is_counted_as_unreadable(log, asked, llmtel):
    words = ["erledigt", "ok", "pending", "", "failed", "kaputt"]
    lines = [{**call(n), "state_of_it": word} for n, word in enumerate(words)]
    Path(log).write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = (log, *MAPS, "--map", "status=state_of_it")
    answer = asked(*said, "--metrics", "errors,error_rate")
    assert total(answer) == {"errors": 1, "error_rate": 0.5}
    assert answer["input"]["unreadable"] == 2
    assert llmtel("analyze", *said, "--strict")[0] == 4


def test_a_word_is_needed_only_where_nothing_else_tells_the_outcome(log, asked):
    lines = [{**call(n), "word": "erledigt", "http_status": code} for n, code in enumerate((200, 500))]
    Path(log).write_text("".join(json.dumps(line) + "\n" for line in lines))
    answer = asked(log, *MAPS, "--map", "status=word", "--metrics", "errors")
    assert (total(answer)["errors"], answer["input"]["unreadable"]) == (1, 0)


def test_a_field_mapped_twice_takes_the_first_that_is_there(log, asked):
    lines = [{**call(n), "meta": {}, "who": "w"} if n % 2 else call(n) for n in range(4)]
    Path(log).write_text("".join(json.dumps(line) + "\n" for line in lines))
    answer = asked(log, *MAPS, "--map", "user=who", "--by", "user", "--metrics", "calls")
    assert by(answer, "user") == {"u0": 1, "u2": 1, "w": 2}


def test_one_field_of_a_known_format_is_read_from_elsewhere(tmp_path, monkeypatch, asked):
    monkeypatch.chdir(tmp_path)
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    response = {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini", "usage": usage}
    choices = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}]
    lines = [
        {
            "timestamp": "2026-09-01T10:00:00Z",
            "response": {**response, "id": f"chatcmpl-{n}", "choices": choices},
            "x": {"who": f"u{n}", "in": 300 + n},
        }
        for n in range(2)
    ]
    Path("calls.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    plain = asked("calls.jsonl", "--by", "user", "--metrics", "calls,input_tokens,output_tokens")
    assert [row["user"] for row in plain["tables"][-1]["rows"]] == [None]
    mapped = ("--map", "user=x.who", "--map", "input_tokens=x.in")
    answer = asked("calls.jsonl", *mapped, "--by", "user", "--metrics", "calls,input_tokens,output_tokens")
    assert by(answer, "user", "input_tokens") == {"u0": 300, "u1": 301}
    assert by(answer, "user", "output_tokens") == {"u0": 20, "u1": 20}


def test_a_column_of_a_table_is_mapped_by_its_head(tmp_path, monkeypatch, asked):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("Zeit,Modell,In Tokens,who.id\n2026-09-01 10:00:00,gpt-4o,10,a\n")
    said = ("ts=Zeit", "model=Modell", "input_tokens=In Tokens", "user=who.id")
    maps = [word for one in said for word in ("--map", one)]
    answer = asked("t.csv", *maps, "--by", "user", "--metrics", "input_tokens")
    assert by(answer, "user", "input_tokens") == {"a": 10}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("usr=meta.uid", "there is no field 'usr'. Did you mean user?"),
        ("user=meta.uidd", "no record looked at has meta.uidd. Did you mean meta.uid?"),
        ("user=uid", "no record looked at has uid. Did you mean meta.uid?"),
        ("latency_ms=took:sec", "there is no unit 'sec': latency_ms can be in ms, s, us, ns, min."),
        ("user=meta:s", "user has no units"),
        ("user", "write FIELD=PATH"),
        ("user=a..b", "'a..b' is no path"),
        ("format=llm", "format is made by llmtel"),
    ],
)
def test_a_mapping_that_cannot_work_says_what_would(log, llmtel, text, said):
    code, out, err = llmtel("analyze", log, *MAPS[:4], "--map", text)
    assert (code, out) == (2, "")
    assert said in err


def test_a_nested_export_is_mapped_by_what_is_inside_of_it(tmp_path, monkeypatch, asked, llmtel):
    monkeypatch.chdir(tmp_path)
    tenant = {"key": "app.tenant", "value": {"stringValue": "acme"}}
    used = {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "3"}}
    span = {"name": "chat", "attributes": [{**tenant, "key": "gen_ai.request.model"}, used, tenant]}
    Path("s.jsonl").write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}) + "\n")
    answer = asked("s.jsonl", "--map", "user=attributes.app_tenant", "--by", "user", "--metrics", "calls")
    assert by(answer, "user", "calls") == {"acme": 1}
    assert not [text for text in notes(answer) if "no record" in text]
    answer = asked("s.jsonl", "--by", "tags.app.tenant", "--metrics", "calls")
    assert by(answer, "tags.app.tenant", "calls") == {"acme": 1}
    code, _, err = llmtel("analyze", "s.jsonl", "--map", "user=attributes.app.tenant")
    assert code == 2
    assert "Did you mean attributes.app_tenant" in " ".join(err.split())


def test_calls_that_were_written_by_llmtel_are_not_mapped_again(log, llmtel):
    assert llmtel("ingest", log, *MAPS, "-o", "calls.parquet")[0] == 0
    code, _, err = llmtel("analyze", "calls.parquet", "--map", "user=meta.uid")
    assert code == 2
    assert "calls already" in err


def test_the_columns_of_a_table_are_dimensions(log, asked):
    answer = asked(log, *MAPS, "--join", "people.csv:user", "--by", "team,cost_centre", "--metrics", "calls")
    rows = [tuple(row.values()) for row in answer["tables"][-1]["rows"]]
    assert sorted(rows, key=str) == [("blue", "200", 5), ("red", "100", 10), (None, None, 5)]
    assert "people.csv joined by user: team, cost_centre" in notes(answer)


def test_joined_columns_filter_and_sort_by_their_bare_names(log, asked):
    more = ("--where", "team!=blue", "--by", "team", "--sort", "team:desc", "--metrics", "calls")
    answer = asked(log, *MAPS, "--join", "people.csv:user", *more)
    assert [row["tags.team"] for row in answer["tables"][-1]["rows"]] == ["red", None]


def test_what_a_table_does_not_have_is_a_finding_that_names_it(log, asked, llmtel):
    answer = asked(log, *MAPS, "--join", "people.csv:user", "--metrics", "calls")
    found = next(finding for finding in answer["findings"] if finding["kind"] == "unmatched")
    assert found["evidence"]["missing"] == {"u3": 5}
    assert "5" in found["figure"]
    assert "u3" in found["text"]
    code, out, _ = llmtel(*found["command"].split()[1:], "--format", "json")
    assert code == 0
    assert json.loads(out)["tables"][0]["rows"][0]["calls"] == 5


def test_a_key_that_stands_twice_in_a_table_is_refused_with_both_lines(log, llmtel):
    Path("people.csv").write_text(PEOPLE + "u1,green,300\n")
    code, _, err = llmtel("analyze", log, *MAPS, "--join", "people.csv:user")
    assert code == 2
    assert "people.csv:5: user 'u1' stands in line 3 already" in err


@pytest.mark.parametrize(
    ("join", "said"),
    [
        ("people.csv:usr", "there is no field to join by 'usr'. Did you mean user?"),
        ("people.csv:user=usre", "there is no column 'usre'. Did you mean user?"),
        ("persons.csv:user", "cannot read the table persons.csv: No such file"),
        ("people.csv", "write FILE:FIELD"),
    ],
)
def test_a_join_that_cannot_work_says_what_would(log, llmtel, join, said):
    code, _, err = llmtel("analyze", log, *MAPS, "--join", join)
    assert code == 2
    assert said in err


def test_a_column_named_like_a_dimension_does_not_take_its_place(log, asked):
    Path("people.csv").write_text("user,Region\nu0,north\n")
    more = ("--join", "people.csv:user", "--metrics", "calls")
    assert by(asked(log, *MAPS, *more, "--by", "region"), "region") == {None: 20}
    answer = asked(log, *MAPS, *more, "--by", "tags.region")
    assert by(answer, "tags.region") == {"north": 5, None: 15}
    assert "people.csv joined by user: tags.region" in notes(answer)


def test_an_unknown_dimension_may_have_meant_a_joined_column(log, llmtel):
    for option, value in (("--by", "teem"), ("--where", "teem=red")):
        code, _, err = llmtel("analyze", log, *MAPS, "--join", "people.csv:user", option, value)
        assert code == 2
        assert "Did you mean team?" in err


def test_a_table_may_be_json_and_its_key_be_called_otherwise(log, asked):
    Path("people.json").write_text(json.dumps([{"uid": "u0", "team": "a"}, {"uid": "u1", "team": "b"}]))
    answer = asked(log, *MAPS, "--join", "people.json:user=uid", "--by", "team", "--metrics", "calls")
    assert by(answer, "tags.team") == {"a": 5, "b": 5, None: 10}


def test_joined_columns_are_kept_in_what_ingest_writes(log, llmtel, asked):
    assert llmtel("ingest", log, *MAPS, "--join", "people.csv:user", "-o", "calls.parquet")[0] == 0
    assert set(pl.read_parquet("calls.parquet")["tags"].drop_nulls()) == {
        '{"team":"red","cost_centre":"100"}',
        '{"team":"blue","cost_centre":"200"}',
    }
    assert by(asked("calls.parquet", "--by", "tags.team", "--metrics", "calls"), "tags.team")["red"] == 10


CONFIG = """\
tz: Asia/Tokyo
tags: [okay]
map:
  ts: when
  model: llm
  user: meta.uid
  latency_ms: took:s
join: people.csv:user
pricing: prices.yaml
"""


@pytest.fixture
def configured(log):
    """The log in a folder below the one with the configuration, which is the root of a repository."""
    root = Path.cwd()
    (root / ".git").mkdir()
    (root / "llmtel.yaml").write_text(CONFIG)
    row = "models: {openai: {gpt-4o-mini: {prices: [{input: 1, output: 2}]}}}\n"
    (root / "prices.yaml").write_text(row)
    return root / log


def test_the_configuration_is_found_above_and_every_answer_says_so(configured, monkeypatch, llmtel, asked):
    below = configured.parent / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    answer = asked("../../app.jsonl", "--by", "team", "--metrics", "calls,max_latency")
    assert by(answer, "tags.team") == {"red": 10, "blue": 5, None: 5}
    assert answer["tz"] == "Asia/Tokyo"
    assert answer["pricing"]["layers"][-1] == "../../prices.yaml"
    told = "configured by ../../llmtel.yaml: tz, tags, map, join, pricing"
    assert told in notes(answer)
    for command in (("calls",), ("ingest", "-o", "x.parquet"), ("inspect",)):
        code, out, err = llmtel(*command, "../../app.jsonl")
        assert code == 0, err
        assert told in " ".join(out.split())


def test_a_configuration_above_the_repository_is_not_this_one_s(configured, monkeypatch, llmtel):
    inner = configured.parent / "inner"
    (inner / ".git").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert llmtel("analyze", "../app.jsonl")[0] == 5


def test_options_win_over_the_configuration(configured, asked):
    answer = asked(configured, "--tz", "UTC", "--map", "user=gen.ai.use.case", "--by", "user")
    assert answer["tz"] == "UTC"
    assert set(by(answer, "user")) == {"f0", "f1"}


def test_a_configuration_can_be_named(log, asked):
    Path("other.yaml").write_text("map: {ts: when, model: llm}\n")
    answer = asked(log, "--config", "other.yaml", "--metrics", "calls")
    assert total(answer) == {"calls": 20}
    assert "configured by other.yaml: map" in notes(answer)


def test_a_rule_is_for_the_files_and_the_format_that_it_names(log, asked):
    Path("b.jsonl").write_text(json.dumps({"timestamp": "2026-09-01T10:00:00Z", "model": "m", "who": "x"}))
    rules = "map:\n- fields: {ts: when, model: llm, user: meta.uid}\n  files: app*.jsonl\n"
    Path("llmtel.yaml").write_text(rules + "- fields: {user: who}\n  format: generic\n  files: b.jsonl\n")
    answer = asked(log, "b.jsonl", "--by", "user", "--metrics", "calls")
    assert by(answer, "user") == {"u0": 5, "u1": 5, "u2": 5, "u3": 5, "x": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tz: UTC\nmapp: {user: a}", "llmtel.yaml:2: mapp: there is no key 'mapp'. Did you mean map?"),
        ("map:\n  usr: a", "llmtel.yaml:2: map > usr: there is no field 'usr'. Did you mean user?"),
        ("map:\n  latency_ms: a:x", "llmtel.yaml:2: map > latency_ms: there is no unit 'x'"),
        ("map:\n- files: a", "llmtel.yaml:2: map > 1: needs fields"),
        ("map:\n- fields: {user: a}\n  format: generc", "there is no format 'generc'. Did you mean generic?"),
        ("\ntz: Mars/Base", "llmtel.yaml:2: tz:"),
        ("tags: [1]", "llmtel.yaml:1: tags > 1: must be text"),
        ("join: [nobody.csv:user]", "llmtel.yaml:1: join > 1: cannot read the table nobody.csv"),
        ("tz: [", "no valid YAML"),
    ],
)
def test_a_mistake_in_the_configuration_has_its_line_and_what_was_meant(log, llmtel, text, said):
    Path("llmtel.yaml").write_text(text)
    code, out, err = llmtel("analyze", log)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_every_mistake_of_a_configuration_is_told_at_once(log, llmtel):
    Path("llmtel.yaml").write_text("tz: Mars\nmapp: 1\ntags: 1\n")
    _, _, err = llmtel("analyze", log)
    assert [part for part in ("llmtel.yaml:1", "llmtel.yaml:2", "llmtel.yaml:3") if part not in err] == []


def test_a_path_of_the_configuration_that_no_file_has_is_noted_not_refused(log, asked):
    Path("llmtel.yaml").write_text("map: {ts: when, model: llm, user: meta.uix}\n")
    answer = asked(log, "--metrics", "calls")
    assert total(answer) == {"calls": 20}
    assert any("no record looked at has meta.uix. Did you mean meta.uid?" in text for text in notes(answer))


def test_the_configuration_of_the_page_is_one_that_works(log, asked):
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
    Path("llmtel.yaml").write_text(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])
    Path("prices.yaml").write_text("models: {openai: {acme-7b: {prices: [{input: 1, output: 2}]}}}\n")
    answer = asked(log, "--by", "team", "--metrics", "calls,max_latency")
    assert by(answer, "tags.team") == {"red": 10, "blue": 5, None: 5}
    assert total(answer)["max_latency"] == 1900
    assert "configured by llmtel.yaml: tz, map, tags, join, pricing, store" in notes(answer)


TEAM = "models:\n  openai:\n    gpt-4o-mini:\n      prices:\n        - {input: 100, output: 100}\n"


@pytest.mark.usefixtures("runs")
def test_the_price_files_of_the_configuration_hold_for_every_command_about_prices(llmtel):
    Path("team.yaml").write_text(TEAM.replace("output: 100", "output: 1"))
    Path("llmtel.yaml").write_text("pricing: team.yaml\n")
    _, out, _ = llmtel("pricing", "check")
    assert "team.yaml:5: warning: openai/gpt-4o-mini: output 1 is cheaper than input 100" in " ".join(
        out.split()
    )
    code, _, err = llmtel("pricing", "add", "openai/gpt-4o-mini=1/2", "--from", "2026-12-01")
    assert code == 2
    assert "--to team.yaml" in err
    assert (
        llmtel("pricing", "add", "openai/gpt-4o-mini=1/2", "--from", "2026-12-01", "--to", "team.yaml")[0]
        == 0
    )
    assert "2026-12-01" in Path("team.yaml").read_text()


@pytest.mark.usefixtures("runs")
def test_a_factor_of_the_configuration_is_the_one_that_calibrate_compares_with(llmtel):
    Path("team.yaml").write_text("tokenizers: {claude: {base: o200k_base, factor: 1.5}}\n")
    Path("llmtel.yaml").write_text("pricing: team.yaml\nmap: {output_text: made}\n")
    line = {"timestamp": "2026-09-01T10:00:00Z", "model": "claude-sonnet-4-5", "latency_ms": 5, "made": 7}
    Path("log.jsonl").write_text(json.dumps({**line, "prompt": "Hello there", "completion": "Hello"}) + "\n")
    [row] = json.loads(llmtel("calibrate", "log.jsonl", "--format", "json")[1])["tables"][0]["rows"]
    assert (row["current"], row["logged"]) == (1.5, 7)


@pytest.mark.usefixtures("runs")
def test_a_bill_is_compared_at_the_prices_and_with_the_names_of_the_configuration(llmtel):
    Path("team.yaml").write_text(TEAM.replace("openai:", "openrouter:").replace("gpt", "openai/gpt"))
    Path("llmtel.yaml").write_text("pricing: team.yaml\nmap: {input_uncached: sent, output_text: got}\n")
    line = {
        "timestamp": "2026-09-01T10:00:00Z",
        "model": "openai/gpt-4o-mini",
        "provider": "openrouter",
        "latency_ms": 5,
    }
    Path("log.jsonl").write_text(json.dumps({**line, "sent": 900_000, "got": 100_000}) + "\n")
    Path("bill.csv").write_text(
        "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n"
        "2026-09-01 00:00:00,openai/gpt-4o-mini,100,0,1,900000,100000,0\n"
    )
    answer = json.loads(llmtel("reconcile", "log.jsonl", "--with", "bill.csv", "--format", "json")[1])
    assert answer["pricing"]["layers"] == ["pricing.yaml", "team.yaml"]
    assert answer["tables"][0]["rows"][0]["cost_computed"] == pytest.approx(100)
