"""Every real log is claimed by one format, alone and among all the others in one folder (../shared)."""

import json
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.schema import LEAVES
from llmtel.sources.formats import sources

SHARED = Path(__file__).parents[2].parent / "shared"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
EXPECTED = json.loads((SHARED / "fixtures/expected.json").read_text()) if SHARED.is_dir() else {}
GRAIN = {f"fixtures/{name}": figures["grain"] for name, figures in EXPECTED.items() if name != "_about"}
BESIDE = ("LICENSE", "PROVENANCE.md", "expected.json", "README.md")
NO_LOG = "traces/tracelab/codex_rounds_published.jsonl"
TIED = "fixtures/codex/as-schema_drift.jsonl"
"""As many records of Codex as of nobody: which it is has to be said."""
FORMATS = {
    "anthropic": "anthropic_batch anthropic_console_cost anthropic_console_tokens anthropic_usage",
    "azure": "azure_trace",
    "copilot-cli": "copilot_cli",
    "deepseek": "deepseek_amount",
    "inspect": "inspect_ai",
    "openai": "openai_batch openai_chat openai_dashboard openai_responses openai_usage",
    "openclaw": "pi",
    "openrouter": "openrouter_activity openrouter_daily",
    "provider-responses": "anthropic_messages cohere gemini openai_chat openai_responses",
    "provider-usage-shapes": "openai_chat",
    "tracelab": "codex",
    "xai": "openai_chat",
}
"""What is in the folders that are not named after their one format."""
MIXED = ("provider-responses", "provider-usage-shapes")
"""Folders with files that mix the answers of several providers."""


def logs():
    folders = sorted({Path(name).parent for name in GRAIN})
    found = [path for folder in folders for path in (SHARED / folder).iterdir()]
    found += (SHARED / "traces").rglob("*.*")
    names = sorted({str(path.relative_to(SHARED)) for path in found if path.is_file()})
    return [name for name in names if Path(name).name not in BESIDE and name not in (NO_LOG, TIED)]


LOGS = logs() if SHARED.is_dir() else []


def read(*names):
    return pipeline.read([str(SHARED / name) for name in names])


def facts(reading):
    """Sums that do not depend on what else was read."""
    calls, account = reading.calls, reading.account
    sums = {name: calls[name].drop_nulls().sum() for name in (*LEAVES, "request_count", "retries")}
    found = {**sums, "errors": calls["status"].drop_nulls().eq("error").sum(), "rows": calls.height}
    found |= {name: getattr(account, name) for name in ("records", "rejected", "other", "duplicates")}
    return pl.DataFrame({name: int(value) for name, value in found.items()})


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_claimed_by_one_format_and_by_no_other(name):
    reading = read(name)
    folder = Path(name).parts[1]
    (seen,) = reading.inputs
    assert seen.format in FORMATS.get(folder, folder.replace("-", "_")).split()
    others = seen.verdict.claims.keys() - {seen.format}
    family = sources()[seen.format].family
    assert folder in MIXED or not others
    assert all(family is not None and sources()[other].family == family for other in others)


@pytest.mark.parametrize("grain", ["call", "bucket"])
def test_all_fixtures_in_one_run_give_what_they_give_alone(grain):
    names = [name for name in LOGS if GRAIN.get(name) == grain]
    alone = pl.concat([facts(read(name)) for name in names]).sum().row(0, named=True)
    together = facts(read(*names)).row(0, named=True)
    if grain == "call":  # two examples of OpenAI's have one id and the same counts
        twice = facts(read("fixtures/openai/spec-chat-completion-image.json")).row(0, named=True)
        alone |= {name: alone[name] - twice[name] for name in ("rows", "request_count", *LEAVES)}
        alone["duplicates"] += 1
    assert together == alone
