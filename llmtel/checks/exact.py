"""Sums that do not depend on the order of rows, for a file must not differ by chance.

Threads add up floats in any order; whole numbers of 1e-12 add up exactly.
"""

from __future__ import annotations

import polars as pl

_DIGITS = 12
_FINE = 10.0**_DIGITS


def exact_sum(values: pl.Expr) -> pl.Expr:
    """The sum of floats to 1e-12; of nothing, 0."""
    whole = (values * _FINE).round().cast(pl.Int128).sum().cast(pl.Float64)
    # Dividing by a constant multiplies by its inverse, whose last bit is off.
    return (whole / _FINE).round(_DIGITS)
