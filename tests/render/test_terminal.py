"""The terminal: everything fits, columns give way in order, nothing hostile reaches it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from msgspec.structs import replace

from llmtel.core.answers import Column, Document, Finding, Findings, Line, Series, Table, Timeline
from llmtel.core.units import COUNT
from llmtel.render import charts, render
from llmtel.render.text import visible, width

Maker = Callable[..., Document]


def shown(document: Document, cells: int = 80, *, color: bool = False) -> str:
    text = render(document, "table", width=cells, color=color)
    assert isinstance(text, str)
    return text


def test_an_overview_at_120_columns(overview: Document) -> None:
    assert shown(overview, 120) == snapshot("""\
  llmtel · logs/ · 26 Oct – 22 Nov 2026 · 28 days, UTC

  COST                  LATENCY          ERRORS            TOKENS               QUALITY
  $184.37               p50  1.31 s      2.8 %             64.4 M               87 % thumbs up
  $0.0373 per call      p99  14.2 s      141 of 5,012      47.5 M in            412 votes, 8 %
  98.7 % of calls                        84 % retried      40 % from cache

  cost/day  ▁▁▂▂▂▂▂▂▂▂▃▃▃▃▁▁▂▂▂▂▂▂▂▂▃▃▃▃▁▁▂▂▂▂▂▂██▃▃▃▃▁▁▂▂▂▂▂▂▂▂▃▃▃▃  max $27.91  Fri 13 Nov
  errors %  ▁▁▄▄██▁▁▄▄  ▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁  max 2.0 %   Wed 28 Oct
            26 Oct        2 Nov         9 Nov         16 Nov

  MODEL  top 5 of 12  cost $  share     calls  cost/call $  in/call  out/call  p50 s  p99 s  err %
  claude-sonnet-4-5   108.26  ████▊     1,204       0.0899    14.2k     4,500   2.44   16.4    3.2
  gpt-5                58.10  ██▌         612       0.0949    16.9k     8,000   5.02   24.7    3.4
  gemini-2.5-flash     <0.01  ▏           901      <0.0001     0.1k        28   0.81    5.1    0.0
  acme-7b                  ?               64            ?     3.3k       900   0.47      ?    6.2
  (unknown)             1.43  ▏           102       0.0140     6.0k     1,500   0.90    6.0      ?
  other (7)            16.58  ▊         2,129       0.0078     5.1k     1,800   0.94    6.2    2.3

  ERRORS  rate_limit 74 · timeout 39 · http_5xx 17

  WHAT STANDS OUT
  1 ▲ $21.99  report-writer cost 8× its usual day on Fri 13 Nov; 61 % of it is one user, u-0417
              llmtel analyze logs/ --where 'feature=report-writer' --by day,user
  2 ✗ 7 %     of the records could not be read
  3 · 64      calls have no price: acme-7b
              llmtel pricing explain acme-7b

  5 files, 2.6 MB · 5,055 records = 5,012 calls + 36 duplicates + 7 rejected (list: --rejects)
  rejected  logs/a.jsonl:17: no JSON object
