"""Every format proves itself by the sample beside it."""

import ast
import codecs
import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.errors import UnreadableInput
from llmtel.core.schema import FIELDS, LEAVES
from llmtel.sources import detect, formats, maps
from llmtel.sources.formats import sources
from llmtel.sources.maps import Rule

SOURCES = list(sources().values())
NAMES = [source.name for source in SOURCES]


def records_of(source):
    if source.layout == "csv":
        return list(csv.DictReader(io.StringIO(source.sample), strict=True))
    return [json.loads(line) for line in source.sample.strip().split("\n")]


@pytest.fixture
def sample(tmp_path):
    def write(source, data=None):
        path = tmp_path / "sample.log"
        path.write_bytes(source.sample.encode() if data is None else data)
        return str(path)

    return write


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_sample_is_claimed_by_its_own_format_alone(source):
    claims = {detect.claimant(record, source.layout) for record in records_of(source)}
    # an application's line about a failed call has no body in it: it looks like any log's
    assert claims - ({"generic"} if source.family else set()) == {source.name}


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_sample_gives_exactly_the_calls_that_are_expected(source, sample):
    reading = pipeline.read([sample(source)])
    rows = reading.calls.with_columns(pl.col(pl.Categorical).cast(pl.String)).to_dicts()
    assert len(rows) == len(source.expect)
    for row, expected in zip(rows, source.expect, strict=True):
        assert {name: row[name] for name in expected} == expected
        assert row["format"] == source.name
    assert reading.account.balance() == 0


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_byte_order_mark_before_a_sample_changes_nothing(source, sample):
    data = source.sample.encode()
    plain, marked = (pipeline.read([sample(source, mark + data)]) for mark in (b"", codecs.BOM_UTF8))
    assert marked.calls.equals(plain.calls)


