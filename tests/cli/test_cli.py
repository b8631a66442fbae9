"""The command line: options become answers, mistakes become sentences, exit codes tell what happened."""

import errno
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from llmtel.cli import app, narration
from llmtel.cli.answering import Question
from llmtel.cli.app import run
from llmtel.cli.commands import GROUPS
from llmtel.cli.machine import agent_folders
from llmtel.cli.telling import words

ROOT = Path(__file__).parents[2]


def line(n, **fields):
    record = {
        "timestamp": f"2026-09-{1 + n % 9:02d}T10:00:00Z",
        "request_id": f"r{n}",
        "model": "gpt-4o-mini",
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "latency_ms": 100 * (n + 1),
        "feature": "chat" if n % 2 else "search",
        **fields,
    }
    return json.dumps(record) + "\n"


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """A folder with a log of ten calls, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("calls.jsonl").write_text("".join(map(line, range(10))))
    return "calls.jsonl"


def process(*arguments, **options):
    command = [sys.executable, "-m", "llmtel", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, **options)  # noqa: S603


def test_the_overview_is_printed_without_being_asked_for_anything(logs, llmtel):
    code, out, err = llmtel("analyze", logs)
    assert (code, err) == (0, "")
    assert "10 calls" in out
    assert "\x1b" not in out


def test_json_is_versioned_and_its_first_table_is_the_total(logs, llmtel):
    _, out, _ = llmtel("analyze", logs, "--by", "feature", "--format", "json")
    answer = json.loads(out)
    assert answer["schema"] == "llmtel.analyze/1"
    assert [table["by"] for table in answer["tables"]] == [[], ["feature"]]
    assert answer["input"]["calls"] == 10
    assert answer["range"] == ["2026-09-01T10:00:00+00:00", "2026-09-09T10:00:00+00:00"]
    assert answer["pricing"]["cost_source"] == "auto"


def test_by_twice_is_two_tables_and_a_comma_is_one_over_both(logs, llmtel):
    _, out, _ = llmtel(
        "analyze", logs, "--by", "feature", "--by", "day,model", "--metrics", "calls", "--format", "json"
    )
    assert [table["by"] for table in json.loads(out)["tables"]] == [[], ["feature"], ["day", "model"]]


def test_conditions_and_ranges_narrow_the_calls(logs, llmtel):
    where = ("--where", "feature=chat latency_ms>300ms", "--since", "2026-09-03", "--until", "2026-09-08")
    _, out, _ = llmtel("analyze", logs, "--metrics", "calls", "--format", "json", *where)
    answer = json.loads(out)
    assert answer["tables"][0]["rows"] == [{"calls": 3}]
    assert answer["without_time"] == 0


def test_a_condition_may_be_written_with_blanks_and_ask_for_any_tag(logs, llmtel):
    Path(logs).write_text(line(1, tags={"my team": "red"}) + line(2, tags={"my team": "blue"}))
    where = """model = gpt-4o-mini and "tags.my team" != 'red'"""
    _, out, _ = llmtel("analyze", logs, "--metrics", "calls", "--format", "json", "--where", where)
    assert json.loads(out)["tables"][0]["rows"] == [{"calls": 1}]


def test_a_tag_can_be_split_by(logs, llmtel):
    Path(logs).write_text(line(1, tags={"team": "red"}) + line(2, tags={"team": "blue"}))
    _, out, _ = llmtel("analyze", logs, "--by", "tags.team", "--metrics", "calls", "--format", "json")
    rows = json.loads(out)["tables"][1]["rows"]
    assert sorted(row["tags.team"] for row in rows) == ["blue", "red"]


def test_a_price_given_in_the_command_prices_a_model(logs, llmtel):
    Path(logs).write_text(line(1, model="acme-7b"))
    _, out, _ = llmtel("analyze", logs, "--price", "acme-7b=0.2/0.6", "--metrics", "cost", "--format", "json")
    assert json.loads(out)["tables"][0]["rows"][0]["cost"] == pytest.approx(0.0002 + 0.0003)


def test_a_price_that_prices_no_call_is_noted(logs, llmtel):
    _, out, _ = llmtel("analyze", logs, "--price", "gpt-4o-mini=1/2,gpt4o-mini=1/2", "--format", "json")
    noted = [note["text"] for note in json.loads(out)["notes"] if "cached" not in note["text"]]
    assert noted == ["--price gpt4o-mini=1/2: no call is of this model; there is gpt-4o-mini"]


def test_the_stanza_of_an_unpriced_model_can_be_used_as_it_is(logs, llmtel):
    Path(logs).write_text(line(1, model="gpt-4o-mini-turbo"))
    _, out, _ = llmtel("analyze", logs, "--format", "json")
    (found,) = [f for f in json.loads(out)["findings"] if f["kind"] == "unpriced"]
    Path("mine.yaml").write_text(found["evidence"]["models"][0]["alias"])
    _, out, _ = llmtel(
        "analyze", logs, "--pricing", "mine.yaml", "--metrics", "unpriced_calls", "--format", "json"
    )
    assert json.loads(out)["tables"][0]["rows"] == [{"unpriced_calls": 0}]


def test_the_commands_of_findings_work_when_pasted(logs, llmtel):
    Path(logs).write_text("".join(line(n, model="acme 7b") for n in range(10)) + "{oops}\n")
    _, out, _ = llmtel("analyze", logs, "--format", "json")
    commands = [f["command"] for f in json.loads(out)["findings"] if f["command"]]
    assert len(commands) >= 2
    for command in commands:
        done = subprocess.run(  # noqa: S602 (it is what a person would do)
            command.replace("llmtel ", f"{sys.executable} -m llmtel ", 1),
            shell=True,
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--by", "modle"], "there is no dimension 'modle'. Did you mean model?"),
        (["--metrics", "p95_latncy"], "there is no metric 'p95_latncy'. Did you mean p95_latency?"),
        (["--metrics", "p95"], "Did you mean p95_latency, p95_ttft, p95_input_tokens or p95_output_tokens?"),
        (["--by", "version"], "Did you mean prompt_version?"),
        (["--input-format", "openai"], "openai_batch"),
        (["--where", "featur=x"], "Did you mean feature?"),
        (["--tz", "Europe/Berln"], "Did you mean Europe/Berlin?"),
        (["--since", "last week"], "not a time"),
        (["--price", "acme"], "acme"),
        (["--pricing", "none.yaml"], "none.yaml"),
        (["--input-format", "opnai_chat"], "opnai_chat"),
        (["--top", "0"], "invalid value for '--top': greater than or equal to 1."),
        (["--format", "xml"], "invalid value for '--format': 'xml' is not one of 'table', 'markdown'"),
        (["--nonsense"], "--nonsense"),
        (["-o", "no/such/folder/a.txt"], "cannot write no/such/folder/a.txt: there is no such folder"),
        (["-o", "."], "cannot write .: it is a folder"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(logs, llmtel, arguments, sentence):
    code, out, err = llmtel("analyze", logs, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("llmtel: ")
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("logs")
def test_a_path_that_is_not_there_is_a_usage_error(llmtel):
    code, _, err = llmtel("analyze", "nowhere.jsonl")
    assert code == 2
    assert "nowhere.jsonl" in err


def test_a_mistake_in_a_name_is_told_before_anything_is_read(llmtel):
    code, _, err = llmtel("analyze", "nowhere.jsonl", "--by", "modle")
    assert (code, "modle" in err) == (2, True)


@pytest.mark.usefixtures("logs")
def test_a_file_that_nobody_claims_cannot_be_read(llmtel):
    Path("notes.bin").write_bytes(b"\x7fELF" + bytes(range(256)))
    code, out, err = llmtel("analyze", "notes.bin")
    assert (code, out) == (5, "")
    assert "notes.bin" in err


@pytest.mark.usefixtures("logs")
def test_an_empty_folder_cannot_be_read(llmtel):
    Path("empty").mkdir()
    assert llmtel("analyze", "empty")[0] == 5


@pytest.mark.usefixtures("logs")
def test_an_empty_file_is_fine_and_says_so(llmtel):
    Path("empty.jsonl").touch()
    code, out, _ = llmtel("analyze", "empty.jsonl")
    assert code == 0
    assert "no calls" in out


def test_usage_comes_before_unreadable_and_unreadable_before_strict(logs, llmtel):
    Path("bad.jsonl").write_text("{oops}\n")
    assert llmtel("analyze", "bad.jsonl", "nowhere", "--strict")[0] == 2
    assert llmtel("analyze", "bad.jsonl", "--strict")[0] == 5
    assert llmtel("analyze", "bad.jsonl", logs, "--strict")[0] == 4
    assert llmtel("analyze", "bad.jsonl", logs)[0] == 0


def test_rejects_are_listed_when_asked_for(logs, llmtel):
    Path(logs).write_text("".join(map(line, range(10))) + "{oops}\n" * 9)
    few = llmtel("analyze", logs)[1].count("calls.jsonl:")
    every = llmtel("analyze", logs, "--rejects")[1].count("calls.jsonl:")
    assert (few, every) == (5, 9)


def test_an_answer_goes_to_a_file(logs, llmtel):
    code, out, _ = llmtel("analyze", logs, "--format", "csv", "--by", "feature", "-o", "out.csv")
    assert (code, out) == (0, "")
    assert Path("out.csv").read_text().count("\n") >= 3
    assert not list(Path().glob(".out*"))


def test_an_answer_to_a_device_or_through_a_link_leaves_both_what_they_are(logs, llmtel):
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    Path("link").symlink_to("answer.parquet")
    assert llmtel("ingest", logs, "-o", "link")[0] == 0
    assert Path("link").is_symlink()
    assert Path("answer.parquet").read_bytes().startswith(b"PAR1")
    assert llmtel("ingest", logs, "-o", "pipe")[0] == 0
    assert Path("pipe").is_fifo()
    assert os.read(reader, 4) == b"PAR1"
    os.close(reader)


@pytest.mark.parametrize("command", ["analyze", "ingest"])
def test_a_file_on_a_full_disk_is_named(logs, llmtel, monkeypatch, command):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert llmtel(command, logs, "-o", "out") == (1, "", "llmtel: no space left to write out\n")


@pytest.mark.parametrize("command", ["analyze", "ingest"])
def test_an_ingest_says_why_it_cannot_write_as_analyze_does(logs, llmtel, command):
    code, _, err = llmtel(command, logs, "-o", "no/such/folder/a")
    assert (code, err) == (2, "llmtel: cannot write no/such/folder/a: there is no such folder\n")


def test_closed_streams_are_no_error(logs):
    command = f'exec "{sys.executable}" -m llmtel analyze {logs} -o out.txt <&- >&- 2>&-'
    done = subprocess.run(  # noqa: S603 (our own program)
        ["/bin/sh", "-c", command], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0
    assert "10 calls" in Path("out.txt").read_text()


def test_an_interrupt_is_one_line_and_exit_code_130(logs, llmtel, monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("llmtel.cli.output.write", interrupted)
    assert llmtel("analyze", logs) == (130, "", "llmtel: stopped\n")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert llmtel("analyze", logs) == (130, "", "\r\x1b[Kllmtel: stopped\n")


def test_what_a_command_lacks_is_said_on_one_line(llmtel):
    assert llmtel("list")[2] == (
        "llmtel: missing argument 'WHAT'. Choose from: metrics, dimensions, fields, formats, redactions. "
        "See: llmtel list --help\n"
    )


def test_calls_are_listed_with_file_and_line(logs, llmtel):
    _, out, _ = llmtel("calls", logs, "--where", "latency_ms>0.8s", "--sort", "latency_ms", "--top", "1")
    assert "calls.jsonl:10" in out
    assert "1 of 2 calls" in out


def test_an_ingested_file_gives_the_answers_of_its_logs(logs, llmtel):
    code, out, _ = llmtel("ingest", logs, "-o", "calls.parquet")
    assert code == 0
    assert "10 calls → calls.parquet" in out
    asked = ("--by", "feature", "--by", "day", "--format", "json")
    of_log, of_parquet = (json.loads(llmtel("analyze", path, *asked)[1]) for path in (logs, "calls.parquet"))
    assert of_log["tables"] == of_parquet["tables"]
    assert "llmtel_provenance" in pl.read_parquet_metadata("calls.parquet")


def test_a_strict_ingest_of_a_damaged_log_writes_nothing(logs, llmtel):
    Path(logs).write_text(line(1) + "{oops}\n")
    code, out, _ = llmtel("ingest", logs, "-o", "calls.parquet", "--strict")
    assert code == 4
    assert "nothing written" in out
    assert not Path("calls.parquet").exists()


def test_inspect_says_format_reason_mapping_samples_and_what_is_not_read(logs, llmtel):
    Path(logs).write_text(line(1, weather="fine"))
    code, out, _ = llmtel("inspect", logs)
    assert code == 0
    assert "calls.jsonl is generic" in out
    assert re.search(r"input_uncached +prompt_tokens", out)
    assert "its record looks like it" in out
    assert re.search(r"not read +weather", out)
    assert re.search(r"call_id +r1", out)


@pytest.mark.parametrize("what", ["metrics", "dimensions", "fields", "formats"])
def test_everything_that_can_be_named_is_listed(what, llmtel):
    code, out, _ = llmtel("list", what, "--format", "json")
    rows = json.loads(out)["tables"][0]["rows"]
    assert code == 0
    assert len(rows) > 3
    assert all(row["help"] for row in rows)


def test_a_path_in_place_of_a_command_is_told_what_to_type(logs, llmtel):
    code, _, err = llmtel(logs)
    assert code == 2
    assert "llmtel analyze calls.jsonl" in err


def test_without_agents_the_bare_command_says_what_to_do(llmtel):
    code, out, _ = llmtel()
    assert code == 0
    assert "llmtel analyze LOGS" in out


def test_the_bare_command_finds_the_agents_of_this_machine(llmtel):
    project = Path.home() / ".claude" / "projects" / "shop"
    project.mkdir(parents=True)
    (project / "s.jsonl").write_text("")
    (folder,) = agent_folders()
    assert (folder.agent, folder.files, folder.bytes) == ("claude-code", 1, 0)
    code, out, _ = llmtel()
    assert code == 0
    assert "~/.claude/projects" in out
    assert "30 DAYS" in out


def test_help_is_quick_and_does_not_load_polars():
    code = "import sys; from llmtel.cli.app import run; run(['--help']); assert 'polars' not in sys.modules"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    for command in ("analyze", "calls", "ingest", "inspect", "list"):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["analyze", "calls", "ingest", "inspect", "list"])
def test_help_of_a_command_fits_a_terminal_and_ends_with_examples(llmtel, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = llmtel(command, "--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "<" not in out
    _, _, examples = out.partition("  Examples:\n")
    assert all(line.startswith("    llmtel ") for line in examples.splitlines())
    assert examples


def test_help_of_a_command_has_its_options_under_headings_and_says_defaults(llmtel):
    out = llmtel("analyze", "--help")[1]
    headings = [line[:-1] for line in out.splitlines() if re.fullmatch(r"[A-Z][\w ]*:", line)]
    assert headings == ["Arguments", "What to ask", "Prices", "Reading", "Output", "Other"]
    assert out.startswith("Usage: llmtel analyze [OPTIONS] PATHS...\n")
    assert "[default: auto]" in out


def test_a_reader_that_has_seen_enough_is_no_error(logs):
    Path(logs).write_text("".join(line(n, user=f"u{n}") for n in range(20_000)))
    writer = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "llmtel", "calls", logs, "--top", "20000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    writer.stdout.readline()
    writer.stdout.close()
    assert writer.stderr.read() == b""
    assert writer.wait(60) == 0
    writer.stderr.close()


def on_a_terminal(*arguments, **env):
    """What a process writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "llmtel", *arguments],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100", **env},
    ):
        os.close(theirs)
        written = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:
                break
            if not block:
                break
            written += block
    os.close(ours)
    return written


