"""What the overview of a store does not read changes nothing of what it says."""

from __future__ import annotations

import json
from pathlib import Path

from llmtel.cli import answering

SAMPLES = Path(__file__).parents[2] / "sample_logs"


def test_the_overview_says_the_same_without_the_fields_that_it_spares(llmtel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("llmtel.yaml").write_text("privacy: {users: plain}\n")
    assert llmtel("ingest", SAMPLES, "--store", "s")[0] == 0

    def overview(*options):
        _, text, _ = llmtel("analyze", "s", "--format", "json", *options)
        # the last digit of a sum may depend on which thread was first
        answer = json.loads(text, parse_float=lambda number: float(f"{float(number):.12g}"))
        return {name: answer[name] for name in ("tables", "findings", "change", "coverage") if name in answer}

    for options in ((), ("--sort", "p95_ttft"), ("--where", "finish_reason=stop")):
        spared = overview(*options)
        with monkeypatch.context() as patch:
            patch.setattr(answering, "IN_NO_OVERVIEW", ())
            assert spared == overview(*options)
