"""Fields that a person maps: paths are what a person sees, and none leads to another value than it says."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.core.errors import UsageError
from llmtel.sources import maps, raw
from llmtel.sources.maps import Mapped, Rule
from llmtel.sources.source import lookup

KEYS = st.text(min_size=1, max_size=6)
RECORDS = st.recursive(
    st.integers() | KEYS, lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3), max_leaves=8
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, RECORDS, min_size=1, max_size=3))
def test_every_path_that_is_proposed_can_be_mapped_and_leads_to_its_value(record):
    for path in maps.paths_of(record):
        said = maps.mapped("user", path)
        found = maps.located(said.path, [record])
        assert found is not None
        assert lookup(record, raw.steps_of(found)) == lookup(record, raw.steps_of(path))


@pytest.mark.parametrize(
    ("path", "record", "value"),
    [
        ("a.b", {"a": {"b": 1}, "a.b": 2}, 1),
        ("a.b", {"a": {"b": None}, "a.b": 2}, 2),
        (r"a\.b", {"a": {"b": 1}, "a.b": 2}, 2),
        ("a.b.c", {"a.b": {"c": 3}}, 3),
        ("a.b.c", {"a": {"b.c": 4}}, 4),
        ("tags[1]", {"tags": ["x", "y"]}, "y"),
    ],
)
def test_a_dot_parts_keys_unless_only_a_key_with_dots_is_there(path, record, value):
    assert lookup(record, raw.steps_of(maps.located(path, [record]))) == value


@pytest.mark.parametrize(
    ("text", "unit", "path"),
    [
        ("latency_ms=a.b:s", "s", "a.b"),
        (r"latency_ms=a\:s", None, "a:s"),
        (r"latency_ms=a\:b:us", "us", "a:b"),
        ("user=Total Tokens", None, "Total Tokens"),
        (" ts = when ", None, "when"),
    ],
)
def test_a_unit_stands_after_the_last_colon(text, unit, path):
    said = maps.parse(text)
    assert (said.path, said.unit) == (path, unit)


def test_of_two_rules_with_a_field_the_later_one_holds_where_it_fits():
    first = Rule((Mapped("user", "a"), Mapped("model", "m")))
    second = Rule((Mapped("user", "b"),), files="*.log", format="generic")
    wanted = {
        path: maps.wanted_for((first, second), *path) for path in (("x/y.log", "generic"), ("y.log", "csv"))
    }
    assert [one.path for one in wanted["x/y.log", "generic"]] == ["b", "m"]
    assert [one.path for one in wanted["y.log", "csv"]] == ["a", "m"]


@pytest.mark.parametrize("text", ["user=", "user=.", "user=a[", "user=a[x]", "=a", "user=a:", "price_id=a"])
def test_what_is_no_mapping_is_refused(text):
    with pytest.raises(UsageError):
        maps.parse(text)


def test_every_target_is_a_field_that_a_log_may_give_or_a_fact_that_fields_are_made_of():
    made = {"cost_usd", "price_id", "price_reason", "price_flags", "format", "file", "line", "tags", "grain"}
    assert not made & set(maps.TARGETS)
    assert set(maps.UNITS) <= set(maps.TARGETS)
    assert all(next(iter(units.values())) == 1.0 for units in maps.UNITS.values())
    assert pl.Series(list(maps.TARGETS)).is_unique().all()