def test_colour_is_for_terminals_and_no_color_turns_it_off(logs):
    assert b"\x1b[1m" in on_a_terminal("analyze", logs)
    assert b"\x1b" not in on_a_terminal("analyze", logs, NO_COLOR="1")
    assert "\x1b" not in process("analyze", logs).stdout


def test_parquet_is_not_thrown_at_a_terminal(logs):
    assert b"PAR1" not in on_a_terminal("analyze", logs, "--format", "parquet")


def test_a_full_disk_is_one_sentence(logs, llmtel, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "out.txt")

    monkeypatch.setattr("llmtel.cli.output.write", full)
    code, _, err = llmtel("analyze", logs)
    assert code == 1
    assert err == "llmtel: no space left to write out.txt\n"


def test_a_mistake_of_ours_keeps_its_traceback(logs, monkeypatch):
    def broken(*_args):
        raise RuntimeError("ours")

    monkeypatch.setattr("llmtel.cli.output.write", broken)
    with pytest.raises(RuntimeError, match="ours"):
        run(["analyze", logs])


def test_the_bar_says_share_rate_and_time_left():
    assert narration.bar(150_000_000, 300_000_000, 0.5) == (
        "   50 % ████████████             150 MB of 300 MB · 300 MB/s · 0 s left"
    )
    assert narration.bar(5_000_000, 0, 1.0) == "  5 MB · 5 MB/s"


