"""Causes of a change of money: they add up to the cent, and each names what moved and what can be done."""

from hypothesis import given
from hypothesis import strategies as st

from llmtel.reports.bridges import in_cents
from llmtel.reports.causes import since

AMOUNTS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)


@given(AMOUNTS)
def test_amounts_in_cents_add_up_to_their_sum_in_cents(amounts):
    cents = in_cents(amounts)
    if max(map(abs, amounts)) < 1:
        assert cents == amounts
        return
    assert round(sum(cents) * 100) == round(sum(amounts) * 100)
    assert all(abs(a - b) < 0.011 for a, b in zip(cents, amounts, strict=True))


def test_what_is_there_for_the_first_time_is_named_with_what_was_there_before():
    assert since({"prompt": ["v3"]}, {"prompt": ["v4"]}) == "prompt v4, first seen in this run (before: v3)"
    assert since({"prompt": ["v3"]}, {"prompt": ["v3"]}) == ""
    assert since({}, {"prompt": ["v3"]}) == ""
