"""Pseudonyms: equal where the values are, and nothing but equal."""

import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from llmtel.privacy.pseudonyms import Pseudonyms

ONE, OTHER = Pseudonyms(bytes(32)), Pseudonyms(bytes(range(32)))


@given(st.lists(st.one_of(st.none(), st.text(max_size=8))))
def test_groups_stay_what_they_were_and_a_second_time_changes_nothing(values):
    series = pl.Series("user", values, dtype=pl.String)
    once = ONE.settled(series, "u_")
    assert once.name == "user"
    assert once.null_count() == series.null_count()
    assert len(set(once)) == len(set(series)) == len({*zip(once, series, strict=True)})
    assert ONE.settled(once, "u_").equals(once)
    assert OTHER.settled(once, "u_").equals(once)


def test_a_pseudonym_says_what_it_is_of_and_under_which_key_and_no_more():
    found = ONE.settled(pl.Series(["ada", "chatcmpl-ada", "", "0", None]), "u_").to_list()
    assert all(re.fullmatch(f"u_{ONE.key_id}[0-9a-f]{{32}}", one) for one in found[:2])
    assert found[2:] == ["", "0", None]
    assert ONE.one("ada") != OTHER.one("ada")
    assert repr(ONE) == "Pseudonyms()"


def test_categories_are_taken_like_texts():
    texts = pl.Series(["a", "b", None, "a"])
    assert ONE.settled(texts.cast(pl.Categorical), "u_").equals(ONE.settled(texts, "u_"))
