"""On what the money of a report rests: the book's rates or the log's word, logged tokens or counted ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from msgspec import Struct

from llmtel.core.answers import Finding
from llmtel.core.units import COUNT, SHARE, USD
from llmtel.findings.command import Command
from llmtel.findings.cube import tokens
from llmtel.query.dimensions import DIMENSIONS, field_of
from llmtel.query.lower import SAMPLE
from llmtel.query.measures import total
from llmtel.query.query import summed
from llmtel.query.sums import Sums

SOURCES = ("logged", "tokenizer", "estimated")
"""What the tokens of a call can rest on, as `token_source` says it."""
COUNTED = {"tokenizer": "counted", "estimated": "estimated"}
"""Those that are not the provider's, in words."""
LOWER_BOUND = "reasoning_unknown"
_BY = (*map(field_of, ("price_reason", "price_flags")), DIMENSIONS["token_source"])


class Part(Struct, frozen=True):
    """Some of the calls: how many, their tokens and their cost in USD."""

    calls: float = 0.0
    tokens: float = 0.0
    cost: float = 0.0

    def __add__(self, other: Part) -> Part:
        return Part(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)


class Coverage(Struct, frozen=True):
    """How the cost of calls is known.

    `by_reason` are the calls without a cost, by the reason. The others are `computed` at the book's rates,
    `logged`, or `not_billed`. Among the computed are those `assumed` (billed at a rate that was assumed) and
    `bounded` (counted answers of models that reason, so the cost is a lower bound). `by_tokens` are all calls
    with tokens by what these rest on, with the cost that was computed from them.
    """

    computed: Part
    logged: Part
    not_billed: Part
    assumed: Part
    bounded: Part
    by_tokens: Mapping[str, Part]
    by_reason: Mapping[str, Part]

    @property
    def unpriced(self) -> Part:
        """The calls without a cost."""
        return sum(self.by_reason.values(), Part())

    @property
    def cost(self) -> float:
        """The cost of all that have one."""
        return self.computed.cost + self.logged.cost

    def share(self, part: Part) -> float | None:
        """The share of the whole cost that rests on a part; None where nothing cost anything."""
        return part.cost / self.cost if self.cost else None

    def share_of_tokens(self, part: Part) -> float | None:
        """The share of all tokens that is a part's; None where there are none."""
        every = sum(self.by_tokens.values(), Part()).tokens
        return part.tokens / every if every else None

    def meta(self) -> dict[str, Any]:
        """The coverage as JSON: calls, tokens and cost of every part, and their shares of calls and cost."""
        priced = self.computed + self.logged + self.not_billed
        calls = (priced + self.unpriced).calls
        parts = {
            "priced": priced,
            "computed": self.computed,
            "logged": self.logged,
            "not_billed": self.not_billed,
            "assumed_cache_rate": self.assumed,
            "reasoning_unknown": self.bounded,
        }
        told: dict[str, Any] = {name: self._told(part, calls) for name, part in parts.items()}
        lost = self._told(self.unpriced, calls)
        del lost["cost"], lost["share_of_cost"]
        reasons = {reason: part.calls for reason, part in sorted(self.by_reason.items())}
        sources = {name: self._resting(part) for name, part in self.by_tokens.items()}
        return {**told, "unpriced": {**lost, "reasons": reasons}, "token_sources": sources}

    def _resting(self, part: Part) -> dict[str, Any]:
        return {
            "calls": part.calls,
            "tokens": part.tokens,
            "cost": part.cost,
            "share_of_tokens": self.share_of_tokens(part),
            "share_of_cost": self.share(part),
        }

    def _told(self, part: Part, calls: float) -> dict[str, Any]:
        return {
            "calls": part.calls,
            "tokens": part.tokens,
            "cost": part.cost,
            "share_of_calls": part.calls / calls if calls else None,
            "share_of_cost": self.share(part),
        }


def asked(calls: pl.DataFrame) -> Sums:
    """What coverage is made of: sums by reasons of no cost, remarks on prices, and what tokens rest on.

    What no call knows is left out.
    """
    return Sums(
        tuple(dim for dim in _BY if calls[dim.name].null_count() < calls.height),
        {
            "calls": total(pl.lit(value=True)),
            "tokens": total(tokens()),
            "cost": total(pl.col("cost_usd")),
            "known": total(pl.col("cost_usd").is_not_null()),
            "counted": total(tokens().is_not_null()),
        },
    )


