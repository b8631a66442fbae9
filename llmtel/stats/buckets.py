"""The log buckets of histograms: how wide they are, and so how far off a quantile may be."""

from __future__ import annotations

SCALE = 5


def base(scale: int = SCALE) -> float:
    """The ratio of a bucket's ends."""
    return float(2.0**2.0**-scale)


def relative_error(scale: int = SCALE) -> float:
    """The most by which a quantile can be off, as a share of its value."""
    return (base(scale) - 1) / (base(scale) + 1)
