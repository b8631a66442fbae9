"""Filters: names, comparisons, units and globs; what is unknown equals nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import FIELDS, complete
from llmtel.query import where

TS = [datetime(2026, 8, 31, 20, tzinfo=UTC), datetime(2026, 9, 1, 12, tzinfo=UTC), None, None]
CALLS = complete(
    pl.DataFrame(
        {
            "line": [1, 2, 3, 4],
            "ts": TS,
            "model": ["gpt-4o-mini", "gpt-4o", "claude", None],
            "feature": ["chat", None, "search engine", "chat"],
            "latency_ms": [2000.0, 2000.5, None, 90_000.0],
            "cost_usd": [0.1, 0.11, None, 2.0],
            "http_status": [200, 429, 200, None],
            "thumb": [True, False, None, None],
            "tags": ['{"env":"prod"}', '{"env":"staging","n":3}', None, "not json"],
        },
        schema_overrides={"ts": pl.Datetime("us", "UTC"), "http_status": pl.Int64},
    )
)


def lines(*terms: str, tz: str = "UTC", calls: pl.DataFrame = CALLS) -> list[int]:
    return calls.filter(where.parse(terms, tz))["line"].to_list()


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("model=gpt-4o", [2]),
        ("model=gpt-4o*", [1, 2]),
        ("model=*4o*", [1, 2]),
        ("model=gpt-??", [2]),
        ("model!=gpt-4o*", [3, 4]),
        ("feature!=chat", [2, 3]),
        ("feature=", [2]),
        ("feature!=", [1, 3, 4]),
        ('feature="search engine"', [3]),
        ("latency_ms>2s", [2, 4]),
        ("latency_ms>=2000ms", [1, 2, 4]),
        ("latency_ms<=2s", [1]),
        ("latency_ms>1m", [4]),
        ("latency_ms!=2s", [2, 3, 4]),
        ("cost_usd>$0.10", [2, 4]),
        ("cost_usd>10c", [2, 4]),
        ("http_status>=400", [2]),
        ("http_status=200", [1, 3]),
        ("thumb=true", [1]),
        ("thumb=no", [2]),
        ("tags.env=prod", [1]),
        ("tags.env!=prod", [2, 3, 4]),
        ("tags.n=3", [2]),
        ("day=2026-09-01", [2]),
        ("day<2026-09-01", [1]),
        ("ts>=2026-09-01", [2]),
        ("ts=2026-08-31", [1]),
        ("ts<2026-08-31T20:00:01", [1]),
        ("hour_of_day>=13", [1]),
        ("month=2026-0*", [1, 2]),
        ("feature=chat latency_ms>2s", [4]),
        ("model = gpt-4o", [2]),
        ("latency_ms > 2s cost_usd >$1 thumb!= true", [4]),
        ("feature=chat and latency_ms > 2s AND tags.env !=prod", [4]),
        ("model=gpt-4o* && cost_usd>$0.10", [2]),
        ("feature = 'search engine' latency_ms=", [3]),
        ("feature= model=gpt-4o", [2]),
        ("feature = model != claude", [2]),
        ("feature= and model=gpt-4o", [2]),
        ('feature!= "chat"', [2, 3]),
        ('feature = "a=b"', []),
        ('"feature=search engine"', [3]),
        ("  model=gpt-4o\n", [2]),
        ("", [1, 2, 3, 4]),
    ],
)
def test_a_filter_keeps_the_calls_it_names(term: str, expected: list[int]) -> None:
    assert lines(term) == expected
    categorical = CALLS.with_columns(pl.col(pl.String).exclude("tags").cast(pl.Categorical))
    assert lines(term, calls=categorical) == expected


def test_days_are_those_of_the_time_zone() -> None:
    assert lines("day=2026-09-01", tz="Asia/Kolkata") == [1, 2]
    assert lines("ts>=2026-09-01", tz="Asia/Kolkata") == [1, 2]


def test_terms_in_one_string_and_in_several_all_hold() -> None:
    assert lines("model=gpt-4o*", "cost_usd>$0.10") == lines("model=gpt-4o* cost_usd>$0.10") == [2]


@pytest.mark.parametrize(
    "name", [n for n, f in FIELDS.items() if f.dtype in (pl.String, pl.Boolean) or f.unit]
)
def test_a_filter_and_its_complement_share_out_all_calls(name: str) -> None:
    value = "true" if FIELDS[name].dtype == pl.Boolean else "1"
    assert sorted(lines(f"{name}={value}") + lines(f"{name}!={value}")) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("modle=x", "Did you mean model?"),
        ("cost>3", "cost is a metric, a number of many calls; filter by cost_usd"),
        ("model>3", "model is text; compare it with = or !="),
        ("latency_ms>2 x", 'not a filter. A value with blanks is quoted: latency_ms>"2 x"'),
        ("ts>2026-01-01 10:00", 'ts>"2026-01-01 10:00"'),
        ("model = gpt or feature = chat", "there is no 'or'. All terms must hold"),
        ("not model=x", "there is no 'not'"),
        ("model=x, feature=chat", "without commas"),
        ("and model=x", "not a filter"),
        ("=x", "'=x' is not a filter. Write NAME=VALUE"),
        ("model", " for the shell, as in --where 'model=gpt-4o* latency_ms>2s'"),
        ("model=x 'tags'", "not a filter"),
        ("latency_ms>2x", "may end in ms, s"),
        ("thumb=maybe", "thumb is true or false"),
        ("nonsense", "not a filter"),
        ('feature="a', "quotation mark is not closed"),
        ("latency_ms>", "> needs a value"),
        ("weekday=Monday", "not a whole number"),
        ("ts>soon", "not a time"),
        ("tags.=x", "needs a key"),
        ("tags.a\\b=x", "without backslashes"),
    ],
)
def test_a_filter_that_cannot_work_says_what_would(term: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        where.parse([term])
    assert words in str(error.value)
    assert "--where" in str(error.value)


def test_an_unknown_name_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName):
        where.parse(["xyzzy=1"])


def test_the_extra_keys_that_a_filter_asks_for_are_known() -> None:
    assert where.tags(["model=tags.no tags.env = prod", '"tags.my key=x" tags.a.b!=']) == (
        "env",
        "my key",
        "a.b",
    )


@given(st.text(st.sampled_from("model=ts<>!'\" and,&|")) | st.text())
def test_any_text_is_a_filter_or_refused_in_words(text: str) -> None:
    with suppress(UsageError):
        kept = CALLS.select(where.parse([text]).alias("kept"))["kept"]
        assert kept.null_count() == 0


# What fnmatch treats otherwise ([), what ends a term or a quotation, and NUL stay out.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="[]\"'\x00"), min_size=1)


@given(pattern=TEXT.filter(lambda t: t.strip() == t and t[0] != "="), values=st.lists(TEXT, min_size=1))
def test_a_glob_matches_what_a_shell_would(pattern: str, values: list[str]) -> None:
    calls = pl.DataFrame({"model": values, "line": range(len(values))})
    kept = calls.filter(where.parse([f'model="{pattern}"']))["model"].to_list()
    assert kept == [v for v in values if fnmatchcase(v, pattern)]


@given(
    key=st.text(st.characters(codec="utf-8", exclude_characters='"\\=!<>*?\x00'), min_size=1).filter(
        str.strip
    )
)
def test_a_tag_is_found_whatever_its_key_looks_like(key: str) -> None:
    calls = pl.DataFrame({"tags": [json.dumps({key: "yes"}), json.dumps({"other" + key: "yes"})]})
    assert calls.filter(where.parse([f'"tags.{key}=yes"'])).height == 1