""")


def test_at_80_columns_bars_and_optional_metrics_are_left_out_and_named(overview: Document) -> None:
    assert shown(overview, 80) == snapshot("""\
  llmtel · logs/ · 26 Oct – 22 Nov 2026 · 28 days, UTC

  COST              LATENCY      ERRORS        TOKENS           QUALITY
  $184.37           p50  1.31 s  2.8 %         64.4 M           87 % thumbs up
  $0.0373 per call  p99  14.2 s  141 of 5,012  47.5 M in        412 votes, 8 %
  98.7 % of calls                84 % retried  40 % from cache

  cost/day  ▁▂▂▂▂▃▃▁▂▂▂▂▃▃▁▂▂▂█▃▃▁▂▂▂▂▃▃  max $27.91  Fri 13 Nov
  errors %  ▁▄█▁▄ ▁▄█▁▄█▁▄█▁▄█▁▄█▁▄█▁▄█▁  max 2.0 %   Wed 28 Oct
            26 Oct 2 Nov  9 Nov  16 Nov

  MODEL  top 5 of 12  cost $  calls  cost/call $  out/call  p50 s  p99 s  err %
  claude-sonnet-4-5   108.26  1,204       0.0899     4,500   2.44   16.4    3.2
  gpt-5                58.10    612       0.0949     8,000   5.02   24.7    3.4
  gemini-2.5-flash     <0.01    901      <0.0001        28   0.81    5.1    0.0
  acme-7b                  ?     64            ?       900   0.47      ?    6.2
  (unknown)             1.43    102       0.0140     1,500   0.90    6.0      ?
  other (7)            16.58  2,129       0.0078     1,800   0.94    6.2    2.3

  ERRORS  rate_limit 74 · timeout 39 · http_5xx 17

  WHAT STANDS OUT
  1 ▲ $21.99  report-writer cost 8× its usual day on Fri 13 Nov; 61 % of it is
              one user, u-0417
              llmtel analyze logs/ --where 'feature=report-writer' \\
              --by day,user
  2 ✗ 7 %     of the records could not be read
  3 · 64      calls have no price: acme-7b
              llmtel pricing explain acme-7b

  5 files, 2.6 MB · 5,055 records = 5,012 calls + 36 duplicates + 7 rejected
    (list: --rejects)
  rejected  logs/a.jsonl:17: no JSON object
  left out at this width: share, in/call
""")


def test_at_40_columns_a_row_is_told_a_number_a_line(overview: Document) -> None:
    assert shown(overview, 40) == snapshot("""\
  llmtel · logs/ · 26 Oct – 22 Nov 2026
  · 28 days, UTC

  COST                  LATENCY
  $184.37               p50  1.31 s
  $0.0373 per call      p99  14.2 s
  98.7 % of calls

  ERRORS            TOKENS
  2.8 %             64.4 M
  141 of 5,012      47.5 M in
  84 % retried      40 % from cache

  QUALITY
  87 % thumbs up
  412 votes, 8 %

  cost/day  max $27.91
  ▁▂▂▂▂▃▃▁▂▂▂▂▃▃▁▂▂▂█▃▃▁▂▂▂▂▃▃
  errors %  max 2.0 %
  ▁▄█▁▄ ▁▄█▁▄█▁▄█▁▄█▁▄█▁▄█▁▄█▁
  26 Oct 2 Nov  9 Nov  16 Nov

  MODEL  top 5 of 12
  claude-sonnet-4-5
    cost $       108.26
    calls        1,204
    cost/call $  0.0899
    p50 s        2.44
    p99 s        16.4
    err %        3.2
  gpt-5
    cost $       58.10
    calls        612
    cost/call $  0.0949
    p50 s        5.02
    p99 s        24.7
    err %        3.4
  gemini-2.5-flash
    cost $       <0.01
    calls        901
    cost/call $  <0.0001
    p50 s        0.81
    p99 s        5.1
    err %        0.0
  acme-7b
    cost $       ?
    calls        64
    cost/call $  ?
    p50 s        0.47
    p99 s        ?
    err %        6.2
  (unknown)
    cost $       1.43
    calls        102
    cost/call $  0.0140
    p50 s        0.90
    p99 s        6.0
    err %        ?
  other (7)
    cost $       16.58
    calls        2,129
    cost/call $  0.0078
    p50 s        0.94
    p99 s        6.2
    err %        2.3

  ERRORS  rate_limit 74 · timeout 39 ·
    http_5xx 17

  WHAT STANDS OUT
  1 ▲ $21.99
      report-writer cost 8× its usual
      day on Fri 13 Nov; 61 % of it is
      one user, u-0417
      llmtel analyze logs/ \\
      --where 'feature=report-writer' \\
      --by day,user
  2 ✗ 7 %
      of the records could not be read
  3 · 64
      calls have no price: acme-7b
      llmtel pricing explain acme-7b

  5 files, 2.6 MB · 5,055 records =
    5,012 calls + 36 duplicates + 7
    rejected (list: --rejects)
  rejected  logs/a.jsonl:17: no JSON
    object
  left out at this width: share,
    in/call, out/call
