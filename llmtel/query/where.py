"""Filters, `model=gpt-4o* feature!=chat latency_ms>2s cost_usd>$0.10 tags.env=prod`, as an expression.

All terms must hold (`llmtel.query.terms` says how they are written). Names are dimensions, fields and
`tags.KEY`.

Text is compared whole; `*` and `?` stand for any characters and for one, and a pseudonym may be written as
tables show it (`user=u_4b1f00c0ffee…`). Numbers take the units of their
field. What is unknown equals nothing and is neither more nor less than anything: `feature=chat` leaves it
out, and `feature!=chat`, the complement, keeps it. `feature=` asks for the unknown, `feature!=` for the
known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne
from typing import Any

import polars as pl

from llmtel.core.catalog import unknown
from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.pseudonym import beginning
from llmtel.core.schema import FIELDS, Field
from llmtel.query.dimensions import DIMENSIONS, TAGS, Dimension, dimension, named
from llmtel.query.metrics import METRICS
from llmtel.query.terms import Term, terms
from llmtel.query.timerange import parse_time, parse_zone

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {"=": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ORDERED = frozenset({"day", "week", "month"})
"""Dimensions of text whose order is that of their letters."""


def parse(filters: Sequence[str], tz: str = "UTC", own: Collection[str] = ()) -> pl.Expr:
    """One expression that is true for the calls that meet all filters, and never null; no filters: all calls.

    Each string may hold several terms. `tz` is the zone of the dimensions of time. Raises `UsageError` for
    a term that is none, with the names that a wrong one may have meant.
    """
    parse_zone(tz)
    conditions = [_expression(term, tz, own) for text in filters for term in terms(text)]
    return reduce(and_, conditions, pl.lit(value=True))


def tags(filters: Sequence[str]) -> tuple[str, ...]:
    """The extra keys that filters ask for: the KEY of each `tags.KEY`. Raises `UsageError` for no filter."""
    names = (term.name for text in filters for term in terms(text))
    return tuple(name.removeprefix(TAGS) for name in names if name.startswith(TAGS))


def _expression(term: Term, tz: str, own: Collection[str]) -> pl.Expr:
    try:
        name = term.name if term.name in FIELDS or term.name in METRICS else named(term.name, own)
        return _condition(name, term.operator, term.value, tz)
    except UsageError as error:
        raise type(error)(f"--where {term.text}: {error}") from None


def _condition(name: str, operator: str, value: str, tz: str) -> pl.Expr:
    """The condition, with what is unknown decided: only != keeps it."""
    subject, test = _subject(name, tz)
    if value == "":
        if operator not in ("=", "!="):
            raise UsageError(f"{operator} needs a value")
        return subject.is_null() if operator == "=" else subject.is_not_null()
    if operator == "!=":
        return ~test("=", value).fill_null(value=False)
    return test(operator, value).fill_null(value=False)


def _subject(name: str, tz: str) -> tuple[pl.Expr, Callable[[str, str], pl.Expr]]:
    """What a name stands for, and how it is compared with a value as written."""
    if name in FIELDS:
        return pl.col(name), _field_test(FIELDS[name], tz)
    if name.startswith(TAGS) or name in DIMENSIONS:
        dim = dimension(name)
        value = dim.value(tz)
        return value, lambda operator, text: _dimension_test(dim, value, operator, text)
    raise UnknownName(_unknown(name))


def _unknown(name: str) -> str:
    if name in METRICS:
        reads = sorted(METRICS[name].expr.about)
        hint = f"; filter by {' or '.join(reads)}" if reads else ""
        return f"{name} is a metric, a number of many calls{hint}"
    return unknown("dimension or field", name, (*{**DIMENSIONS, **FIELDS}, f"{TAGS}KEY"))


def _field_test(field: Field, tz: str) -> Callable[[str, str], pl.Expr]:
    column = pl.col(field.name)
    if field.dtype == pl.String:
        return lambda operator, text: _text_test(field.name, column, operator, text)
    if field.dtype == pl.Boolean:
        return lambda operator, text: _flag_test(field.name, column, operator, text)
    if field.name == "ts":
        return lambda operator, text: _time_test(column, operator, text, tz)
    return lambda operator, text: _compare(
        column, operator, field.unit.read(text) if field.unit else float(text)
    )


def _dimension_test(dim: Dimension, value: pl.Expr, operator: str, text: str) -> pl.Expr:
    if dim.numeric:
        if not text.isdecimal():
            raise UsageError(f"{text!r} is not a whole number")
        return _compare(value, operator, int(text))
    if dim.name in _ORDERED and "*" not in text:
        return _compare(value, operator, text)
    return _text_test(dim.name, value, operator, text)


def _text_test(name: str, value: pl.Expr, operator: str, text: str) -> pl.Expr:
    if operator != "=":
        raise UsageError(f"{name} is text; compare it with = or !=")
    if (begins := beginning(text)) is not None:
        return (value == text) | value.cast(pl.String).str.starts_with(begins)
    if not re.search(r"[*?]", text):
        return value == text
    literal, star, rest = text.partition("*")
    if star and not rest and "?" not in literal:
        return value.cast(pl.String).str.starts_with(literal)
    pattern = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in text)
    return value.cast(pl.String).str.contains(f"(?s)^{pattern}$")


def _flag_test(name: str, value: pl.Expr, operator: str, text: str) -> pl.Expr:
    if operator != "=" or text.lower() not in _FLAGS:
        raise UsageError(f"{name} is true or false; write {name}=true or {name}!=true")
    return value == _FLAGS[text.lower()]


def _time_test(value: pl.Expr, operator: str, text: str, tz: str) -> pl.Expr:
    """Times against a moment or a whole day: > is after its end, < before its start."""
    first, after = parse_time("ts", text, tz)
    if first == after:
        return _compare(value, operator, first)
    tests = {
        "=": (value >= first) & (value < after),
        ">": value >= after,
        ">=": value >= first,
        "<": value < first,
        "<=": value < after,
    }
    return tests[operator]


def _compare(value: pl.Expr, operator: str, with_: object) -> pl.Expr:
    result: pl.Expr = _COMPARE[operator](value, with_)
    return result
