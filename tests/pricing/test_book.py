"""Layers of the book: the later one wins, whole entries at a time, and the book says what it is made of."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from llmtel.core.errors import ConfigError, UsageError
from llmtel.pricing import book

MINE = "models:\n  openai:\n    gpt-4o:\n      prices: [{input: 7, output: 8}]\n"


def test_a_layer_replaces_a_whole_model(ask, layered):
    prices = layered(MINE)
    assert ask(prices, provider="openai", model="gpt-4o")["cost_usd"] == pytest.approx(0.0078)
    # The cache rate of the packaged model is gone with it: rates are never merged key by key.
    cached = ask(prices, provider="openai", model="gpt-4o", input_uncached=0, cache_read=1000)
    assert cached["cost_usd"] == pytest.approx(0.0078)
    assert cached["price_flags"] == "assumed_cache_rate"


def test_a_replaced_model_loses_its_other_names(ask, layered):
    assert ask(layered(MINE), provider="openai", model="gpt-4o-2024-08-06")["price_reason"] == "unknown_model"


def test_the_last_of_several_layers_wins(ask, layered):
    prices = layered(MINE, MINE.replace("7", "9"))
    assert ask(prices, provider="openai", model="gpt-4o")["cost_usd"] == pytest.approx(0.0098)


def test_a_layer_replaces_a_provider(ask, layered):
    prices = layered("providers:\n  groq: {aliases: [grok-cloud]}\n")
    call = {"model": "llama-3.3-70b-versatile"}
    assert ask(prices, provider="grok-cloud", **call)["cost_usd"] is not None
    assert ask(prices, provider="groq", **call)["cost_usd"] is not None
    assert ask(prices, provider="groq", model="groq/llama-3.3-70b-versatile")["cost_usd"] is None


def test_the_layers_are_named_in_order(layered, monkeypatch, tmp_path):
    home = tmp_path / "home"
    (home / ".config" / "llmtel").mkdir(parents=True)
    (home / ".config" / "llmtel" / "pricing.yaml").write_text("aliases: {one: openai/gpt-4o}")
    variable = tmp_path / "team.yaml"
    variable.write_text("aliases: {two: openai/gpt-4o}")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LLMTEL_PRICING", str(variable))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    found = layered("aliases: {three: openai/gpt-4o}", prices=["four=1/2"])
    assert found.layers == (
        "pricing.yaml",
        "~/.config/llmtel/pricing.yaml",
        str(variable),
        str(tmp_path / "prices0.yaml"),
        "--price four=1/2",
    )
    assert set(found.aliases) == {"one", "two", "three", "four"}


def test_a_file_of_the_working_directory_is_not_read(ask, monkeypatch, tmp_path):
    (tmp_path / "pricing.yaml").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    assert book.load().layers == ("pricing.yaml",)
    assert ask(book.load(), provider="openai", model="gpt-4o")["cost_usd"] == pytest.approx(0.0035)


def test_the_book_is_dated_and_hashed(packaged, layered):
    content = (Path(__file__).parents[2] / "pricing.yaml").read_bytes()
    assert packaged.as_of == date(2026, 11, 23)
    assert packaged.sha256 == sha256(content).hexdigest()
    mine = layered(MINE)
    assert mine.sha256 == sha256(content + MINE.encode()).hexdigest()
    assert mine.as_of == packaged.as_of


def test_a_price_on_the_command_line_prices_a_model_of_any_provider(ask, layered):
    prices = layered(prices=["Acme-7b=0.2/0.6"])
    for provider in (None, "acme", "openai"):
        answer = ask(prices, provider=provider, model="acme-7B")
        assert answer["cost_usd"] == pytest.approx(0.00026)
        assert answer["price_id"] == "--price/Acme-7b"


def test_a_price_on_the_command_line_beats_every_file(ask, layered):
    prices = layered(MINE, prices=["gpt-4o=$1 / $.5"])
    assert ask(prices, provider="openai", model="gpt-4o")["cost_usd"] == pytest.approx(0.00105)


def test_prices_with_commas_between_are_prices_each(ask, layered):
    prices = layered(prices=["acme-7b=0.2/0.6, gpt-5=$1/$2,"])
    assert prices.layers[1:] == ("--price acme-7b=0.2/0.6", "--price gpt-5=$1/$2")
    assert ask(prices, model="acme-7b")["cost_usd"] == pytest.approx(0.00026)
    assert ask(prices, provider="openai", model="gpt-5")["cost_usd"] == pytest.approx(0.0012)


def test_a_comma_before_the_price_is_part_of_the_name(ask, layered):
    assert ask(layered(prices=["a,b=1/1"]), model="a,b")["cost_usd"] == pytest.approx(0.0011)


def test_names_may_hold_what_yaml_and_options_use(ask, layered):
    prices = layered(prices=["a=b: {c}=1/1", "ns/x:y=1/1"])
    for name in ("a=b: {c}", "ns/x:y"):
        assert ask(prices, model=name)["cost_usd"] == pytest.approx(0.0011)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme",
        "acme=1",
        "acme=1/",
        "acme=-1/2",
        "=1/2",
        "acme=1/2/3",
        "acme=1e3/2",
        "a=1/2,b",
        "a=1/2,=1/2",
    ],
)
def test_a_price_that_is_none_is_a_usage_error(text):
    with pytest.raises(UsageError, match="NAME=INPUT/OUTPUT"):
        book.load(prices=[text])


def test_a_price_per_token_is_refused():
    with pytest.raises(ConfigError, match=r"--price acme=0\.000002/0\.000006: .*per token"):
        book.load(prices=["acme=0.000002/0.000006"])


def test_a_price_file_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"cannot read the price file nowhere\.yaml"):
        book.load([Path("nowhere.yaml")])


def test_a_circle_of_fall_backs_across_layers_is_found(layered):
    with pytest.raises(ConfigError, match=r"prices1\.yaml:2: .*falls back to itself"):
        layered("aliases:\n  mine: azure/nothing", "providers:\n  openai: {falls_back_to: [azure]}")