def test_the_bar_waits_a_second_and_wants_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(narration.sys.stderr, "isatty", lambda: True)
    with narration.Progress() as progress:
        progress(1, 10)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(progress, "_start", progress._start - 2)
        progress(5, 10)
        assert "50 %" in capsys.readouterr().err
    assert capsys.readouterr().err == "\r\x1b[K"


def test_a_message_of_several_lines_is_printed_as_lines_and_control_characters_are_seen(capsys):
    narration.narrate("nothing could be read:\na\x1b[31m: no JSON")
    assert capsys.readouterr().err == "llmtel: nothing could be read:\n  a\\x1b[31m: no JSON\n"


def test_a_table_that_is_asked_for_twice_is_one(logs, llmtel):
    _, out, _ = llmtel("analyze", logs, "--by", "model", "--by", "model", "--by", " ", "--format", "json")
    assert [table["by"] for table in json.loads(out)["tables"]] == [[], ["model"]]


def test_inspect_says_what_a_record_of_the_format_has_and_not_what_it_lacks(logs, llmtel):
    Path(logs).write_text('{"object": "chat.completion", "created": 1, "model": "m"}\n' * 2)
    _, out, _ = llmtel("inspect", logs)
    assert "calls.jsonl is openai_chat: all of its first 2 records look like it" in out
    (known_by,) = [line for line in out.splitlines() if line.strip().startswith("known by")]
    assert "object is chat.completion" in known_by
    assert " no " not in known_by


