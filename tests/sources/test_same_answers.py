"""The same records give the same calls, however they come: split, shuffled, packed, twice, reordered."""

import gzip
import json
import shutil

import polars as pl
import pytest
import zstandard

from llmtel import pipeline
from llmtel.cli.app import run
from llmtel.query.query import Query
from llmtel.sources.formats import sources


def write(folder, name, lines):
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def many(n):
    """Lines of calls, each with an id of its own."""
    return [
        json.dumps(
            {
                "timestamp": f"2026-09-{1 + i % 28:02}T10:{i % 60:02}:00Z",
                "request_id": f"r{i}",
                "model": f"m{i % 3}",
                "prompt_tokens": 10 + i,
                "completion_tokens": i,
                "latency_ms": 100.5 + i,
                "user": f"u{i % 7}",
            }
        )
        for i in range(n)
    ]


def text(lines):
    return "".join(f"{line}\n" for line in lines)


def gzip_of_two(lines):
    return gzip.compress(text(lines[:50]).encode()) + gzip.compress(text(lines[50:]).encode())


SHAPES = {
    "shuffled": lambda lines: text(sorted(lines, key=lambda line: line[::-1])).encode(),
    "gzip": gzip_of_two,
    "zstd": lambda lines: zstandard.compress(text(lines).encode()),
    "twice": lambda lines: text(lines + lines[::-1]).encode(),
    "an array": lambda lines: ("[\n" + ",\n".join(lines) + "\n]").encode(),
    "utf-16": lambda lines: text(lines).encode("utf-16"),
    "crlf": lambda lines: text(lines).replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_lines_that_stand_alone_give_the_same_calls(shape, tmp_path, same):
    lines = many(200)
    plain = pipeline.read([write(tmp_path, "plain.jsonl", lines)])
    shaped = tmp_path / "shaped.log"
    shaped.write_bytes(SHAPES[shape](lines))
    other = pipeline.read([str(shaped)])
    same(plain.calls, other.calls)
    assert other.account.duplicates == (200 if shape == "twice" else 0)
    assert other.account.balance() == 0


def test_lines_split_among_files_give_the_same_calls(tmp_path, same):
    lines = many(200)
    plain = pipeline.read([write(tmp_path, "plain.jsonl", lines)])
    parts = [write(tmp_path, f"{part}.jsonl", lines[part::10]) for part in range(10)]
    same(plain.calls, pipeline.read(parts).calls)


@pytest.mark.parametrize("name", sources())
def test_a_file_given_twice_compressed_or_among_others_gives_the_same_calls(name, tmp_path, same):
    path = tmp_path / "b" / "sample.log"
    path.parent.mkdir()
    path.write_text(sources()[name].sample)
    packed = tmp_path / "a" / "sample.log.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(path.read_bytes()))
    plain = pipeline.read([str(path)])
    same(plain.calls, pipeline.read([str(packed)]).calls)
    twice = pipeline.read([str(path), str(path)])
    same(plain.calls, twice.calls)
    assert any("same file again" in note.text for note in twice.notes)


def test_whole_files_in_another_order_give_the_same_calls(tmp_path, same):
    paths = []
    for name, source in sources().items():
        path = tmp_path / f"{name}.log"
        path.write_text(source.sample)
        paths.append(str(path))
    same(pipeline.read(paths).calls, pipeline.read(paths[::-1]).calls)


def test_copies_of_a_transcript_in_several_files_are_counted_once_whatever_the_order(tmp_path, same):
    source = sources()["claude_code"]
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    lines = source.sample.strip().split("\n")
    first.write_text("\n".join(lines[:2]) + "\n")
    second.write_text("\n".join(lines) + "\n")
    one = pipeline.read([str(first), str(second)])
    other = pipeline.read([str(second), str(first)])
    same(one.calls, other.calls)
    assert one.calls["output_text"].to_list() == [240]


def test_small_batches_give_the_same_calls_as_large_ones(tmp_path, same, monkeypatch):
    path = write(tmp_path, "a.jsonl", many(300))
    large = pipeline.read([path])
    monkeypatch.setattr("llmtel.sources.openings.SIZE", 1 << 12)
    small = pipeline.read([path])
    same(large.calls, small.calls)
    assert small.calls["line"].sort().to_list() == list(range(1, 301))


def test_no_query_has_to_align_the_columns_of_calls_that_were_read_in_parts(tmp_path, monkeypatch):
    """Where one column lies in other pieces Polars joins those of all: 10 ms a query of a million."""
    path = write(tmp_path, "a.jsonl", many(300))
    monkeypatch.setattr("llmtel.sources.openings.SIZE", 1 << 12)
    monkeypatch.setattr("llmtel.sources.read._CELLS", 100)
    calls = pipeline.read([path]).calls
    pieces = calls["latency_ms"].n_chunks()
    assert pieces > 1
    assert {calls[name].n_chunks() for name in ("file", "line", "status", "ts", "user")} == {pieces}


def test_parquet_of_calls_reads_back_as_the_same_calls(tmp_path, same):
    log = write(tmp_path, "a.jsonl", many(50))
    plain = pipeline.read([log])
    target = tmp_path / "calls.parquet"
    assert run(["ingest", log, "-o", str(target)]) == 0
    again = pipeline.read([str(target)])
    same(plain.calls, again.calls)
    assert again.calls["line"].to_list() == plain.calls["line"].to_list()
    shutil.copy(target, tmp_path / "copy.bin")
    both = pipeline.read([log, str(tmp_path / "copy.bin")])
    same(plain.calls, both.calls)


def test_days_sum_to_the_total_in_every_time_zone_across_a_change_of_clocks(tmp_path):
    lines = [
        json.dumps(
            {
                "timestamp": f"2026-{month:02}-{day:02}T{hour:02}:30:00Z",
                "model": "m",
                "prompt_tokens": 1 + hour,
            }
        )
        for month, day in ((3, 7), (3, 8), (3, 9), (10, 31), (11, 1), (11, 2))
        for hour in range(24)
    ]
    calls = pipeline.read([write(tmp_path, "a.jsonl", lines)]).calls
    calls = calls.with_columns(pl.lit(None, dtype=pl.Float64).alias("cost_usd"))
    for zone in ("UTC", "Asia/Kolkata", "America/New_York"):
        by_day = Query(("calls", "input_tokens"), ("day",), tz=zone).run(calls)
        assert sum(row["calls"] for row in by_day.rows) == len(lines)
        assert sum(row["input_tokens"] for row in by_day.rows) == calls["input_uncached"].sum()


def test_what_can_be_read_of_a_cut_off_gzip_is_read_and_the_file_counts_as_rejected(tmp_path):
    lines = many(2000)
    packed = gzip.compress("".join(f"{line}\n" for line in lines).encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    reading = pipeline.read([str(path)])
    assert 500 < reading.account.calls < 1500
    assert (reading.account.files, reading.account.files_rejected, reading.account.rejected) == (1, 1, 0)
    assert any("cut off" in note.text for note in reading.notes)
