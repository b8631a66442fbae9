"""Prices from elsewhere, and prices in one line: compared, proposed, and written without harm to the rest."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from textwrap import dedent

import pytest
import yaml

from llmtel.core.errors import ConfigError, UsageError
from llmtel.pricing import addition, compare, edit, foreign
from llmtel.pricing.match import find

DAY = date(2026, 11, 25)
MODELS_DEV = {
    "openai": {
        "models": {
            "gpt-4o": {"cost": {"input": 2, "output": 10, "cache_read": 1.25}},
            "gpt-9": {"cost": {"input": 1.5, "output": 12}},
            "free": {},
        }
    },
    "nobody": {"models": {"x": {"cost": {"input": 1, "output": 1}}}},
}
LITELLM = {
    "sample_spec": {"input_cost_per_token": 0, "output_cost_per_token": 0},
    "gpt-4o": {
        "litellm_provider": "openai",
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06,
    },
    "dall-e": {"litellm_provider": "openai", "output_cost_per_image": 1},
}
ONE = {"input_mtok": 1, "output_mtok": 1}
GENAI = [
    {
        "id": "openai",
        "models": [
            {
                "id": "gpt-4o",
                "prices": [
                    {"prices": {"input_mtok": 9, "output_mtok": 9}},
                    {
                        "constraint": {"start_date": "2026-01-01"},
                        "prices": {
                            "input_mtok": {"base": 2, "tiers": [{"start": 128000, "price": 4}]},
                            "output_mtok": 10,
                        },
                    },
                    {
                        "constraint": {"start_date": "2027-01-01"},
                        "prices": {"input_mtok": 1, "output_mtok": 1},
                    },
                ],
            },
            {
                "id": "o3",
                "prices": [
                    {"constraint": {"start_time": "00:30"}, "prices": {"input_mtok": 1, "output_mtok": 1}}
                ],
            },
        ],
    }
]


@pytest.fixture
def quotes(tmp_path):
    def read(source, data):
        path = tmp_path / "data.json"
        path.write_text(json.dumps(data))
        return foreign.quotes(source, str(path), DAY)

    return read


@pytest.mark.parametrize(
    ("source", "data"), [("models.dev", MODELS_DEV), ("litellm", LITELLM), ("genai-prices", GENAI)]
)
def test_a_data_set_is_read_to_rates_per_million(quotes, packaged, source, data):
    found = compare.compared(packaged, quotes(source, data), DAY)
    (one,) = [d for d in found.changed["openai/gpt-4o"] if d.tier is None]
    assert (one.rate, one.mine, one.theirs) == ("input", Decimal("2.5"), 2)
    assert found.compared == 1


def test_tiers_are_compared_and_prices_by_the_hour_are_not(quotes, packaged):
    found = compare.compared(packaged, quotes("genai-prices", GENAI), DAY)
    assert [(d.tier, d.theirs) for d in found.changed["openai/gpt-4o"]] == [(None, 2), (128_000, 4)]
    assert "openai/o3" not in found.models


def test_models_of_unknown_providers_are_nobodys(quotes, packaged):
    found = compare.compared(packaged, quotes("models.dev", MODELS_DEV), DAY)
    assert [quote.model for quote in found.missing] == ["gpt-9"]
    assert compare.compared(packaged, quotes("models.dev", MODELS_DEV), DAY, ["openai/o*"]).missing == ()


def test_a_change_is_a_new_row_and_past_rows_stay(quotes, packaged):
    found = compare.compared(packaged, quotes("models.dev", MODELS_DEV), DAY)
    stanza = compare.proposed(found, packaged, DAY, "models.dev")["openai", "gpt-4o"]
    old, new = stanza["prices"]
    assert old["input"] == Decimal("2.5")
    assert (new["from"], new["input"], new["output"], new["cache_read"]) == (DAY, 2, 10, Decimal("1.25"))
    assert new["confidence"] == "single"
    # A factor holds for the new rates too; rates of a mode that were written out do not.
    assert "priority" in new
    assert "batch" not in new
    assert compare.proposed(found, packaged, DAY, "x")["openai", "gpt-9"]["prices"][0]["output"] == 12


def test_a_new_row_keeps_what_it_says_of_some_calls_and_marks_it(quotes, packaged):
    cost = {"input": 9, "output": 90}
    data = {
        "openai": {"id": "openai", "models": {"gpt-5.4": {"id": "gpt-5.4", "cost": cost}}},
        "deepseek": {
            "id": "deepseek",
            "models": {"deepseek-v4-pro": {"id": "deepseek-v4-pro", "cost": cost}},
        },
    }
    found = compare.proposed(compare.compared(packaged, quotes("models.dev", data), DAY), packaged, DAY, "x")
    new = found["openai", "gpt-5.4"]["prices"][-1]
    assert new["above"]["input"] == 5
    assert new["unconfirmed"] == ["above"]
    assert "off_peak" in found["deepseek", "deepseek-v4-pro"]["prices"][-1]
    tiered = compare.compared(packaged, quotes("genai-prices", GENAI), DAY)
    new = compare.proposed(tiered, packaged, DAY, "x")["openai", "gpt-4o"]["prices"][-1]
    assert new["above"] == [{"input_tokens": 128_000, "input": 4}]
    assert "unconfirmed" not in new


def test_a_rate_by_the_token_is_written_without_its_zeros(quotes):
    (quote,) = quotes("litellm", LITELLM)
    assert str(quote.rates["input"]) == "2"


@pytest.mark.parametrize(
    ("source", "content"), [("models.dev", "[]"), ("litellm", "{}"), ("genai-prices", "nope")]
)
def test_a_file_that_is_not_of_the_data_set_is_refused(tmp_path, source, content):
    path = tmp_path / "data.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"data.json: (not the prices of|no price in it)"):
        foreign.quotes(source, str(path), DAY)


def test_a_data_set_that_is_not_here_is_not_fetched():
    with pytest.raises(UsageError, match=r"models\.dev is not installed here; give its file \(api\.json"):
        foreign.quotes("models.dev", None, DAY)
    with pytest.raises(UsageError, match="cannot read nowhere"):
        foreign.quotes("models.dev", "nowhere", DAY)


MINE = """\
# my prices
models:
  openai:
    a:   # the first
      prices:
        - {input: 1, output: 2}   # cheap

    b: {prices: [{input: 3, output: 4}]}
  # the end
