"""From the name in the log to the model in the book: exact, in a fixed order, the first hit wins.

The same name never means two things: a name is looked up through aliases, prefixes, geographies and
fall-backs, but never by a part of it. A date suffix is a part of the name (a snapshot may cost twice its
successor).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches

import yaml
from msgspec import Struct
from msgspec.structs import replace

from llmtel.pricing.entries import Book, Model, Provider

_RESOURCES = ("arn:", "projects/")
"""How full resource names begin (Amazon, Google); the model is what follows the last slash."""

_DATE = re.compile(r"[-@](20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]))", re.ASCII)
"""The date of a snapshot, at the end of a name."""

_NEAR = 3
_CUTOFF = 0.6


class Match(Struct, frozen=True):
    """The model that a name leads to, or the reason why there is none.

    `provider` is the provider that was called, if it is known; `factor` the geography's (None: the model's
    own); `fallback` whether the price is another provider's; `hits` what an ambiguous name could be; `steps`
    are the ways in which the name was changed until it was found, in words.
    """

    provider: Provider | None = None
    model: Model | None = None
    factor: Decimal | None = Decimal(1)
    fallback: bool = False
    reason: str | None = None
    hits: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    @property
    def geo(self) -> Decimal:
        """What the geography multiplies the rates by."""
        if self.factor is not None or self.model is None:
            return Decimal(1) if self.factor is None else self.factor
        return self.model.geo


def find(book: Book, provider: str | None, model: str | None) -> Match:
    """The model that a call's `provider` and `model`, as logged, lead to."""
    name, caller = (model or "").strip().lower(), (provider or "").strip().lower()
    named = book.providers.get(book.spellings.get(caller, ""))
    if not name:
        return Match(named, reason="no_model")
    if name in book.aliases:
        found = target(book, book.aliases[name])
        steps = (f"alias of {book.aliases[name]}", *found.steps)
        return replace(found, provider=named or found.provider, steps=steps)
    if named is not None:
        return _at(book, named, name)
    if caller:
        return Match(reason="unknown_provider")
    return _anywhere(book, name)


def target(book: Book, text: str) -> Match:
    """What an alias's `provider/model` leads to."""
    provider, _, rest = text.lower().partition("/")
    named = book.providers.get(book.spellings.get(provider, ""))
    return Match(reason="unknown_provider") if named is None else _at(book, named, rest)


def _anywhere(book: Book, name: str) -> Match:
    """The hit of a name without a provider, if all providers that know it mean models of one vendor."""
    found = [
        hit for provider in book.providers.values() if (hit := _at(book, provider, name)).model is not None
    ]
    hits = [(hit, hit.model) for hit in found if hit.model is not None]
    if len({_vendor(book, model) for _, model in hits}) > 1:
        return Match(
            reason="ambiguous_model", hits=tuple(dict.fromkeys(f"{m.provider}/{m.id}" for _, m in hits))
        )
    if not hits:
        return Match(reason="unknown_model")
    # The vendor itself comes before those that resell its models, or take its price.
    return min(hits, key=lambda hit: (hit[0].fallback, hit[1].provider != _vendor(book, hit[1])))[0]


def _vendor(book: Book, model: Model) -> str:
    """Who sells a model: its provider, or the vendor that a reseller's name for it begins with."""
    return book.providers[model.provider].vendor_fallback.get(
        model.id.lower().partition("/")[0], model.provider
    )


def _at(book: Book, provider: Provider, name: str) -> Match:
    """The hit of a name, in small letters, at one provider."""
    own = book.names.get(provider.id, {})
    for spelling in _spellings(provider, name, own):
        model = _exact(own, spelling.name)
        if model is not None:
            return Match(provider, model, spelling.factor, steps=_steps(spelling, model))
    # The last spelling has all prefixes stripped and all renames done.
    model = _elsewhere(book, provider, spelling.name)
    if model is not None:
        steps = (
            *_steps(spelling, model),
            f"{provider.id} has no row of its own: list price of {model.provider}",
        )
        return Match(provider, model, spelling.factor, fallback=True, steps=steps)
    return Match(provider, reason="unknown_model", steps=spelling.steps)


class _Spelling(Struct, frozen=True):
    """A name to try, the factor of its geography, and how it came from the name in the log."""

    name: str
    factor: Decimal | None
    steps: tuple[str, ...]


