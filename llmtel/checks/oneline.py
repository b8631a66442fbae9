"""Rules on one line: the condition that fails, `cost_per_call{feature=chat} > +10%`.

rule   = metric [ "{" filter { "," filter } "}" ] op value
filter = dimension ( "=" | "!=" | "=~" ) text              =~ is a glob; tags are tags.KEY
op     = ">" | ">=" | "<" | "<="
value  = [ "+" | "-" ] number [ unit ] [ "/" period ]      a sign makes it a change against the baseline
"""

from __future__ import annotations

import re
from typing import NamedTuple

from llmtel.checks import limits
from llmtel.checks.limits import Limit
from llmtel.checks.rules import Level, Rule, Settings, Split
from llmtel.core.errors import UsageError
from llmtel.query import where
from llmtel.query.metric import Metric
from llmtel.query.metrics import METRICS

_RULE = re.compile(r"\s*([^\s{}<>=]+)\s*(?:\{(.*)\})?\s*(>=|<=|>|<)\s*(.+?)\s*", re.DOTALL)
_TEXT = r"""(?:"[^"]*"|'[^']*'|[^,"'])+"""
_FILTER = re.compile(rf"\s*([^\s=!,]+?)\s*(=~|!=|=)\s*({_TEXT}?)\s*(?:,|$)")
_FORM = "METRIC{FILTERS} > VALUE, as in cost_per_call{feature=chat} > +10% or p95_latency > 8s"


class Parsed(NamedTuple):
    """A line taken apart: the metric, its filters as `--where` has them, and the limit."""

    metric: Metric
    where: tuple[str, ...]
    limit: Limit


def rule(text: str, settings: Settings | None = None) -> Rule:
    """The rule that a line states. Raises `UsageError` that says what is wrong and what would work."""
    found = parsed(text)
    settings = settings or Settings()
    shown = ", ".join(found.where)
    name = f"{found.metric.name}{{{shown}}} {found.limit}" if shown else f"{found.metric.name} {found.limit}"
    return Rule(
        id=name,
        metric=found.metric.name,
        levels=(Level(settings.severity, (found.limit,)),),
        split=Split(found.where),
        settings=settings,
    )


def parsed(text: str) -> Parsed:
    """The parts of a line. Raises `UsageError`, `UnknownName` for names."""
    found = _RULE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no rule; write {_FORM}")
    try:
        metric = METRICS[found[1]]
        terms = filters(found[2] or "")
        return Parsed(metric, terms, _limit(found[3], found[4], metric))
    except UsageError as error:
        raise type(error)(f"{text}: {error}") from None


def filters(text: str) -> tuple[str, ...]:
    """Filters between braces, as `--where` reads them, in an order of their own."""
    terms, rest = [], text
    while rest.strip():
        found = _FILTER.match(rest)
        if found is None:
            raise UsageError(
                f"{rest.strip()!r} is no filter; write NAME=VALUE, NAME!=VALUE or NAME=~GLOB, "
                "separated by commas"
            )
        terms.append(term(found[1], found[2], _unquoted(found[3].strip())))
        rest = rest[found.end() :]
    where.parse(terms)
    return tuple(sorted(terms))


def term(name: str, operator: str, value: str) -> str:
    """One filter as `--where` reads it. Raises `UsageError` for a value that cannot be written there."""
    if operator != "=~" and re.search(r"[*?]", value):
        raise UsageError(f"{name}{operator}{value}: for a glob write {name}=~{value}")
    if {"'", '"'} <= set(value):
        raise UsageError(
            f"{name}: a value with both quotation marks cannot be written; use =~ with ? for one"
        )
    quote = "'" if '"' in value else '"'
    plain = re.fullmatch(r"[\w.*?/@:+-]*", value)
    return f"{name}{operator.rstrip('~')}{value if plain else quote + value + quote}"


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _limit(operator: str, value: str, metric: Metric) -> Limit:
    """The limit, in the direction of its operator, which is the direction that is bad."""
    large_is_bad, inclusive = operator[0] == ">", operator.endswith("=")
    if value[0] not in "+-":
        return Limit("max" if large_is_bad else "min", limits.level(value, metric), inclusive)
    if large_is_bad != (value[0] == "+"):
        raise UsageError(
            f"{operator} {value} fails unless {metric.name} moves by that much; "
            f"write what must not be: > +{value[1:]} or < -{value[1:]}"
        )
    amount = limits.change(value[1:].strip(), metric)
    return Limit("max_increase" if large_is_bad else "max_decrease", amount, inclusive)
