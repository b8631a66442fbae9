"""`llmtel inspect` of a log that no format claims: a mapping to paste, with its doubts."""

import json
import re
import shlex
from pathlib import Path

import pytest

from llmtel.sources.formats import sources


def call(n):
    """A call of an application that has its own words for everything."""
    return {
        "begun": f"2026-09-0{1 + n % 9}T10:00:00Z",
        "engine_used": "claude-sonnet-4-5" if n % 2 else "gpt-5-mini",
        "ai": {"prompt_toks": 100 + n, "completion_toks": 5 + n, "cached_toks": 3},
        "timing": {"took_sec": 0.5 * n},
        "member": {"id.x": f"m{n % 3}"},
        "question": "what people wrote, at length, " * 9,
        "okay": n % 5 != 0,
        "cents": n,
    }


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Thirty of them, in the current folder."""
    monkeypatch.chdir(tmp_path)
    write(call)
    return "own.jsonl"


def write(make):
    Path("own.jsonl").write_text("".join(json.dumps(make(n)) + "\n" for n in range(30)))


@pytest.fixture
def proposal(log, llmtel):
    """The proposal of `llmtel inspect`, by field, after the log was written anew by `make`."""

    def ask(make=None):
        if make is not None:
            write(make)
        _, out, _ = llmtel("inspect", log, "--format", "json")
        return {one["field"]: one for one in json.loads(out)["proposal"]}

    return ask


def section(out):
    """The YAML that a person would copy from what is printed."""
    lines = out.splitlines()
    start = lines.index("  map:")
    end = next(i for i in range(start, len(lines)) if not lines[i])
    return "\n".join(line[2:] for line in lines[start:end]) + "\n"


def test_every_fact_of_the_log_is_found_with_its_unit_and_a_reason(proposal):
    found = proposal()
    assert {name: one["path"] for name, one in found.items()} == {
        "ts": "begun",
        "model": "engine_used",
        "input_tokens": "ai.prompt_toks",
        "output_tokens": "ai.completion_toks",
        "cache_read": "ai.cached_toks",
        "latency_ms": "timing.took_sec:s",
        "user": "member.id\\.x",
        "status": "okay",
        "cost_logged": "cents:cents",
    }
    assert found["model"]["reason"] == "named engine, names of models"
    assert "the name says s" in found["latency_ms"]["reason"]


def test_the_section_can_be_pasted_and_reads_the_log(log, llmtel):
    code, out, _ = llmtel("inspect", log)
    assert code == 0
    Path("llmtel.yaml").write_text(section(out))
    _, out, err = llmtel(
        "analyze", log, "--metrics", "calls,input_tokens,max_latency,errors", "--format", "json"
    )
    assert err == ""
    row = json.loads(out)["tables"][0]["rows"][0]
    assert row == {
        "calls": 30,
        "input_tokens": sum(100 + n for n in range(30)),
        "max_latency": 14_500,
        "errors": 6,
    }


def test_the_command_can_be_pasted_too(log, llmtel):
    finding = json.loads(llmtel("inspect", log, "--format", "json")[1])["findings"][0]
    assert llmtel(*shlex.split(finding["command"])[1:])[0] == 0


def test_two_paths_that_may_be_the_user_are_both_shown(proposal, log, llmtel):
    found = proposal(lambda n: {**call(n), "owner": f"o{n}"})
    assert {found["user"]["path"], *(other["path"] for other in found["user"]["others"])} == {
        "member.id\\.x",
        "owner",
    }
    _, out, _ = llmtel("inspect", log)
    assert "more than one reading fits user" in out
    assert "  # user:" in out


def test_a_duration_whose_unit_nothing_tells_is_proposed_in_both(proposal):
    found = proposal(lambda n: {**call(n), "timing": {"wait": 1 + n % 3}})["latency_ms"]
    assert (found["path"], found["others"][0]["path"]) == ("timing.wait", "timing.wait:s")
    assert "nothing tells" in found["reason"]


def test_what_people_wrote_is_neither_proposed_nor_printed(proposal, log, llmtel):
    assert "question" not in [one["path"] for one in proposal().values()]
    assert "at length" not in llmtel("inspect", log)[1]


def test_what_a_call_needs_and_nothing_looks_like_is_said(log, llmtel):
    write(lambda n: {key: value for key, value in call(n).items() if key != "begun"})
    code, out, _ = llmtel("inspect", log)
    assert code == 5
    assert "nothing looks like a time (ts)" in out


def test_a_file_with_nothing_of_a_call_is_refused_as_by_every_command(log, llmtel):
    Path(log).write_text('{"a": 1}\n')
    code, out, err = llmtel("inspect", log)
    assert (code, out) == (5, "")
    assert "no format claims it, and no key of its record looks like one of a call" in err


def test_hostile_keys_stay_one_line_of_yaml_and_of_the_terminal(log, llmtel):
    key = 'mod\n  el: "#\x1b[31m'
    write(lambda n: {**call(n), "engine_used": None, key: "gpt-5-mini"})
    code, out, _ = llmtel("inspect", log)
    assert code == 0
    assert "\x1b" not in out
    Path("llmtel.yaml").write_text(section(out))
    code, out, err = llmtel("analyze", log, "--by", "model", "--metrics", "calls", "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)["tables"][1]["rows"] == [{"model": "gpt-5-mini", "calls": 30}]


def test_a_table_is_judged_like_records(tmp_path, monkeypatch, llmtel):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"2026-09-01 10:00:0{n},gpt-4o,{n * 10},{n + 0.5}" for n in range(9))
    Path("t.csv").write_text(f"begun at,LLM,Prompt Toks,took\n{rows}\n")
    out = json.loads(llmtel("inspect", "t.csv", "--format", "json")[1])
    assert {one["field"]: one["path"] for one in out["proposal"]} == {
        "ts": "begun at",
        "model": "LLM",
        "input_tokens": "Prompt Toks",
        "latency_ms": "took:s",
    }


def test_numbers_below_the_name_of_a_model_are_no_models(proposal):
    found = proposal(lambda n: {"at": "2026-09-01T10:00:00Z", "llm": {"name": "gpt-5", "given": n, "ttl": n}})
    assert (found["model"]["path"], found["model"]["others"]) == ("llm.name", [])


def known(n):
    return {
        "timestamp": "2026-09-01T10:00:00Z", "model": "gpt-5", "prompt_tokens": n, "latency_ms": n,
        "who": {"uid": f"u{n}"}, "wall": {"duration": n}, "tok": {"prompt_tokens": 3},
    }  # fmt: skip


def test_of_a_log_that_a_format_claims_unread_keys_that_look_like_unknown_fields_are_told(log, llmtel):
    write(known)
    code, out, _ = llmtel("inspect", log)
    assert code == 0
    perhaps = [line for line in out.splitlines() if line.strip().startswith("perhaps")]
    assert [line.split("  ")[2] for line in perhaps] == ["--map user=who.uid"]
    assert llmtel("analyze", log, "--map", "user=who.uid", "--by", "user")[0] == 0


def test_inspect_names_the_marks_that_the_records_bear_and_no_others(log, llmtel):
    Path(log).write_text('{"type":"summary","summary":"x","leafUuid":"a"}\n')
    assert "known by  leafUuid and type is summary\n" in llmtel("inspect", log)[1]


def test_of_many_names_for_a_field_inspect_shows_those_that_the_file_has(log, llmtel):
    usage = {"prompt_tokens": 5, "cached_tokens": 2, "completion_tokens": 1}
    write(lambda _: {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-5", "duration": [], **usage})
    _, out, _ = llmtel("inspect", log, "--format", "json")
    mapping = json.loads(out)["files"][0]["mapping"]
    assert mapping.pop("input_uncached") == ["prompt_tokens", "cached_tokens"]
    assert {name: paths for name, (*paths,) in mapping.items()} == {
        "ts": ["timestamp"], "model": ["model"], "cache_read": ["cached_tokens"],
        "output_text": ["completion_tokens"],
    }  # fmt: skip


def test_paths_that_lead_into_records_inside_a_file_are_said_to(log, llmtel):
    Path(log).write_text(sources()["langfuse"].sample)
    assert "mapping of the records inside own.jsonl" in llmtel("inspect", log)[1]


def test_a_field_that_no_record_looked_at_has_is_shown_where_a_call_knows_it(log, llmtel):
    call = '{"timestamp":"2026-09-01T10:00:00Z","model":"gpt-5","prompt_tokens":1}\n'
    Path(log).write_text(call * 2000 + call.replace('"model"', '"status_code":429,"model"'))
    _, out, _ = llmtel("inspect", log, "--format", "json")
    assert json.loads(out)["files"][0]["mapping"]["http_status"] == ["status_code"]


def test_words_that_say_neither_good_nor_bad_and_a_total_of_seconds_are_not_proposed(proposal):
    found = proposal(lambda n: {**call(n), "okay": "fine" if n % 2 else "broken", "total_elapsed": n})
    assert "status" not in found
    assert "total_tokens" not in found


def test_records_in_the_only_list_of_an_object_are_found_and_read(log, llmtel):
    page = {"meta": {"v": 1}, "records": [call(n) for n in range(30)], "errors": []}
    Path(log).write_text(json.dumps(page))
    code, out, _ = llmtel("inspect", log)
    assert (code, "judged by the names and values in 30 records" in out) == (0, True)
    Path("llmtel.yaml").write_text(section(out))
    _, out, _ = llmtel("analyze", log, "--metrics", "calls,errors", "--format", "json")
    assert json.loads(out)["tables"][0]["rows"] == [{"calls": 30, "errors": 6}]


def test_an_object_with_two_lists_of_objects_is_not_guessed_at(log, llmtel):
    Path(log).write_text(json.dumps({"a": [call(1)], "b": [call(2)]}, indent=1))
    assert llmtel("inspect", log)[0] == 5


@pytest.mark.parametrize("indent", [1, None])
def test_a_document_that_was_cut_is_told_where_it_ends(log, llmtel, indent):
    Path(log).write_text(json.dumps([call(1), call(2)], indent=indent)[:-40])
    code, _, err = llmtel("inspect", log)
    assert code == 5
    assert "not JSON to its end: unexpected end of data: line " in err


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_inspect_of_an_empty_file_says_that_it_is_empty(tmp_path, monkeypatch, llmtel, content):
    monkeypatch.chdir(tmp_path)
    Path("quiet.jsonl").write_text(content)
    code, out, _ = llmtel("inspect", "quiet.jsonl")
    assert (code, "quiet.jsonl is empty: there is no record in it" in out) == (0, True)
    assert "store" not in out


def test_objects_without_a_key_are_called_what_they_are(tmp_path, llmtel):
    (tmp_path / "void.jsonl").write_text("{}\n{}\n")
    code, _, err = llmtel("analyze", tmp_path / "void.jsonl")
    assert (code, "JSON objects without any key: no format claims them" in err) == (5, True)


def test_a_path_is_shown_as_it_is_written_also_where_it_begins_with_an_at_sign(tmp_path, llmtel):
    path = tmp_path / "app.jsonl"
    path.write_text('{"@timestamp":"2026-09-01T10:00:00Z","model":"m","prompt_tokens":5}\n')
    out = llmtel("inspect", str(path))[1]
    assert re.search(r"ts +@timestamp\n", out)


def test_keys_that_look_like_no_field_are_named_beside_the_proposal(tmp_path, monkeypatch, llmtel):
    monkeypatch.chdir(tmp_path)
    Path("odd.csv").write_text("Zeitpunkt,Modell,Dauer_ms,Eingabe\n2026-09-01T10:00:00Z,gpt-4o,500,12\n")
    assert "not proposed  Eingabe" in llmtel("inspect", "odd.csv")[1]
    many = {f"field{n}": "x" for n in range(20)}
    Path("odd.jsonl").write_text(json.dumps({"begun": "2026-09-01T10:00:00Z", "engine": "gpt-4o", **many}))
    assert "and 8 more" in " ".join(llmtel("inspect", "odd.jsonl")[1].split())