def _steps(spelling: _Spelling, model: Model) -> tuple[str, ...]:
    """How a name led to a model: as another of its names, as that of a fine-tune, as a snapshot of a date."""
    name = spelling.name
    if name == model.id.lower():
        return spelling.steps
    if name in (other.lower() for other in model.names):
        return (*spelling.steps, f"{name} is a name of {model.id}")
    how = "a fine-tune of" if name.startswith("ft:") else "a snapshot by date of"
    return (*spelling.steps, f"{name} is {how} {model.id}")


def _spellings(provider: Provider, name: str, own: Mapping[str, Model]) -> Iterator[_Spelling]:
    """The names to try at a provider; the last is the plainest."""
    steps: list[str] = []

    def called(new: str, why: str) -> str:
        if new != name:
            steps.append(f"{why}: {new}")
        return new

    if provider.resource_names and name.startswith(_RESOURCES):
        name = called(name.rpartition("/")[2], "the end of the resource name")
    while name not in own:
        prefix = next((p for p in provider.prefixes if name.startswith(p)), None)
        if prefix is None:
            break
        name = called(name.removeprefix(prefix), f"without the prefix {prefix}")
    # A name that is a key as it stands has the factor of names without a geography.
    yield _Spelling(name, provider.geo.get("", Decimal(1)), tuple(steps))
    place = next((p for p in provider.geo if name.startswith(p)), "")
    factor = provider.geo.get(place, Decimal(1))
    name = called(name.removeprefix(place), f"without the geography {place}")
    yield _Spelling(name, factor, tuple(steps))
    renamed = next((p for p in provider.rename if name.startswith(p)), None)
    if renamed is not None:
        name = called(provider.rename[renamed] + name.removeprefix(renamed), f"{renamed} is renamed")
    for old, new in provider.replace.items():
        name = called(name.replace(old, new), f"{old} is replaced")
    yield _Spelling(name, factor, tuple(steps))


def _exact(models: Mapping[str, Model], name: str) -> Model | None:
    """The model of exactly this name; a fine-tuned one has its own price or that of `ft:` and its base.

    Where a model says that any date will do, its name with a date at the end is its name too.
    """
    model = models.get(name)
    if model is None and name.startswith("ft:"):
        return models.get(":".join(name.split(":")[:2]))
    if model is None and (date := _DATE.search(name)) is not None and date.end() == len(name):
        dated = models.get(name[: date.start()])
        return dated if dated is not None and dated.any_date else None
    return model


def _elsewhere(book: Book, provider: Provider, name: str) -> Model | None:
    """The model of a provider whose list price this provider takes."""
    for other in provider.falls_back_to:
        found = _exact(book.names.get(other, {}), name) or _elsewhere(book, book.providers[other], name)
        if found is not None:
            return found
    vendor, slash, rest = name.partition("/")
    if slash and vendor in provider.vendor_fallback:
        return _exact(book.names.get(provider.vendor_fallback[vendor], {}), rest)
    return None


def suggestions(book: Book, provider: str | None, model: str) -> tuple[str, ...]:
    """At most three models of the book, as provider/model, whose names are near a name that has no price."""
    match = find(book, provider, model)
    if match.hits:
        return match.hits[:_NEAR]
    places = [match.provider.id, *match.provider.falls_back_to] if match.provider else list(book.names)
    known: dict[str, str] = {}
    for place in places:
        for name, entry in book.names.get(place, {}).items():
            known.setdefault(name, f"{entry.provider}/{entry.id}")
    near = get_close_matches(model.strip().lower(), known, n=3 * _NEAR, cutoff=_CUTOFF)
    return tuple(dict.fromkeys(known[name] for name in near))[:_NEAR]


def alias_stanza(book: Book, provider: str | None, model: str) -> str:
    """YAML to paste into a price file: an alias of the nearest name, or a row to fill in.

    Where no name is near, the rates are the words INPUT and OUTPUT, which the book refuses with their line
    until they are numbers: a price is never guessed.
    """
    near = suggestions(book, provider, model)
    if near:
        others = f"  # or: {', '.join(near[1:])}" if near[1:] else ""
        return _yaml({"aliases": {model: near[0]}}).rstrip("\n") + others + "\n"
    match = find(book, provider, model)
    owner = match.provider.id if match.provider else (provider or "").strip() or "custom"
    head = {} if match.provider else {"providers": {owner: {"aliases": [owner]}}}
    rows = {"prices": [{"input": "INPUT", "output": "OUTPUT"}]}
    note = "# INPUT and OUTPUT: USD per million tokens\n"
    return note + _yaml({**head, "models": {owner: {model: rows}}})


def _yaml(data: object) -> str:
    return yaml.safe_dump(data, allow_unicode=False, sort_keys=False, width=10_000)
