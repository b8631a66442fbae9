"""The waist: catalogs suggest, units round-trip, the account adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.core import catalog, schema, units
from llmtel.core.account import Account
from llmtel.core.errors import UnknownName, UsageError

UNITS = [units.USD, units.COUNT, units.TOKENS, units.SHARE, units.MS, units.RATING]


def test_a_wrong_name_suggests_the_right_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean model"):
        schema.FIELDS["modle"]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("p95", "p95_latency or p95_ttft"),
        ("latency", "mean_latency, p95_latency or mean_cache_latency"),
        ("latency-p95", "p95_latency"),
        ("Mean_Lat", "mean_latency or mean_cache_latency"),
        ("cost_call", "cost_per_call"),
        ("p95_latncy", "p95_latency"),
    ],
)
def test_a_part_of_a_name_suggests_all_that_say_it(wrong: str, meant: str) -> None:
    names = ("cost_per_call", "mean_cache_latency", "mean_latency", "p95_latency", "p95_ttft")
    assert catalog.unknown("metric", wrong, names) == f"there is no metric {wrong!r}. Did you mean {meant}?"


@pytest.mark.parametrize("wrong", ["", "_", "xyzzy", "95"])
def test_a_name_like_no_other_lists_what_there_is(wrong: str) -> None:
    assert catalog.unknown("metric", wrong, ("cost", "p95_ttft")).endswith(". Known: cost, p95_ttft.")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
@given(value=st.floats(min_value=0.02, max_value=1e9))
def test_what_a_unit_shows_it_reads_back(unit: units.Unit, value: float) -> None:
    assert unit.read(unit.show(value)) == pytest.approx(
        value, rel=0.06, abs=0.5 if unit is units.COUNT else 0.05
    )


def test_a_unit_refuses_what_is_no_number() -> None:
    with pytest.raises(UsageError, match="may end in"):
        units.MS.read("2 weeks")


def test_missing_fields_are_null_of_their_dtype() -> None:
    calls = schema.complete(schema.empty_calls(["ts", "model"]))
    assert calls.schema == schema.polars_schema()


def test_token_leaves_are_fields() -> None:
    assert set(schema.LEAVES) <= set(schema.FIELDS)


def test_the_account_balances_when_every_record_went_somewhere() -> None:
    total = Account()
    total.add(Account(records=5, calls=2, rejected=1, other=1, blank=1))
    assert total.balance() == 0
    total.add(Account(records=1))
    assert total.balance() == 1