aliases: {x: openai/a}
"""
ROW = {"prices": [{"from": date(2026, 1, 1), "input": Decimal("0.10"), "output": 2}]}


def test_an_entry_is_put_into_a_file_and_comments_stay():
    text = edit.with_entry(MINE, ("models", "openai", "c"), ROW)
    assert text == MINE.replace(
        "    b: {prices: [{input: 3, output: 4}]}\n",
        "    b: {prices: [{input: 3, output: 4}]}\n"
        "    c:\n      prices:\n        - {from: 2026-01-01, input: 0.10, output: 2}\n",
    )


@pytest.mark.parametrize(
    "path",
    [
        ("models", "openai", "a"),
        ("models", "openai", "b"),
        ("models", "openai", "new"),
        ("models", "groq", "n.1:x"),
        ("providers", "acme"),
    ],
)
@pytest.mark.parametrize("text", [MINE, "", "# nothing yet\n", "models:\n", "schema: 1"])
def test_what_is_put_in_can_be_read_and_the_rest_is_as_it_was(text, path):
    before, after = yaml.safe_load(text) or {}, yaml.safe_load(edit.with_entry(text, path, ROW))
    *way, last = path
    was, now = before, after
    for key in way:
        was, now = (was or {}).get(key) or {}, now[key]
    assert now.pop(last)["prices"][0]["output"] == 2
    was.pop(last, None)
    assert now == was
    assert set(before) <= set(after)


def test_a_mapping_in_braces_is_not_taken_apart():
    with pytest.raises(UsageError, match="aliases is not written as lines; add this there:\nz: y-z"):
        edit.with_entry(MINE, ("aliases", "z"), "y-z")


def test_texts_that_yaml_would_misread_are_quoted():
    for text in ("yes", "2.0", "a: b", "it's", "-x", "", "#1", "2025-01-01", "null"):
        assert yaml.safe_load(edit.flow({"k": text})) == {"k": text}


def test_a_price_in_one_line_goes_to_its_provider_or_to_every_such_name(packaged):
    ((place, model),) = addition.entries(packaged, "claude/claude-9=1.5/7", {"cache_read": "0.15"}, None)
    assert place == ("models", "anthropic", "claude-9")
    assert model["prices"] == [{"input": Decimal("1.5"), "output": 7, "cache_read": Decimal("0.15")}]
    places = [place for place, _ in addition.entries(packaged, "acme/m-7b=1/2", {}, None)]
    assert places == [("providers", "custom"), ("models", "custom", "acme/m-7b"), ("aliases", "acme/m-7b")]


def test_a_model_with_a_price_needs_a_later_day_for_another(packaged):
    with pytest.raises(UsageError, match="has a price since 2025-06-10; a new one needs a later day"):
        addition.entries(packaged, "openai/o3=1/2", {}, date(2025, 6, 10))
    ((_, model),) = addition.entries(packaged, "openai/o3-2025-04-16=1/2", {}, date(2027, 1, 1))
    assert [row.get("from") for row in model["prices"]] == [None, date(2025, 6, 10), date(2027, 1, 1)]


@pytest.mark.parametrize("text", ["gpt-9", "gpt-9=1", "=1/2", "gpt-9=a/b", "gpt-9=1..2/3"])
def test_what_is_no_price_is_refused(packaged, text):
    with pytest.raises(UsageError, match=r"a price is|is no rate"):
        addition.entries(packaged, text, {}, None)


def test_a_layer_says_of_which_dates_it_speaks(layered):
    layer = dedent("""\
        models:
          openai:
            m: {any_date: true, prices: [{input: 1, output: 2}]}
            n: {prices: [{input: 1, output: 2}]}
        """)
    names = ("m-2026-01-31", "m@20260131", "m-99", "n-2026-01-31", "m-20261331")
    book = layered(layer)
    assert [name for name in names if find(book, "openai", name).model] == ["m-2026-01-31", "m@20260131"]
