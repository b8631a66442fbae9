"""One price file to a layer of the book, with everything that can be judged from the file alone checked.

What needs the other layers (whether an alias leads anywhere) is checked in `book`. Every error names file and
line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from llmtel.document import Document, Place
from llmtel.pricing import contracts
from llmtel.pricing.contracts import Credit, Discount
from llmtel.pricing.entries import Model, Provider
from llmtel.pricing.rows import factor, prices
from llmtel.tokens.counting import Tokenizer
from llmtel.tokens.encodings import ENCODINGS

SCHEMA = 1

_TOP_KEYS = (
    "schema",
    "as_of",
    "currency",
    "tokenizers",
    "aliases",
    "providers",
    "models",
    "discounts",
    "credits",
)
_TOKENIZER_KEYS = ("base", "factor", "exact", "measured", "source", "checked")
_PROVIDER_KEYS = (
    "aliases", "prefixes", "arn", "geo", "rename", "replace", "falls_back_to", "vendor_fallback",
    "tier_inclusive", "prefer", "source",
)  # fmt: skip
_MODEL_KEYS = (
    "names",
    "any_date",
    "context",
    "tokenizer",
    "reasons",
    "checked",
    "source",
    "geo",
    "region_factor",
    "prices",
)


class Layer(Struct, frozen=True):
    """One file of the book as it stands: what it says, and where, for the checks across layers.

    `models` are by provider and id, `aliases` by the name in the log in small letters. `tokenizer_of` are the
    places where a model names its tokenizer, `provider_at` and `models_at` those of a provider's entries,
    `as_of_at` that of the date.
    """

    name: str
    content: bytes
    as_of: date | None = None
    as_of_at: Place | None = None
    tokenizers: Mapping[str, Tokenizer] = field(default_factory=dict)
    aliases: Mapping[str, Place] = field(default_factory=dict)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Model]] = field(default_factory=dict)
    tokenizer_of: tuple[Place, ...] = ()
    provider_at: Mapping[str, Place] = field(default_factory=dict)
    models_at: Mapping[str, Place] = field(default_factory=dict)
    discounts: tuple[Discount, ...] | None = None
    credits: tuple[Credit, ...] | None = None


def parse(document: Document) -> Layer:
    """The layer that a document describes. Raises `ConfigError` with file and line."""
    top = document.top.items(_TOP_KEYS)
    if "schema" in top and top["schema"].value != SCHEMA:
        top["schema"].fail(f"this llmtel reads price files of schema {SCHEMA}")
    if "currency" in top:
        top["currency"].choice(("USD",))
    models = _section(top, "models")
    rows = {provider: entries.items() for provider, entries in models.items()}
    return Layer(
        name=document.name,
        content=document.content,
        as_of=top["as_of"].day() if "as_of" in top else None,
        as_of_at=top.get("as_of"),
        tokenizers=_tokenizers(_section(top, "tokenizers")),
        aliases=_aliases(_section(top, "aliases")),
        providers=_providers(_section(top, "providers")),
        models={provider: _models(provider, entries) for provider, entries in rows.items()},
        tokenizer_of=tuple(
            keys["tokenizer"]
            for entries in rows.values()
            for entry in entries.values()
            if "tokenizer" in (keys := entry.items())
        ),
        provider_at=_section(top, "providers"),
        models_at=models,
        discounts=contracts.discounts(top["discounts"]) if "discounts" in top else None,
        credits=contracts.credits_(top["credits"]) if "credits" in top else None,
    )


def _section(top: Mapping[str, Place], name: str) -> dict[str, Place]:
    return top[name].items() if name in top else {}


def _tokenizers(section: Mapping[str, Place]) -> dict[str, Tokenizer]:
    return {name: _tokenizer(entry) for name, entry in section.items()}


def _tokenizer(entry: Place) -> Tokenizer:
    keys = entry.items(_TOKENIZER_KEYS)
    if not {"base", "factor"} <= keys.keys():
        entry.fail("needs a base and a factor")
    flags = {name: keys[name].flag() for name in ("exact", "measured") if name in keys}
    return Tokenizer(
        keys["base"].choice(tuple(ENCODINGS)),
        float(factor(keys["factor"])),
        **flags,
        source=keys["source"].text() if "source" in keys else None,
        checked=keys["checked"].day() if "checked" in keys else None,
    )


def _aliases(section: Mapping[str, Place]) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for name, place in section.items():
        if name.lower() in found:
            place.fail(f"the alias {name!r} stands twice (letter case aside)")
        place.text()
        found[name.lower()] = place
    return found


def _providers(section: Mapping[str, Place]) -> dict[str, Provider]:
    seen: set[str] = set()
    return {name: _provider(name, place, seen) for name, place in section.items()}


def _provider(name: str, place: Place, seen: set[str]) -> Provider:
    keys = place.items(_PROVIDER_KEYS)
    aliases = list(keys["aliases"].entries()) if "aliases" in keys else []
    return Provider(
        id=name,
        aliases=tuple(alias.unique(seen, "among the aliases of providers").lower() for alias in aliases),
        prefixes=_longest_first(keys["prefixes"].texts()) if "prefixes" in keys else (),
        resource_names="arn" in keys and keys["arn"].flag(),
        geo=_geo(keys["geo"].items()) if "geo" in keys else {},
        rename=_words(keys, "rename"),
        replace=_words(keys, "replace"),
        falls_back_to=keys["falls_back_to"].texts() if "falls_back_to" in keys else (),
        vendor_fallback=_words(keys, "vendor_fallback"),
        tier_inclusive="tier_inclusive" in keys and keys["tier_inclusive"].flag(),
        prefer_logged="prefer" in keys and keys["prefer"].choice(("logged",)) == "logged",
        source=keys["source"].text() if "source" in keys else None,
    )


def _longest_first(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted((text.lower() for text in texts), key=lambda text: (-len(text), text)))


def _geo(entries: Mapping[str, Place]) -> dict[str, Decimal | None]:
    found = {
        prefix.lower(): None if place.value == "model" else factor(place) for prefix, place in entries.items()
    }
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _words(keys: Mapping[str, Place], name: str) -> dict[str, str]:
    if name not in keys:
        return {}
    pairs = keys[name].items()
    for place in pairs.values():
        if not isinstance(place.value, str):
            place.text()
    return {key.lower(): str(place.value).lower() for key, place in pairs.items()}


def model_alone(provider: str, name: str, place: Place) -> Model:
    """A model by itself, whatever stands beside it. Raises `ConfigError` with file and line."""
    return _model(provider, name, place, {name.lower()})


def provider_alone(name: str, place: Place) -> Provider:
    """A provider by itself, whatever stands beside it. Raises `ConfigError` with file and line."""
    return _provider(name, place, set())


def _models(provider: str, entries: Mapping[str, Place]) -> dict[str, Model]:
    seen: set[str] = set()
    found = {}
    for name, place in entries.items():
        if name.lower() in seen:
            place.fail(f"{name!r} stands twice among the names of {provider}")
        seen.add(name.lower())
    for name, place in entries.items():
        found[name] = _model(provider, name, place, seen)
    return found


def _model(provider: str, name: str, place: Place, seen: set[str]) -> Model:
    keys = place.items(_MODEL_KEYS)
    if "prices" not in keys:
        place.fail("needs prices")
    names = list(keys["names"].entries()) if "names" in keys else []
    regions = keys["region_factor"].items() if "region_factor" in keys else {}
    return Model(
        provider=provider,
        id=name,
        names=tuple(other.unique(seen, f"among the names of {provider}") for other in names),
        prices=prices(keys["prices"]),
        geo=factor(keys["geo"]) if "geo" in keys else Decimal(1),
        region_factor={region.lower(): factor(where) for region, where in regions.items()},
        any_date="any_date" in keys and keys["any_date"].flag(),
        context=keys["context"].whole() if "context" in keys else None,
        tokenizer=keys["tokenizer"].text() if "tokenizer" in keys else None,
        reasons="reasons" in keys and keys["reasons"].flag(),
        checked=keys["checked"].day() if "checked" in keys else None,
        source=keys["source"].text() if "source" in keys else None,
        at=place,
    )
