"""Escapes in JSON that Polars decodes as something else."""

from __future__ import annotations

import polars as pl

_HALF = r"\\u[dD][89abAB][0-9a-fA-F]{2}(?:[^\\]|\\[^u])|[^0-9a-fA-F]\\u[dD][c-fC-F]"
"""A high half with no escape after it, a low one with none before."""


def half_a_character(line: pl.Expr) -> pl.Expr:
    """Whether a line may have the escape of half a character (😀 has two), of which Polars makes nothing.

    It has nothing to say against a low half after hexadecimal digits, but refuses that itself.
    """
    # what is rare is looked for with care only where there is some of it
    seen = line.str.contains("\\ud", literal=True) | line.str.contains("\\uD", literal=True)
    return pl.when(seen).then(line).str.contains(_HALF).fill_null(value=False)
