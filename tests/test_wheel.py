"""What a wheel installs prices and counts by itself: no network, no cache of a tokenizer, no checkout."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
CUT_OFF = """
import socket, sys

def refuse(*_args, **_kwargs):
    sys.exit("something tried to reach the network")

for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
for name in ("create_connection", "getaddrinfo", "gethostbyname"):
    setattr(socket, name, refuse)
sys.path.insert(0, sys.argv[1])
import llmtel
assert llmtel.__file__.startswith(sys.argv[1]), llmtel.__file__
from llmtel.cli.app import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what a wheel of this tree installs."""
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(TOP))
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", pwd.getpwuid(os.getuid()).pw_dir)  # where a compiler's toolchain may be
        [wheel] = builder.build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def llmtel(installed, tmp_path):
    """Run a command line of what is installed, far from the checkout: its standard output."""

    def call(*arguments):
        done = subprocess.run(  # noqa: S603 (the command is ours)
            [sys.executable, "-I", "-c", CUT_OFF, str(installed), *arguments],
            cwd=tmp_path,
            env={"TIKTOKEN_CACHE_DIR": "/nonexistent", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return call


def test_a_wheel_that_was_built_without_a_compiler_is_for_any_machine(tmp_path, monkeypatch):
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(TOP))
    monkeypatch.setenv("PATH", str(tmp_path))
    [wheel] = builder.build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as packed:
        assert not [name for name in packed.namelist() if "libnative" in name]
    assert wheel.endswith("-py3-none-any.whl")


def test_a_wheel_has_the_machine_code_where_it_was_built_and_reads_by_it(installed):
    if shutil.which("cargo") is None:
        pytest.skip("there is no Rust compiler here")
    reads = "from llmtel.sources import native; print(native.__file__, native.is_there())"
    done = subprocess.run(  # noqa: S603 (the command is ours)
        [sys.executable, "-c", reads], cwd=installed, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{installed / 'llmtel' / 'sources' / 'native.py'} True\n"


def test_an_installed_wheel_prices_and_counts_with_no_network_and_no_cache(llmtel, tmp_path):
    call = {"timestamp": "2026-09-01T10:00:00Z", "latency_ms": 5, "prompt": "tiktoken is great!"}
    lines = [
        {**call, "model": "gpt-4o", "completion": "tiktoken is great!"},
        {**call, "model": "claude-sonnet-4-5", "usage": {"input_tokens": 1000, "output_tokens": 100}},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    answer = json.loads(
        llmtel("analyze", "log.jsonl", "--by", "model", "--metrics", "cost,total_tokens", "--format", "json")
    )
    rows = {row["model"]: row for row in answer["tables"][1]["rows"]}
    # By the vendor's own example the sentence has six tokens, at 2.50 and 10 dollars a million.
    assert rows["gpt-4o"]["total_tokens"] == 12
    assert rows["gpt-4o"]["cost"] == pytest.approx(6 * 2.5e-6 + 6 * 10e-6)
    assert rows["claude-sonnet-4-5"]["cost"] == pytest.approx(0.0045)
    assert answer["pricing"]["layers"] == ["pricing.yaml"]


def test_an_installed_wheel_has_the_notices_of_what_it_carries(installed):
    [notices] = installed.glob("*.dist-info/licenses/THIRD_PARTY.md")
    assert "tiktoken" in notices.read_text()
