"""Metric: one number with meaning, declared once in the catalog of `metrics`."""

from __future__ import annotations

from msgspec import Struct

from llmtel.core.answers import Better
from llmtel.core.schema import IMAGINED
from llmtel.core.units import Unit
from llmtel.query.measures import Measure, Merge, Ratio


class Metric(Struct, frozen=True):
    """One number with meaning: what it aggregates, its unit, a definition, and which way is better.

    `name` is its id; `label` the words of a table's head; `needs` the fields it reads, recovered from the
    expression.
    """

    name: str
    expr: Measure | Ratio
    unit: Unit
    help: str
    label: str = ""
    better: Better | None = None

    @property
    def needs(self) -> frozenset[str]:
        """The fields of a call that it reads."""
        return self.expr.needs

    @property
    def head(self) -> str:
        """The label, or the name in words."""
        return self.label or self.name.replace("_", " ")

    @property
    def merge(self) -> tuple[Merge, ...]:
        """How parts of it become the whole, for each measure of it; () where they do not tell.

        What pricing imagines for a question is not there before it is asked.
        """
        ways = [part.merge for part in self.expr.parts]
        told = tuple(way for way in ways if way is not None)
        return told if len(told) == len(ways) and self.needs.isdisjoint(IMAGINED) else ()

    def method(self, *, sampled: bool, rolled: bool = False) -> str | None:
        """How the number was found, where that is a question; distinct things are only seen, never scaled.

        `rolled`: rollups are in it, and percentiles are those of histograms.
        """
        if rolled and "histogram" in self.merge:
            return "histogram"
        parts = (self.expr,) if isinstance(self.expr, Measure) else (self.expr.over, self.expr.under)
        if sampled:
            return "observed" if parts[-1].how in ("distinct", "max") else "estimated"
        return "exact" if parts[0].how == "quantile" else None