""")


def test_colour_changes_nothing_but_the_colour(overview: Document) -> None:
    colored = shown(overview, 100, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == shown(overview, 100)


def test_asked_metrics_that_do_not_fit_are_wrapped_with_the_same_keys(overview: Document) -> None:
    table = replace(overview.tables[1], optional=(), bar=None)
    text = shown(Document("s", "", (table,)), 66)
    assert text.count("claude-sonnet-4-5") == 2
    assert all(label in text for label in ("share %", "in/call", "out/call", "err %"))
    assert "left out" not in text


def test_what_one_table_leaves_out_all_leave_out(overview: Document) -> None:
    wide = overview.tables[1]
    few = ("model", "cost", "share", "calls")
    narrow = replace(wide, columns=tuple(c for c in wide.columns if c.id in few), metrics=few[1:])
    assert "share" in shown(Document("s", "", (narrow,)))
    heads = [
        line.split() for line in shown(Document("s", "", (wide, narrow))).splitlines() if "MODEL" in line
    ]
    assert [("share" in head, "calls" in head) for head in heads] == [(False, True), (False, True)]


def test_a_table_over_nothing_is_a_list_of_numbers_with_their_units(overview: Document) -> None:
    assert shown(Document("s", "", (overview.tables[0],))) == snapshot("""\
  total
  cost       $184.37
  calls      5,012
  cost/call  $0.0373
  in/call    9,480
  out/call   3,360
  p50        1.31 s
  p99        14.2 s
  err        2.8 %
""")


def test_unknown_pooled_and_look_alike_keys_are_told_apart(by_user: Maker) -> None:
    text = shown(by_user(None, "(unknown)", "(none)", "other (3)", "", "–", " padded"))
    keys = [line[2:].rsplit("  ", 1)[0].rstrip() for line in text.splitlines()[3:]]
    assert keys == ["(unknown)", '"(unknown)"', '"(none)"', '"other (3)"', '""', '"–"', '" padded"']


def test_long_names_are_wrapped_before_a_number_is_left_out(overview: Document) -> None:
    table = overview.tables[1]
    rows = [{**table.rows[0], "model": "anthropic.claude-sonnet-4-5-20250929-v1:0"}]
    assert shown(Document("s", "", (replace(table, rows=rows, distinct=1),)), 100) == snapshot("""\
  MODEL                           cost $  calls  cost/call $  in/call  out/call  p50 s  p99 s  err %
  anthropic.claude-sonnet-4-5-    108.26  1,204       0.0899    14.2k     4,500   2.44   16.4    3.2
  20250929-v1:0

  left out at this width: share
""")


def test_a_bar_gives_way_before_a_name_is_broken(overview: Document) -> None:
    table = overview.tables[1]
    rows = [{**table.rows[0], "model": "claude-3-5-sonnet-20241022"}]
    text = shown(Document("s", "", (replace(table, rows=rows, distinct=1),)), 98)
    assert "claude-3-5-sonnet-20241022  " in text
    assert "left out at this width: share" in text


def test_texts_of_a_catalog_are_wrapped_in_their_column() -> None:
    columns = tuple(Column(i, i, i, kind="field") for i in ("name", "help"))
    rows = [
        {
            "name": "cost",
            "help": "Sum of the cost at the price book's rates; calls without a price are left out",
        },
        {"name": "calls", "help": "Calls"},
    ]
    table = Table((), (), columns, rows, title="metrics")
    assert shown(Document("s", "metrics", (table,)), 60) == snapshot("""\
  metrics
  name   help
  cost   Sum of the cost at the price book's rates; calls
         without a price are left out
  calls  Calls
