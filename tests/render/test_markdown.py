"""Markdown: reads well on GitHub, and nothing from a log is taken for mark-up."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from llmtel.core.answers import Document, Finding, Findings
from llmtel.render import render
from llmtel.render.markdown import code, escape

Maker = Callable[..., Document]


def shown(document: Document) -> str:
    text = render(document, "markdown", width=80, color=True)
    assert isinstance(text, str)
    return text


def test_an_overview_as_markdown(overview: Document) -> None:
    assert shown(overview) == snapshot("""\
### Overview

**llmtel · logs/ · 26 Oct – 22 Nov 2026 · 28 days, UTC**

| COST | LATENCY | ERRORS | TOKENS | QUALITY |
| --- | --- | --- | --- | --- |
| **\\$184.37** | **p50  1.31 s** | **2.8 %** | **64.4 M** | **87 % thumbs up** |
| \\$0.0373 per call | p99  14.2 s | 141 of 5,012 | 47.5 M in | 412 votes, 8 % |
| 98.7 % of calls |  | 84 % retried | 40 % from cache |  |

```
cost/day  ▁▁▂▂▂▂▂▂▂▂▃▃▃▃▁▁▂▂▂▂▂▂▂▂▃▃▃▃▁▁▂▂▂▂▂▂██▃▃▃▃▁▁▂▂▂▂▂▂▂▂▃▃▃▃  max $27.91  Fri 13 Nov
errors %  ▁▁▄▄██▁▁▄▄  ▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁▄▄██▁▁  max 2.0 %   Wed 28 Oct
          26 Oct        2 Nov         9 Nov         16 Nov
```

| MODEL  top 5 of 12 | cost \\$ | share % | calls | cost/call \\$ | in/call | out/call | p50 s | p99 s | err % |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |
| `claude-sonnet-4-5` | 108.26 | 58.7 | 1,204 | 0.0899 | 14.2k | 4,500 | 2.44 | 16.4 | 3.2 |
| `gpt-5` | 58.10 | 31.5 | 612 | 0.0949 | 16.9k | 8,000 | 5.02 | 24.7 | 3.4 |
| `gemini-2.5-flash` | <0.01 | <0.1 | 901 | <0.0001 | 0.1k | 28 | 0.81 | 5.1 | 0.0 |
| `acme-7b` | ? | ? | 64 | ? | 3.3k | 900 | 0.47 | ? | 6.2 |
| (unknown) | 1.43 | 0.8 | 102 | 0.0140 | 6.0k | 1,500 | 0.90 | 6.0 | ? |
| other (7) | 16.58 | 9.0 | 2,129 | 0.0078 | 5.1k | 1,800 | 0.94 | 6.2 | 2.3 |

**ERRORS** rate_limit 74 · timeout 39 · http_5xx 17

**What stands out**

1. ⚠️ **\\$21.99** report-writer cost 8× its usual day on Fri 13 Nov; 61 % of it is one user, u-0417  \n\
   `llmtel analyze logs/ --where 'feature=report-writer' --by day,user`
2. ❌ **7 %** of the records could not be read
3. ℹ️ **64** calls have no price: acme-7b  \n\
   `llmtel pricing explain acme-7b`

5 files, 2.6 MB · 5,055 records = 5,012 calls + 36 duplicates + 7 rejected (list: --rejects)

⚠️ **rejected** logs/a.jsonl:17: no JSON object
""")  # noqa: E501, RUF001


def test_the_total_alone_is_a_number_a_row(overview: Document) -> None:
    assert shown(Document("s", "", (overview.tables[0],))) == snapshot("""\
|  | total |
| --- | --: |
| cost | \\$184.37 |
| calls | 5,012 |
| cost/call | \\$0.0373 |
| in/call | 9,480 |
| out/call | 3,360 |
| p50 | 1.31 s |
| p99 | 14.2 s |
| err | 2.8 % |
""")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("[x](http://evil)", r"\[x\](http:<!-- -->//evil)"),
        ("*bold* _it_ snake_case", r"\*bold\* \_it\_ snake_case"),
        ("`code`", r"\`code\`"),
        ("@octocat and #12", "@<!-- -->octocat and #<!-- -->12"),
        ("www.evil.example", "www<!-- -->.evil.example"),
        ("# not a title", r"\# not a title"),
        ("1. not a list", r"1\. not a list"),
        ("- not a list", r"\- not a list"),
        ("2.8 % for v1.0", "2.8 % for v1.0"),
        ("two\nlines", r"two\\nlines"),
    ],
)
def test_text_is_written_so_that_it_reads_as_it_is(text: str, written: str) -> None:
    assert escape(text) == written


def test_a_code_span_holds_any_backticks() -> None:
    assert code("a`b``c") == "```a`b``c```"
    assert code("`a`") == "`` `a` ``"


@pytest.mark.parametrize("name", ["a|b", "a`b", "a\\|b", "<img src=x>|", "\x1b[31m`|"])
def test_no_name_leaves_its_cell(by_user: Maker, name: str) -> None:
    row = shown(by_user(name)).splitlines()[-1]
    assert re.fullmatch(r"\| <code>[^|`\\<>]*</code> \| 1\.50 \|", row)


def test_a_plain_name_is_code_and_a_missing_one_is_not(by_user: Maker) -> None:
    assert [line.split(" | ")[0] for line in shown(by_user("support@v4", None)).splitlines()[-2:]] == [
        "| `support@v4`",
        "| (unknown)",
    ]


@given(st.text(min_size=1, max_size=40))
def test_a_table_keeps_its_shape_whatever_the_names(name: str) -> None:
    from_log = Findings("", (Finding("info", "k", name, "1", f"llmtel {name}"),))
    text = shown(Document("s", name, (from_log,)))
    assert len(text.splitlines()) <= 4
    assert "<" not in re.sub("<!-- -->", "", "\n".join(text.splitlines()[:3]))
