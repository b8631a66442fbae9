"""Texts with what the rules find replaced: patterns run over columns, checks over distinct candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import polars as pl

from llmtel.privacy.rules import Rule

_OPEN, _CLOSE = "\ue000", "\ue001"
"""Private-use characters around a candidate until it is checked; those of a text itself are taken out."""
_WRAPPED = f"{_OPEN}[^{_CLOSE}]*{_CLOSE}"
_MOST_ROUNDS = 4
"""How often a rule looks again at what is left of a candidate of which it took a part."""


def redacted(texts: pl.Series, rules: Sequence[Rule]) -> tuple[pl.Series, Counter[str]]:
    """The texts with the marks of the rules in place of what these found, and how often each rule did.

    Null stays null.
    """
    found: Counter[str] = Counter()
    return (_applied(texts, tuple(rules), found) if rules else texts), found


def _applied(texts: pl.Series, rules: tuple[Rule, ...], found: Counter[str]) -> pl.Series:
    """The rules in their order; each half of them sees only texts in which one of it may find something."""
    rows = texts.str.contains(any_of(rules)).fill_null(value=False).arg_true()
    if not rows.len():
        return texts
    part, half = texts.gather(rows), len(rules) // 2
    if half:
        return put(texts, rows, _applied(_applied(part, rules[:half], found), rules[half:], found))
    new, count = _replaced(part, rules[0])
    if not count:
        return texts
    found[rules[0].name] += count
    return put(texts, rows, new)


@cache
def any_of(rules: tuple[Rule, ...]) -> str:
    """A pattern of whatever any of some rules may find."""
    return "|".join(f"(?:{rule.before})(?:{rule.pattern})" for rule in rules)


def _replaced(texts: pl.Series, rule: Rule) -> tuple[pl.Series, int]:
    """Texts in each of which the pattern of a rule matches, and how many of its candidates were taken."""
    if rule.check is None:
        count = int(texts.str.count_matches(rule.regex).sum())
        return texts.str.replace_all(rule.regex, f"${{1}}{rule.mark}"), count
    total = 0
    for _ in range(_MOST_ROUNDS):
        texts, count, again = _checked(texts, rule)
        total += count
        if not again:
            break
    return texts, total


def _checked(texts: pl.Series, rule: Rule) -> tuple[pl.Series, int, bool]:
    """One round of a rule with a check; whether something is left of a candidate that was taken in part."""
    bare = texts.str.replace_all(f"[{_OPEN}{_CLOSE}]", "")
    wrapped = bare.str.replace_all(rule.regex, f"${{1}}{_OPEN}${{2}}{_CLOSE}")
    candidates = wrapped.str.extract_all(_WRAPPED).explode().drop_nulls().value_counts(name="n")
    taken: dict[str, str] = {}
    count, again = 0, False
    for candidate, n in candidates.iter_rows():
        inner = candidate[1:-1]
        span = rule.check(inner) if rule.check is not None else None
        if span is not None:
            taken[candidate] = f"{inner[: span[0]]}{rule.mark}{inner[span[1] :]}"
            count += n
            again = again or len(inner) > span[1]
    if not taken:
        return texts, 0, False
    done = wrapped.str.replace_many(list(taken), list(taken.values()))
    return done.str.replace_all(f"[{_OPEN}{_CLOSE}]", ""), count, again


def put(series: pl.Series, rows: pl.Series, values: pl.Series) -> pl.Series:
    """The series with other values in some rows; `Series.scatter` would change it for all who hold it."""
    return series.clone().scatter(rows, values)