""")


def test_a_table_without_rows_says_so(by_user: Maker) -> None:
    assert "no rows" in shown(by_user())


def test_a_command_broken_over_lines_can_still_be_pasted() -> None:
    command = "llmtel analyze logs/ --where 'feature=a b  c' --by day,user --since 2026-11-17"
    text = shown(Document("s", "", (Findings("", (Finding("info", "k", "said", "1", command),)),)), 40)
    pasted = "".join(line.strip().removesuffix("\\") for line in text.splitlines()[2:])
    assert pasted == command


def test_a_finding_with_a_long_figure_puts_its_sentence_below() -> None:
    finding = Finding("warning", "k", "said", "from 1.2 s to 14.8 s")
    text = shown(Document("s", "", (Findings("Found", (finding,)),)))
    assert text.splitlines()[1:] == ["  1 ▲ from 1.2 s to 14.8 s", "      said"]


def test_the_highest_steps_are_kept_where_a_mark_stands_for_several() -> None:
    steps = tuple(f"2026-11-{d:02}T{h:02}:00:00+00:00" for d in range(1, 11) for h in range(24))
    values = tuple(100.0 if i == 77 else 1.0 for i in range(240))
    lines = charts.timeline(Timeline((Series("calls/hour", COUNT, steps, values),)), 78)
    assert lines == snapshot(
        [
            "calls/hour  ▁▁▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  max 100  4 Nov 05:00",
            "            1 Nov 00:00             7 Nov 00:00",
            "            a mark: highest of 6 steps",
        ]
    )


def test_a_series_without_any_value_is_a_gap() -> None:
    steps = ("2026-11-01", "2026-11-02")
    lines = charts.timeline(Timeline((Series("cost/day", COUNT, steps, (None, None)),)), 60)
    assert lines == ["cost/day", "          1 Nov"]


@pytest.mark.parametrize(
    ("share", "drawn"), [(None, ""), (0, ""), (1e-9, "▏"), (0.5, "████"), (1.2, "█" * 8)]
)
def test_a_bar_is_seen_whenever_there_is_something(share: float | None, drawn: str) -> None:
    assert charts.bar(share) == drawn


HOSTILE = ["\x1b[2J", "a\nb", "\u202eevil", "東京" * 9, "x" * 70, "🚀" * 20]
hostile = st.text(max_size=60) | st.sampled_from(HOSTILE)


@given(st.data(), st.integers(24, 130))
def test_whatever_a_log_says_every_line_fits_and_nothing_hidden_is_printed(data: Any, cells: int) -> None:
    names = data.draw(st.lists(hostile, min_size=1, max_size=4))
    dimension = Column("user", data.draw(hostile), "User", kind="dimension")
    metric = Column("calls", data.draw(hostile), "Calls", kind="metric", unit=COUNT)
    rows = [{"user": name, "calls": data.draw(st.none() | st.floats(0, 1e12))} for name in names]
    blocks = (
        Table(("user",), ("calls",), (dimension, metric), rows, title=data.draw(hostile)),
        Line(data.draw(hostile), name=data.draw(hostile), grave=True),
        Findings(data.draw(hostile), (Finding("error", "k", data.draw(hostile), data.draw(hostile)),)),
        Timeline(
            (Series(data.draw(hostile), COUNT, tuple(names), tuple(float(i) for i in range(len(names)))),)
        ),
    )
    text = shown(Document("s", data.draw(hostile), blocks), cells)
    lines = text.splitlines()
    assert text == "".join(f"{line}\n" for line in lines)
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for line in lines for c in line)
    assert [line for line in lines if width(line) > cells] == []


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5, unique=True), st.integers(24, 130))
def test_every_row_is_named_at_every_width(names: list[str], cells: int) -> None:
    dimension = Column("user", "user", "User", kind="dimension")
    metric = Column("calls", "calls", "Calls", kind="metric", unit=COUNT)
    rows = [{"user": name, "calls": None} for name in names]
    text = shown(Document("s", "", (Table(("user",), ("calls",), (dimension, metric), rows),)), cells)
    letters = re.sub(r"[\s?]", "", text)
    for name in names:
        assert re.sub(r"[\s?]", "", visible(name)) in letters
