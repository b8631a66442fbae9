"""The sample logs are what their script makes, and small."""

from __future__ import annotations

from pathlib import Path

import make_sample_logs

FOLDER = Path(__file__).parents[2] / "sample_logs"


def test_making_the_sample_logs_again_gives_what_is_there():
    assert make_sample_logs.differences(FOLDER) == []


def test_the_same_bytes_every_time():
    assert make_sample_logs.sample_logs() == make_sample_logs.sample_logs()


def test_a_changed_file_is_named(tmp_path):
    for path, data in make_sample_logs.sample_logs().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "search-rag.jsonl").write_text("{}\n")
    (tmp_path / "more.jsonl").write_text("{}\n")
    assert make_sample_logs.differences(tmp_path) == ["more.jsonl", "search-rag.jsonl"]


def test_they_are_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 3_000_000