@pytest.mark.parametrize(
    "name",
    [
        "azure_openai", "bedrock_converse", "cloudflare_logpush", "copilot_cli", "droid", "helicone",
        "inspect_ai", "litellm", "openai_dashboard", "otlp",
    ],
)  # fmt: skip
def test_what_is_known_of_no_log_and_no_documentation_is_said_where_formats_are_listed(name):
    assert "unverified" in sources()[name].help


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_mapping_gives_fields_and_nothing_else(source):
    bound = source.bind(records_of(source), source) if source.bind else source
    assert {name for name in bound.calls if not name.startswith("@")} <= set(FIELDS)


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_sample_cut_at_any_byte_is_read_or_refused_in_words(source, sample):
    data = source.sample.encode()
    for end in range(0, len(data), max(1, len(data) // 15)):
        try:
            reading = pipeline.read([sample(source, data[:end])])
        except UnreadableInput as refusal:
            assert "nothing could be read" in str(refusal)  # noqa: PT017 (either way is right)
        else:
            assert reading.account.balance() == 0
            assert reading.account.calls <= len(source.expect)


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_input_format_overrides_what_a_file_looks_like(source, sample):
    reading = pipeline.read([sample(source)], input_format=source.name)
    assert reading.account.calls == sum(row.get("request_count") != 0 for row in source.expect)


def declarations(path):
    """The lines of each format declared in a file, without its sample and what is expected of it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Source", "replace"):
            proof = [one for one in node.keywords if one.arg in ("sample", "expect")]
            lines = node.end_lineno - node.lineno + 1 - sum(p.end_lineno - p.lineno + 1 for p in proof)
            yield lines, proof


@pytest.mark.parametrize("path", sorted(Path(formats.__path__[0]).glob("[!_]*.py")), ids=lambda p: p.stem)
def test_a_format_stays_within_a_page(path):
    found = list(declarations(path))
    assert any(proof for _, proof in found)
    assert max(lines for lines, _ in found) <= 60
    assert len(path.read_text().splitlines()) <= 115


def tied():
    codex, generic = sources()["codex"], sources()["generic"]
    return "\n".join(codex.sample.strip().split("\n")[:2] + generic.sample.strip().split("\n")) + "\n"


def test_a_tie_between_two_formats_names_both(tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_text(tied())
    with pytest.raises(UnreadableInput, match=r"(codex and generic|generic and codex) claim as many records"):
        pipeline.read([str(path)])


def test_a_tied_file_does_not_keep_the_others_from_being_read(tmp_path):
    (tmp_path / "a.jsonl").write_text(tied())
    (tmp_path / "b.jsonl").write_text(sources()["claude_code"].sample)
    account = pipeline.read([str(tmp_path)]).account
    assert (account.calls, account.files_rejected) == (1, 1)


@pytest.mark.parametrize(
    ("wanted", "given", "words"),
    [
        ("generic_csv", "generic", "reads CSV; this is JSON"),
        ("generic", "azure_trace", "reads JSON; this is CSV"),
    ],
)
def test_a_format_of_another_layout_is_refused_in_words(sample, wanted, given, words):
    with pytest.raises(UnreadableInput, match=words):
        pipeline.read([sample(sources()[given])], input_format=wanted)


def test_a_minority_of_records_of_another_format_is_told(tmp_path):
    path = tmp_path / "mixed.jsonl"
    stray = sources()["codex"].sample.split("\n", maxsplit=1)[0]
    path.write_text(sources()["generic"].sample + stray + "\n")
    reading = pipeline.read([str(path)])
    assert [note.kind for note in reading.notes] == ["unit", "minority", "input_total_only"]
    assert "1 of its first 3 records looks like codex" in reading.notes[1].text


def test_bodies_of_several_providers_in_one_file_are_each_read_by_their_own_format(tmp_path):
    path = tmp_path / "bodies.jsonl"
    bodies = [
        sources()[name].sample.split("\n")[0]
        for name in ("anthropic_messages", "anthropic_messages", "openai_responses")
    ]
    bodies[1] = bodies[1].replace("msg_1", "msg_2")
    path.write_text("\n".join(bodies) + "\n")
    formats = pipeline.read([str(path)]).calls["format"].cast(pl.String).to_list()
    assert sorted(formats) == ["anthropic_messages", "anthropic_messages", "openai_responses"]


@pytest.mark.parametrize("name", ["generic", "anthropic_claude_code", "simonw_llm"])
@pytest.mark.parametrize("indent", [None, 1])
def test_pages_of_an_interface_one_after_the_other_are_read_like_the_records_in_them(tmp_path, name, indent):
    records = [json.loads(line) for line in sources()[name].sample.splitlines()]
    pages = [{"data": records[:1], "has_more": True}, {"data": records[1:], "has_more": False}]
    paths = [tmp_path / "records.jsonl", tmp_path / "pages.jsonl"]
    paths[0].write_text("".join(json.dumps(record) + "\n" for record in records))
    paths[1].write_text("".join(json.dumps(page, indent=indent) + "\n" for page in pages))
    plain, paged = (pipeline.read([str(path)]) for path in paths)
    assert paged.inputs[0].format == name
    places = ("file", "line")
    assert paged.calls.drop(places).rows() == plain.calls.drop(places).rows()


def test_pages_whose_records_no_format_claims_are_named_by_their_own_keys(tmp_path):
    path = tmp_path / "talks.jsonl"
    path.write_text('{"id":1,"turns":[{"who":"me"}]}\n' * 2)
    with pytest.raises(UnreadableInput, match="the keys id, turns: no format claims them"):
        pipeline.read([str(path)])


def test_a_line_beside_wrapped_bodies_that_tells_of_no_call_is_other(tmp_path):
    path = tmp_path / "app.jsonl"
    event = '{"timestamp":"2026-09-01T09:59:00Z","event":"started","version":"1.2"}\n'
    answered = sources()["openai_chat"].sample.split("\n", maxsplit=1)[0]
    path.write_text(event + answered + "\n")
    account = pipeline.read([str(path)], input_format="openai_chat").account
    assert (account.calls, account.other) == (1, 1)


@pytest.mark.parametrize("name", ["@timestamp", "createdAt", "startTime", "date", "logged_at"])
@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 100, "completion_tokens": 20},
        {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 0},
        {"inputTokens": 100, "outputTokens": 20},
    ],
)
def test_an_applications_line_is_no_providers_answer_however_its_time_and_its_counts_are_called(
    tmp_path, name, usage
):
    path = tmp_path / "app.jsonl"
    line = {name: "2026-09-01T10:00:00Z", "modelName": "m", "userId": "u", "usage": usage}
    path.write_text(json.dumps(line) + "\n")
    (row,) = pipeline.read([str(path)]).calls.to_dicts()
    assert row["format"] == "generic"
    assert (row["model"], row["user"], row["provider"]) == ("m", "u", None)
    assert (row["input_uncached"], row["output_text"]) == (100, 20)


def test_an_applications_failed_call_is_its_own_where_its_time_is_called_otherwise(tmp_path):
    path = tmp_path / "app.jsonl"
    line = {"@timestamp": "2026-09-01T10:00:00Z", "model": "m", "error": {"message": "rate limit"}}
    path.write_text(json.dumps(line) + "\n")
    (row,) = pipeline.read([str(path)]).calls.to_dicts()
    assert (row["format"], row["model"], row["error"]) == ("generic", "m", "rate_limit")
    assert str(row["ts"]).startswith("2026-09-01 10:00:00")


@pytest.mark.parametrize("spoilt", ["", "not JSON\n"])
def test_a_key_that_begins_with_an_at_sign_is_read_like_any_other(tmp_path, spoilt):
    path = tmp_path / "app.jsonl"
    line = {"@timestamp": "2026-09-01T10:00:00Z", "@model": "m", "prompt_tokens": 5, "@user": "u"}
    path.write_text(json.dumps(line) + "\n" + spoilt)
    rules = (Rule((maps.mapped("user", "@user"), maps.mapped("model", "@model"))),)
    calls = pipeline.read([str(path)], rules=rules).calls
    assert calls.select("model", "user").rows() == [("m", "u")]
    (tmp_path / "app.csv").write_text("@timestamp,model,prompt_tokens\n2026-09-01T10:00:00Z,m,5\n")
    assert pipeline.read([str(tmp_path / "app.csv")]).calls["ts"].null_count() == 0


def test_an_id_of_a_response_is_one_also_beside_the_id_of_the_request(tmp_path):
    path = tmp_path / "app.jsonl"
    line = {"timestamp": "2026-09-01T10:00:00Z", "model": "m", "request_id": "req_1", "id": "msg_1"}
    path.write_text(json.dumps(line) + "\n")
    calls = pipeline.read([str(path)]).calls
    assert calls.select("call_id", "response_id").rows() == [("req_1", "msg_1")]


@pytest.mark.parametrize("name", ["tokens", "total_tokens"])
def test_a_number_of_tokens_that_is_neither_input_nor_output_is_not_read_and_told(tmp_path, name):
    path = tmp_path / "app.jsonl"
    path.write_text(json.dumps({"timestamp": "2026-09-01T10:00:00Z", "model": "m", name: 120}) + "\n")
    reading = pipeline.read([str(path)])
    assert reading.calls.select(LEAVES).row(0) == (None,) * len(LEAVES)
    assert f"{name} is not read: it does not tell input from output" in reading.notes[0].text


def test_a_total_beside_a_providers_answer_is_nothing_to_tell(tmp_path):
    path = tmp_path / "app.jsonl"
    path.write_text(json.dumps({"tokens": 140, **records_of(sources()["openai_chat"])[0]}) + "\n")
    reading = pipeline.read([str(path)])
    assert not any("tokens is not read" in note.text for note in reading.notes)


@pytest.mark.parametrize(
    ("more", "told"),
    [({}, 1), ({"cached_tokens": 3}, 0), ({"cost_usd": 0.1}, 0), ({"prompt_tokens": None}, 0)],
)
def test_a_log_that_does_not_tell_cached_input_says_that_its_cost_is_an_upper_bound(tmp_path, more, told):
    path = tmp_path / "app.jsonl"
    line = {
        "timestamp": "2026-09-01T10:00:00Z",
        "model": "gpt-4o",
        "prompt_tokens": 9,
        "completion_tokens": 1,
    }
    path.write_text(json.dumps(line | more) + "\n")
    notes = [note.text for note in pipeline.read([str(path)]).notes if note.kind == "input_total_only"]
    said = "1 record does not say how much of the input was cached: its cost is an upper bound"
    assert notes == [said] * told


@pytest.mark.parametrize("text", ["[]", "[\n]\n", ""])
def test_an_array_of_nothing_is_as_empty_as_an_empty_file(tmp_path, text):
    path = tmp_path / "none.json"
    path.write_text(text)
    reading = pipeline.read([str(path)])
    assert (reading.account.calls, reading.account.rejected, reading.account.files_rejected) == (0, 0, 0)
