"""Formats of other packages: installed for real, and broken in every way that a package may be."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
EXAMPLE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
LINE = {
    "acme_version": 1,
    "event": "request",
    "started": "2026-09-01T10:00:00Z",
    "upstream": {"model": "gpt-5-mini"},
    "usage": {"in": 100, "cached": 10, "out": 20},
    "seconds": 0.5,
}
needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="needs pip")


def wheel(folder, name, module, source):
    """A wheel of one module that declares `SOURCES`: what building such a package gives (PEP 427)."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[llmtel.sources]\n{module} = {module}:SOURCES\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(inner, text)
    return path


def unpacked(site, name, module, source):
    """The same package as it lies there once it is installed."""
    with zipfile.ZipFile(wheel(site, name, module, source)) as archive:
        archive.extractall(site)


@pytest.fixture
def site(tmp_path):
    """A folder for packages that only the processes of this test see."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def llmtel(site, tmp_path):
    """Run llmtel in a process of its own with these packages: exit code, standard output, standard error."""

    def call(*arguments):
        path = os.pathsep.join((str(ROOT), str(site)))
        done = subprocess.run(  # noqa: S603 (our own program)
            [sys.executable, "-m", "llmtel", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return call


@pytest.fixture
def log(tmp_path):
    """Three lines of the Acme gateway: two calls and a heartbeat."""
    lines = [{**LINE, "id": "a1", "who": "u1"}, {**LINE, "id": "a2", "who": "u2"}, {**LINE, "event": "beat"}]
    path = tmp_path / "gateway.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path.name


@needs_pip
def test_the_example_of_the_page_is_installed_and_reads_its_log(site, log, llmtel, tmp_path):
    package = wheel(tmp_path, "acme_llmtel", "acme_llmtel", EXAMPLE)
    command = ("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), str(package))
    subprocess.run([sys.executable, *command], check=True, capture_output=True)  # noqa: S603 (pip)
    metrics = ("--metrics", "calls,input_tokens,cache_hit_rate,p50_latency", "--by", "format")
    code, out, err = llmtel("analyze", log, *metrics, "--format", "json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["tables"][1]["rows"] == [
        {"format": "acme_gateway", "calls": 2, "input_tokens": 200, "cache_hit_rate": 0.1, "p50_latency": 500}
    ]
    assert answer["input"]["other"] == 1
    _, out, _ = llmtel("list", "formats", "--format", "json")
    row = next(row for row in json.loads(out)["tables"][0]["rows"] if row["name"] == "acme_gateway")
    assert "of the package acme_llmtel 1.0" in row["help"]


def test_the_sample_of_the_example_gives_what_it_expects(site, llmtel, tmp_path):
    unpacked(site, "acme_llmtel", "acme_llmtel", EXAMPLE)
    scope = {}
    exec(EXAMPLE, scope)  # noqa: S102 (our own page)
    (source,) = scope["SOURCES"]
    (tmp_path / "sample.jsonl").write_text(source.sample)
    assert llmtel("ingest", "sample.jsonl", "-o", "calls.parquet")[0] == 0
    rows = pl.read_parquet(tmp_path / "calls.parquet").to_dicts()
    assert len(rows) == len(source.expect)
    for row, expected in zip(rows, source.expect, strict=True):
        assert {name: row[name] for name in expected} == expected


def example(**changes):
    """The example with some of its text replaced."""
    text = EXAMPLE
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_this_name", "acme cannot be loaded: ModuleNotFoundError"),
        ("SOURCES = 1 / 0", "acme cannot be loaded: ZeroDivisionError: division by zero"),
        ("raise SystemError", "acme cannot be loaded: SystemError"),
        ("SOURCES = (1,)", "a int is no Source; see docs/plugins.md"),
        ("SOURCES = 7", "a int is no Source"),
        (
            example(a=("acme_gateway", "generic")),
            "its format generic is not used, for llmtel has one of that name",
        ),
        (example(a=("acme_gateway", "Acme Gateway")), "'Acme Gateway' is no name of a format"),
        (example(a=('"user":', '"usr":')), "gives usr, no field of `llmtel list fields`"),
        (example(a=('marks=(Mark(all=("acme_version", "upstream.model")),),', "")), "has no marks"),
    ],
)
def test_a_broken_package_is_one_line_and_breaks_nothing_else(site, llmtel, tmp_path, source, said):
    unpacked(site, "broken", "acme", source)
    line = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o-mini", "prompt_tokens": 1}
    (tmp_path / "app.jsonl").write_text(json.dumps(line) + "\n")
    code, out, err = llmtel("analyze", "app.jsonl", "--metrics", "calls", "--format", "json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["tables"][0]["rows"] == [{"calls": 1}]
    (told,) = [note["text"] for note in answer["notes"] if note["kind"] == "plugin"]
    assert told.startswith("package broken 1.0: ")
    assert said in told
    code, _, err = llmtel("list", "formats")
    assert code == 0
    assert said in " ".join(err.split())


def test_a_log_that_nobody_reads_because_its_package_is_broken_is_told_so(site, log, llmtel):
    unpacked(site, "broken", "acme", "SOURCES = (1,)")
    code, _, err = llmtel("analyze", log)
    assert code == 5
    assert "package broken 1.0: a int is no Source" in err


def test_of_two_packages_with_one_name_the_first_by_name_wins_and_it_is_told(site, log, llmtel):
    unpacked(site, "zeta", "zeta", EXAMPLE)
    unpacked(site, "alpha", "alpha", example(a=("Acme gateway:", "Alpha's:")))
    _, out, err = llmtel("list", "formats")
    assert "Alpha's: one request per line" in out
    assert "package zeta 1.0: its format acme_gateway is not used, for another package has one" in err
    assert llmtel("analyze", log)[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        ('raw.number("seconds") * 1000', 'raw.number("seconds").str.len_chars()'),
        ("keep=", "bind=lambda records, source: records[10**6], keep="),
        ("keep=", "prepare=lambda rows: rows.nothing, keep="),
    ],
)
def test_code_of_a_package_that_fails_while_reading_is_named(site, log, llmtel, change):
    unpacked(site, "broken", "acme", example(a=change))
    code, out, err = llmtel("analyze", log)
    assert (code, out) == (1, "")
    assert "the format acme_gateway of the package broken 1.0 failed: " in " ".join(err.split())
