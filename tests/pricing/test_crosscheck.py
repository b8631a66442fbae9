"""The whole book beside genai-prices, on every day on which a row of it begins: `pytest -m crosscheck`.

Two data sets may copy the same mistake, so agreement proves little; a disagreement is looked into, and either
mended or told here with its reason. Not part of the usual run: the other data set changes when it likes.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from llmtel.pricing import compare, foreign
from llmtel.pricing.match import find
from llmtel.pricing.rates import Circumstances, card

say = print  # what this suite is for, besides failing
pytestmark = pytest.mark.crosscheck

FEWEST = 200
"""Models that can be compared; fewer, and the comparison has lost its way."""

HISTORY = "it keeps no older price: the row before the cut rests on other data sets"
RESELLER = "resellers change prices weekly and state them by route; the logged cost counts"
LATEST = "it finds names by their beginning, here an older model; `latest` is Large 3 since 2025-12-02"
KNOWN = {
    ("openai/o3", "cache_read"): "it dates the lower cache rate back to the launch; the input was 10 then",
    ("google/gemini-1.5-pro", "input"): HISTORY,
    ("google/gemini-1.5-pro", "output"): HISTORY,
    ("groq/openai/gpt-oss-120b", "output"): HISTORY,
    ("groq/openai/gpt-oss-120b", "cache_read"): HISTORY,
    ("groq/openai/gpt-oss-20b", "input"): HISTORY,
    ("groq/openai/gpt-oss-20b", "output"): HISTORY,
    ("groq/openai/gpt-oss-20b", "cache_read"): HISTORY,
    ("mistral/mistral-large-latest", "input"): LATEST,
    ("mistral/mistral-large-latest", "output"): LATEST,
    ("mistral/mistral-embed", "output"): "embeddings have no output tokens, so the rate prices nothing",
    ("fireworks/gpt-oss-120b", "cache_read"): "it has 0.014 until 2026-10-18 and 0.015 since",
    ("openrouter/google/gemini-2.5-flash", "cache_read"): RESELLER,
    ("openrouter/google/gemini-2.5-flash", "cache_write_5m"): RESELLER,
}
"""Disagreements (model, rate) that were looked into, and why the book stays as it is."""


@pytest.fixture(scope="module")
def library():
    return {p.id: p for p in pytest.importorskip("genai_prices.data").providers}


def theirs(library, book, day):
    """What the library has, and what it finds for each of the book's models under the book's name for it."""
    yield from foreign.quotes("genai-prices", None, day)
    for model in book.models():
        provider = library.get(model.provider) or library.get({"voyage": "voyageai"}.get(model.provider))
        # The rates of the book are those of the global endpoint; a bare name at Amazon is a regional one.
        name = model.id if find(book, model.provider, model.id).geo == 1 else f"global.{model.id}"
        found = provider.find_model(name) if provider else None
        prices = foreign._of_day(found.prices, day) if found else None
        if prices is not None:
            yield foreign._tiered(model.provider, name, prices)


def days(book):
    starts = {price.start for model in book.models() for price in model.prices if price.start}
    around = {day for start in starts for day in (start - timedelta(days=1), start)}
    return sorted({*around, book.as_of})


def test_the_book_agrees_with_a_second_source_or_says_why_not(packaged, library, capsys):
    met, apart = set(), {}
    for day in days(packaged):
        found = compare.compared(packaged, theirs(library, packaged, day), day)
        met |= found.models.keys()
        for one in (d for differences in found.changed.values() for d in differences):
            apart.setdefault((one.model, one.rate), {})[day] = one
    with capsys.disabled():
        say(f"\n{len(met)} of {len(packaged.models())} models are in genai-prices")
        alone = sorted(f"{m.provider}/{m.id}" for m in packaged.models() if f"{m.provider}/{m.id}" not in met)
        say(f"not in it: {', '.join(alone)}")
        for (model, rate), on in sorted(apart.items()):
            first = next(iter(on.values()))
            reason = KNOWN.get((model, rate), "NOT LOOKED INTO")
            say(f"{model} {rate}: {first.mine} here, {first.theirs} there, {min(on)} to {max(on)}: {reason}")
    assert len(met) >= FEWEST
    assert apart.keys() - KNOWN.keys() == set()


def test_batch_flex_and_priority_agree_too(packaged, library, capsys):
    compared, apart = 0, []
    for model in packaged.models():
        found = library[model.provider].find_model(model.id) if model.provider in library else None
        for variant in (found and found.price_variants) or ():
            mode = variant.when.get("processing") or variant.when.get("service_tier")
            start = getattr(variant.constraint, "start_date", None)
            # OpenAI's `fast` is this library's second word for priority.
            if (
                len(variant.when) > 1
                or mode in {None, "default", "fast"}
                or (start and start > packaged.as_of)
            ):
                continue
            quote = foreign._tiered(model.provider, model.id, variant.prices)
            mine = card(find(packaged, model.provider, model.id), Circumstances(packaged.as_of, mode=mode))
            for rate, leaf in (("input", "input_uncached"), ("output", "output_text")):
                if rate in quote.rates and not mine.reason:
                    compared += 1
                    if abs(mine.rates[leaf] * 1_000_000 - quote.rates[rate]) > 1e-6:
                        apart.append((model.id, mode, rate, mine.rates[leaf] * 1_000_000, quote.rates[rate]))
    with capsys.disabled():
        say(f"\n{compared} rates of modes compared; apart: {apart or 'none'}")
    assert compared > 100
    assert apart == []