def coverage(calls: pl.DataFrame) -> Coverage:
    """How the costs of priced calls (or rows of an export) are known."""
    return coverage_of(summed(asked(calls), calls))


def coverage_of(sums: pl.DataFrame) -> Coverage:
    """The coverage of the sums that were `asked` for."""
    nothing = [pl.lit(None).alias(dim.name) for dim in _BY if dim.name not in sums.columns]
    groups = sums.filter(pl.col("calls") > 0).with_columns(nothing).to_dicts()
    priced = [row for row in groups if row["known"]]
    reasons: dict[str, Part] = {}
    for row in groups:
        if not row["known"]:
            reason = row["price_reason"] or "unknown"
            reasons[reason] = reasons.get(reason, Part()) + _part([row])
    flagged = {name: [r for r in priced if name in _flags(r)] for name in ("logged", "not_billed")}
    rest = [r for r in priced if not {"logged", "not_billed"} & _flags(r)]
    return Coverage(
        computed=_part(rest),
        logged=_part(flagged["logged"]),
        not_billed=_part(flagged["not_billed"]),
        assumed=_part(r for r in rest if "assumed_cache_rate" in _flags(r)),
        bounded=_part(r for r in rest if LOWER_BOUND in _flags(r)),
        by_tokens={name: _resting(groups, rest, name) for name in SOURCES},
        by_reason=reasons,
    )


def _flags(row: Mapping[str, Any]) -> set[str]:
    return set((row["price_flags"] or "").split(","))


def _resting(groups: Sequence[Mapping[str, Any]], computed: Sequence[Mapping[str, Any]], source: str) -> Part:
    """The calls whose tokens rest on a source (where a log does not say, on it), and their computed cost."""
    of_source = [row for row in groups if (row["token_source"] or SOURCES[0]) == source]
    return Part(
        sum((row["counted"] for row in of_source), 0.0),
        sum((row["tokens"] for row in of_source), 0.0),
        sum((row["cost"] for row in computed if row in of_source), 0.0),
    )


def _part(rows: Iterable[Mapping[str, Any]]) -> Part:
    return sum((Part(row["calls"], row["tokens"], row["cost"]) for row in rows), Part())


def cost_words(found: Coverage) -> tuple[str, ...]:
    """What of the cost is not computed from logged tokens, in words; nothing where all of it is."""
    told = [("as logged", found.logged)]
    told += [(f"on {word} tokens", found.by_tokens[name]) for name, word in COUNTED.items()]
    shares = ((words, found.share(part)) for words, part in told)
    return tuple(f"{SHARE.show(share)} {words}" for words, share in shares if share)


def token_words(found: Coverage) -> tuple[str, ...]:
    """What of the tokens is not the provider's count, in words; nothing where all of it is."""
    shares = ((word, found.share_of_tokens(found.by_tokens[name])) for name, word in COUNTED.items())
    return tuple(f"{SHARE.show(share)} {word}" for word, share in shares if share)


def lower_bound(calls: pl.DataFrame, command: Command) -> list[Finding]:
    """Costs that leave hidden reasoning out, because answers were counted as they were shown."""
    bounded = (
        calls.lazy()
        .filter(pl.col("token_source").is_in([*COUNTED]))
        .filter(pl.col("price_flags").cast(pl.String).str.contains(LOWER_BOUND, literal=True))
    )
    sums = (SAMPLE.sum(), (tokens() * SAMPLE).sum(), (pl.col("cost_usd") * SAMPLE).sum())
    part = Part(*bounded.select(*(each.alias(str(i)) for i, each in enumerate(sums))).collect().row(0))
    if not part.calls:
        return []
    return [
        Finding(
            level="warning",
            kind="reasoning_unknown",
            figure=COUNT.show(part.calls),
            text=f"{'answer' if part.calls == 1 else 'answers'} of models that reason were counted as far as "
            f"shown; hidden reasoning is billed too, so {USD.show(part.cost)} is a lower bound",
            command=command.paste(
                where=[f"price_flags=*{LOWER_BOUND}*"], by="model", metrics="calls,cost,output_tokens"
            ),
            calls=part.calls,
            evidence={"calls": part.calls, "tokens": part.tokens, "cost": part.cost},
        )
    ]