def test_words_are_parted_by_commas_and_spaces():
    assert words(["a,b", "c d", " , "]) == ("a", "b", "c", "d")
    assert words(None) == ()


def test_extra_keys_of_conditions_and_dimensions_are_kept_by_the_reader():
    question = Question(("x",), by=(("tags.env", "model"),), where=("tags.team=a xtags.no=1",))
    assert question._tags() == ("team", "env")


@pytest.mark.parametrize("group", [name for name, _, _ in GROUPS])
def test_a_group_of_commands_alone_shows_what_is_in_it(group, capsys):
    assert run([group]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: llmtel {group}")
    assert "\nCommands:\n" in out


@pytest.mark.parametrize("error", [ValueError("what ada wrote"), type("Panic", (BaseException,), {})("ada")])
def test_a_mistake_of_ours_is_a_sentence_without_what_the_error_says(monkeypatch, capsys, error):
    def break_(_arguments):
        raise error

    codes = []
    monkeypatch.setattr(app, "run", break_)
    monkeypatch.setattr(app, "_end", codes.append)
    app.main(["analyze"])
    err = capsys.readouterr().err
    assert codes == [1]
    assert err.startswith(f"llmtel: a mistake of llmtel itself ({type(error).__name__} at app.py:")
    assert "ada" not in err
    assert err.count("\n") == 1


def test_a_mistake_is_placed_in_the_package_and_not_in_a_folder_of_its_name(monkeypatch, capsys):
    elsewhere = compile("def break_(_):\n    raise ValueError\n", "/home/me/llmtel/other.py", "exec")
    names = {}
    exec(elsewhere, names)  # noqa: S102 (the code is ours)
    monkeypatch.setattr(app, "run", names["break_"])
    monkeypatch.setattr(app, "_end", lambda _code: None)
    app.main(["analyze"])
    assert "(ValueError at app.py:" in capsys.readouterr().err


def test_what_is_typed_needs_no_validator_where_there_is_nothing_to_check(tmp_path):
    code = (
        "import sys; from llmtel.cli.app import run;"
        f"run(['analyze', {str(tmp_path / 'a.jsonl')!r}, '--by', 'model', '--format', 'json']);"
        "print([name for name in sys.modules if name.partition('.')[0] in ('pydantic', 'numpy')])"
    )
    (tmp_path / "a.jsonl").write_text('{"timestamp":"2026-09-01T10:00:00Z","model":"m","prompt_tokens":1}\n')
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert ran.stdout.endswith("\n[]\n")


def test_a_question_of_a_store_loads_neither_readers_nor_other_commands_nor_other_renderers(tmp_path, llmtel):
    log, store = tmp_path / "a.jsonl", tmp_path / "calls.store"
    log.write_text('{"timestamp":"2026-09-01T10:00:00Z","model":"m","prompt_tokens":1}\n')
    assert llmtel("ingest", log, "--store", store)[0] == 0
    code = (
        "import sys; from llmtel.cli.app import run;"
        f"run(['analyze', {str(store)!r}]);"
        "print(*(name for name in sys.modules if name.startswith('llmtel')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert {"llmtel.cli.analyze", "llmtel.store.read", "llmtel.render.terminal"} <= loaded
    others = {
        "llmtel.cli.check",
        "llmtel.checks.windows",
        "llmtel.config",
        "llmtel.pipeline",
        "llmtel.render.json",
    }
    assert not loaded & others
    assert not [name for name in loaded if name.startswith("llmtel.sources")]
