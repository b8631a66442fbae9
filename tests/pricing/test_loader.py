"""Every rule of a price file refuses one bad file, and says where; the packaged book passes them all."""

from __future__ import annotations

import pytest

from llmtel.core.errors import ConfigError

ONE = "[{input: 1, output: 2}]"
ROW = "models:\n  openai:\n    m:\n      prices:\n        - {input: 1, output: 2"


def row(more):
    return f"{ROW}, {more}}}"


BAD = {
    "unknown key": ("modles: {}", 1, "did you mean models"),
    "unknown key of a row": (row("cache_reed: 1"), 5, "did you mean cache_read"),
    "unknown key of a model": ("models:\n  openai:\n    m: {price: []}", 3, "did you mean prices"),
    "unknown key of a tier": (row("above: {input_tokens: 200000, inputs: 2}"), 5, "did you mean input"),
    "unknown schema": ("schema: 2", 1, "schema 1"),
    "another currency": ("currency: EUR", 1, "USD"),
    "unknown provider": ("models:\n  acme:\n    m:\n      prices: [{input: 1, output: 2}]", 3, "'acme'"),
    "no prices": ("models:\n  openai:\n    m: {names: [n]}", 3, "needs prices"),
    "no rows": ("models:\n  openai:\n    m: {prices: []}", 3, "at least one row"),
    "no input rate": (
        "models:\n  openai:\n    m:\n      prices:\n        - {output: 2}",
        5,
        "rate for input",
    ),
    "no output rate": (
        "models:\n  openai:\n    m:\n      prices:\n        - {input: 2}",
        5,
        "rate for output",
    ),
    "negative rate": (row("cache_read: -1"), 5, "negative"),
    "a rate as text": (row('cache_read: "0.5"'), 5, "plain decimal number, not '0.5'"),
    "a rate in exponents": (row("cache_read: 1e-6"), 5, "plain decimal number, not '1e-6'"),
    "a rate as a boolean": (row("cache_read: yes"), 5, "plain decimal number, not True"),
    "a rate per thousand": (row("cache_read: 10001"), 5, "too much"),
    "a rate per token": (row("cache_read: 0.0000025"), 5, "per token"),
    "a day that is text": (row("from: 2025-6-1"), 5, "must be a day"),
    "a row without a day": (ROW + "}\n        - {input: 1, output: 3}", 6, "needs the day"),
    "rows out of order": (
        row("from: 2025-06-10") + "\n        - {from: 2025-06-10, input: 1, output: 3}",
        6,
        "2025-06-10 after 2025-06-10",
    ),
    "a tier without a threshold": (row("above: {input: 2}"), 5, "input_tokens"),
    "a small threshold": (row("above: {input_tokens: 200}"), 5, "1000 or more"),
    "half a token": (row("above: {input_tokens: 2000.5}"), 5, "whole number"),
    "thresholds that fall": (row("above: [{input_tokens: 2000}, {input_tokens: 1000}]"), 5, "must rise"),
    "no hours": (row("off_peak: {input: 1}"), 5, "needs its hours"),
    "bad hours": (row('off_peak: {utc: "24:00-01:00"}'), 5, "must be hours"),
    "no time": (row('off_peak: {utc: "01:00-01:00"}'), 5, "two different times"),
    "unknown mode": (row("bulk: 0.5"), 5, "unknown key"),
    "a factor of nothing": (row("batch: 0"), 5, "above 0"),
    "a mode's tier without the row's": (row("batch: {input: 1, above: {input: 2}}"), 5, "the row has 0"),
    "unknown confidence": (row("confidence: high"), 5, "single"),
    "unknown part": (row("unconfirmed: [price]"), 5, "must be one of"),
    "a name twice": (
        "models:\n  openai:\n    m:\n      names: [M]\n      prices: [{input: 1, output: 2}]",
        4,
        "'M' stands twice",
    ),
    "a name of two models": (
        f"models:\n openai:\n  m: {{names: [x], prices: {ONE}}}\n  n:\n   names: [x]\n   prices: {ONE}",
        5,
        "'x' stands twice among the names of openai",
    ),
    "an alias of two providers": (
        "providers:\n  a: {aliases: [x]}\n  b:\n    aliases:\n      - X",
        5,
        "'X' stands twice",
    ),
    "a flag that is text": ("providers:\n  a: {tier_inclusive: maybe}", 2, "true or false"),
    "another preference": ("providers:\n  a: {prefer: list}", 2, "logged"),
    "a fall-back to nobody": (
        "providers:\n  a: {falls_back_to: [nobody]}",
        2,
        "'nobody', which is no provider",
    ),
    "a vendor that is nobody": ("providers:\n  a: {vendor_fallback: {x: nobody}}", 2, "'nobody'"),
    "a circle": (
        "providers:\n  a: {falls_back_to: [b]}\n  b: {falls_back_to: [a]}",
        2,
        "falls back to itself",
    ),
    "an alias to nothing": ("aliases:\n  mine: openai/gpt-0", 2, "leads nowhere"),
    "an alias to nobody": ("aliases:\n  mine: nobody/gpt-4o", 2, "leads nowhere"),
    "an alias twice": ("aliases:\n  mine: openai/gpt-4o\n  Mine: openai/o3", 3, "stands twice"),
    "half a tokenizer": ("tokenizers:\n  t: {base: o200k_base}", 2, "a base and a factor"),
    "a list for a mapping": ("models: []", 1, "must be a mapping"),
    "a mapping for a list": ("providers:\n  a: {prefixes: {}}", 2, "must be a list"),
}


@pytest.mark.parametrize(("text", "line", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_line(layered, text, line, message):
    with pytest.raises(ConfigError) as raised:
        layered(text)
    assert f"prices0.yaml:{line}: " in str(raised.value)
    assert message in str(raised.value)


def test_a_tokenizer_that_no_layer_names_is_refused(layered):
    with pytest.raises(
        ConfigError, match=r"prices0\.yaml:1: models > openai > m > tokenizer: must be one of"
    ):
        layered("models: {openai: {m: {tokenizer: o300k, prices: [{input: 1, output: 2}]}}}")


def test_the_packaged_book_is_whole(packaged):
    models = {id(model): model for names in packaged.names.values() for model in names.values()}
    assert len(models) >= 212
    assert len(packaged.providers) >= 14
    assert packaged.layers == ("pricing.yaml",)


def test_a_file_needs_no_more_than_what_it_adds(layered):
    book = layered("models: {openai: {m: {prices: [{input: 1, output: 2}]}}}")
    assert book.names["openai"]["m"].id == "m"
