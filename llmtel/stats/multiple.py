"""Many tests at once: p-values corrected so that chance alone does not find something every day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

Correction = Literal["bh", "holm", "none"]


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the share of false alarms among alarms (Benjamini & Hochberg 1995)."""
    order = sorted(range(len(p)), key=p.__getitem__, reverse=True)
    adjusted, least = [1.0] * len(p), 1.0
    for rank, i in zip(range(len(p), 0, -1), order, strict=True):
        least = min(least, p[i] * len(p) / rank)
        adjusted[i] = least
    return adjusted


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the chance of any false alarm (Holm 1979)."""
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted, most = [1.0] * len(p), 0.0
    for done, i in enumerate(order):
        most = max(most, min(1.0, p[i] * (len(p) - done)))
        adjusted[i] = most
    return adjusted


CORRECTIONS: Mapping[Correction, Callable[[Sequence[float]], list[float]]] = {
    "bh": benjamini_hochberg,
    "holm": holm,
    "none": list,
}
"""The corrections by name."""
