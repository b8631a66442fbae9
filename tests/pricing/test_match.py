"""A name in a log leads to one model exactly, or to none; never by a part of it."""

from __future__ import annotations

import pytest
import yaml

from llmtel.pricing import match

HIT = [
    ("openai", "GPT-4o ", "openai/gpt-4o", 1.0),
    ("OpenAI", "openai/gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13", 1.0),
    ("openai", "ft:gpt-4o-mini-2024-07-18:acme::9xYz", "openai/ft:gpt-4o-mini-2024-07-18", 1.0),
    ("azure_openai", "azure/gpt-35-turbo", "openai/gpt-3.5-turbo", 1.0),
    ("azure", "azure/eu/gpt-4o-2024-08-06", "openai/gpt-4o", 1.1),
    ("anthropic", "claude-opus-4-6[1m]", "anthropic/claude-opus-4-6", 1.0),
    ("google-vertex", "claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5", 1.0),
    (
        "vertex_ai",
        "projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-1@20250805",
        "anthropic/claude-opus-4-1",
        1.0,
    ),
    ("gemini", "models/gemini-2.5-pro", "google/gemini-2.5-pro", 1.0),
    ("bedrock", "bedrock/converse/eu.anthropic.claude-opus-4-6-v1", "aws/anthropic.claude-opus-4-6-v1", 1.1),
    (
        "bedrock",
        "eu.anthropic.claude-3-haiku-20240307-v1:0",
        "aws/anthropic.claude-3-haiku-20240307-v1:0",
        1.0,
    ),
    ("openrouter", "openai/gpt-4o-2024-08-06", "openai/gpt-4o", 1.0),
    ("openrouter", "openai/gpt-4o", "openrouter/openai/gpt-4o", 1.0),
    (None, "gpt-4o", "openai/gpt-4o", 1.0),
    (None, "openai/gpt-4o", "openai/gpt-4o", 1.0),
    (None, "azure/us/gpt-4o", "openai/gpt-4o", 1.1),
    ("  ", "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5", 1.0),
]


@pytest.mark.parametrize(("provider", "model", "target", "factor"), HIT)
def test_a_name_leads_to_its_model(packaged, provider, model, target, factor):
    found = match.find(packaged, provider, model)
    assert (found.reason, f"{found.model.provider}/{found.model.id}") == (None, target)
    assert float(found.geo) == factor


MISS = [
    ("openai", None, "no_model"),
    ("openai", " ", "no_model"),
    ("acme", "gpt-4o", "unknown_provider"),
    ("openai", "gpt-4o-2099-01-01", "unknown_model"),
    ("openai", "gpt-4", None),
    ("openai", "gpt-4-", "unknown_model"),
    ("openai", "my-gpt-4o", "unknown_model"),
    ("openai", "ft:davinci:acme::1", "unknown_model"),
    ("azure", "prod-chat", "unknown_model"),
    ("openrouter", "openai/gpt-4o:free", "unknown_model"),
    ("google", "projects/p/locations/l/endpoints/123", "unknown_model"),
    (None, "claude-opus-99", "unknown_model"),
]


@pytest.mark.parametrize(("provider", "model", "reason"), MISS)
def test_a_name_that_is_near_is_not_the_name(packaged, provider, model, reason):
    assert match.find(packaged, provider, model).reason == reason


def test_a_name_of_several_vendors_needs_its_provider(layered):
    row = "{prices: [{input: 1, output: 1}]}"
    book = layered(f"models:\n  groq: {{shared: {row}}}\n  together: {{shared: {row}}}\n")
    found = match.find(book, None, "shared")
    assert found.reason == "ambiguous_model"
    assert match.suggestions(book, None, "shared") == ("groq/shared", "together/shared")
    assert match.find(book, "groq", "shared").model is not None


def test_an_alias_is_tried_first_and_may_lead_through_a_fall_back(layered):
    book = layered("aliases:\n  Prod-Chat: azure/us/gpt-4o-2024-08-06\n  gpt-4o: openai/o3\n")
    found = match.find(book, "azure", "prod-chat")
    assert (found.model.id, float(found.geo), found.fallback) == ("gpt-4o", 1.1, True)
    assert match.find(book, "openai", "gpt-4o").model.id == "o3"


def test_the_providers_own_row_beats_its_fall_back(layered):
    book = layered("models:\n  azure:\n    gpt-4o: {prices: [{input: 3, output: 12}]}\n")
    assert match.find(book, "azure", "gpt-4o").model.provider == "azure"
    assert match.find(book, "azure", "gpt-4o-2024-08-06").model.provider == "openai"


def test_near_names_are_suggested(packaged):
    assert match.suggestions(packaged, "openai", "gpt-4o-minni")[0] == "openai/gpt-4o-mini"
    assert len(match.suggestions(packaged, None, "claude-opus-4-9")) <= 3
    assert match.suggestions(packaged, None, "§§§") == ()


def test_the_alias_to_paste_gives_the_model_a_price(packaged, layered):
    stanza = match.alias_stanza(packaged, "openai", "gpt-4o-minni")
    assert match.find(layered(stanza), "openai", "gpt-4o-minni").model.id == "gpt-4o-mini"


@pytest.mark.parametrize("provider", [None, "openai", "acme"])
def test_without_a_near_name_the_row_to_paste_waits_for_its_numbers(packaged, layered, provider):
    stanza = match.alias_stanza(packaged, provider, "zz-9: x")
    with pytest.raises(Exception, match="must be a plain decimal number, not 'INPUT'"):
        layered(stanza)
    book = layered(stanza.replace("INPUT", "1.5").replace("OUTPUT", "2"))
    assert match.find(book, provider, "zz-9: x").model.id == "zz-9: x"


@pytest.mark.parametrize(
    "name", ["a: b", "# x", "{y}", "yes", "1.0", "*x", "q\"uo'te", "\x1b[31mred", "a\nb", "\u202ex"]
)
def test_a_hostile_name_stays_one_key_of_the_stanza(packaged, name):
    stanza = match.alias_stanza(packaged, "openai", name)
    assert "\x1b" not in stanza
    assert "\u202e" not in stanza
    data = yaml.safe_load(stanza)
    assert name in (data.get("aliases") or data["models"]["openai"])
